/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How much echo all connections together hold in user space because their clients do not read: at
 * most KEPT_MAX, and KEPT_SMALL for each client beyond that. Shared by the workers. A message reads
 * it once; it is written only when an echo is kept or released.
 */

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEPT_MAX (64 * 1024 * 1024)

/* With a prefix and the connection itself it stays below 4 KiB. */
#define KEPT_SMALL (3 * 1024)

/* One read takes at most this part of what is left, so the last of it goes slowly. */
#define KEPT_SHARE 64

struct kept_echo {
	_Atomic int64_t size;
	atomic_bool much; /* it has been since memory was last given back */
	int64_t room;	  /* the size at which only small pieces are left */
};

void kept_echo_init(struct kept_echo *kept, size_t workers);

/* How much the next read may take: MOST, or less while much is kept. */
static inline size_t kept_echo_piece(const struct kept_echo *kept, size_t most)
{
	int64_t left = kept->room - atomic_load_explicit(&kept->size, memory_order_relaxed);

	if (left >= (int64_t)most * KEPT_SHARE)
		return most;
	return left > KEPT_SMALL * KEPT_SHARE ? (size_t)(left / KEPT_SHARE) : KEPT_SMALL;
}

/* SIZE bytes were allocated, or freed. */
void kept_echo_add(struct kept_echo *kept, size_t size);
void kept_echo_release(struct kept_echo *kept, size_t size);
