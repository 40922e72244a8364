/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See kept_echo.h. Each worker has at most one read under way whose echo may come to be kept, and
 * it may have looked at the size just before others added to theirs. Room for one piece a worker is
 * therefore left free, which makes the bound exact without a locked instruction in a read.
 */

#include "config.h"

#include "echod/serving/kept_echo.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

/* Having exceeded the one, the size must fall below the other before memory is given back. */
#define MUCH (8 * 1024 * 1024)
#define LITTLE (1024 * 1024)

void kept_echo_init(struct kept_echo *kept, size_t workers)
{
	/* The largest piece is room / KEPT_SHARE, so workers * piece + room <= KEPT_MAX. */
	*kept = (struct kept_echo){.room = KEPT_MAX / (int64_t)(KEPT_SHARE + workers) * KEPT_SHARE};
}

void kept_echo_add(struct kept_echo *kept, size_t size)
{
	int64_t before =
		atomic_fetch_add_explicit(&kept->size, (int64_t)size, memory_order_relaxed);

	if (before < MUCH && before + (int64_t)size >= MUCH)
		atomic_store(&kept->much, true);
}

/* What malloc holds of an attack that is over. It takes milliseconds, but is rare. */
static void give_memory_back(void)
{
#ifdef HAVE_MALLOC_TRIM
	malloc_trim(0);
#endif
}

void kept_echo_release(struct kept_echo *kept, size_t size)
{
	int64_t before =
		atomic_fetch_sub_explicit(&kept->size, (int64_t)size, memory_order_relaxed);

	if (before >= LITTLE && before - (int64_t)size < LITTLE &&
	    atomic_exchange(&kept->much, false))
		give_memory_back();
}
