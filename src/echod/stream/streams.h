/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What all connections of one loop share: their timeouts, and the buffer that their bytes pass
 * through. Made by connections_open; only the files of this folder look into it.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wheel;

/*
 * One read takes at most this much, or less while much is kept for others (kept_echo.h), and so a
 * client that does not read its echo costs at most this much. From half a MiB on more of it makes
 * bulk transfers no cheaper (bench/RESULTS.md).
 */
#ifndef INPUT_SIZE /* bench/ builds it with others */
#define INPUT_SIZE (512 * 1024)
#endif

/* The same while clients exchange small messages, which would wait for it (echo.c). */
#define SHARED_SIZE (64 * 1024)

/*
 * In front of the input, so that a greeting, a prefix (each at most LINE_MAX_LENGTH) and the data
 * leave in one call.
 */
#define INPUT_HEADROOM 384

struct streams {
	struct wheel *wheel;
	char *buffer;		/* INPUT_HEADROOM bytes, and the input */
	char *input;		/* INPUT_SIZE bytes in it */
	size_t piece;		/* most that a read takes: INPUT_SIZE or SHARED_SIZE */
	int64_t small_messages; /* when a client that exchanges them sent one */
	size_t connections;
	bool draining; /* stopping: connections end as soon as they are empty */
};
