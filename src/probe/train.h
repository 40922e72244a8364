/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How long a train of datagrams may be: many that leave in one call, and that the kernel cuts
 * apart. What is sent by default and how it is sent both follow from it.
 */

#pragma once

#include <stddef.h>

#define TRAIN_PAYLOAD_MAX 65507u
#define TRAIN_SEGMENTS_MAX 128u
#define TRAIN_SEGMENTS_OLD 64u /* older kernels */

/* Datagrams of SIZE bytes in a train, at most. */
static inline unsigned train_length(size_t size)
{
	size_t fitting = TRAIN_PAYLOAD_MAX / size;

	if (fitting > TRAIN_SEGMENTS_MAX)
		return TRAIN_SEGMENTS_MAX;
	return fitting > 1 ? (unsigned)fitting : 1;
}
