/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Packets as they are written in specifications: hexadecimal, with blanks, "0*28" for zeros. */

#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "support/test.h"

static inline size_t bytes_of(const char *hex, uint8_t *bytes)
{
	size_t size = 0;

	while (*hex != '\0') {
		unsigned value, count;
		int length;

		if (*hex == ' ') {
			hex++;
		} else if (sscanf(hex, "0*%u%n", &count, &length) == 1) {
			memset(bytes + size, 0, count);
			size += count;
			hex += length;
		} else {
			if (sscanf(hex, "%2x", &value) != 1)
				ck_abort_msg("%s", hex);
			bytes[size++] = (uint8_t)value;
			hex += 2;
		}
	}
	return size;
}
