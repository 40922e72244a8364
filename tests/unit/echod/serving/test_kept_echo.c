/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The bound on echo that is kept for all clients together, and that memory goes back. */

#include "config.h"

#include "echod/serving/kept_echo.h"

#include <pthread.h>

#include "integration/harness.h"

#define MIB (1024 * 1024)
#define MOST (512 * 1024)

static struct kept_echo kept;
static unsigned trims;

/* In the place of the library's. */
int malloc_trim(size_t pad);
int malloc_trim(size_t pad)
{
	ck_assert_uint_eq(pad, 0);
	trims++;
	return 1;
}

static int64_t size(void)
{
	return atomic_load(&kept.size);
}

TEST_EACH(a_client_alone_gets_whole_pieces, 4)
{
	static const size_t workers[] = {1, 2, 16, 64};

	kept_echo_init(&kept, workers[_i]);
	ck_assert_uint_eq(kept_echo_piece(&kept, MOST), MOST);
	kept_echo_add(&kept, MOST);
	ck_assert_uint_gt(kept_echo_piece(&kept, MOST), MOST * 9 / 10);
}

TEST(pieces_shrink_slowly_to_the_smallest)
{
	size_t piece, before = MOST;
	unsigned clients = 0;

	kept_echo_init(&kept, 2);
	while ((piece = kept_echo_piece(&kept, MOST)) > KEPT_SMALL) {
		ck_assert_uint_le(piece, before);
		ck_assert_uint_ge(piece, before * 9 / 10);
		kept_echo_add(&kept, piece);
		before = piece;
		clients++;
	}
	ck_assert_uint_gt(clients, 300);
	ck_assert_int_le(size(), KEPT_MAX);
	kept_echo_add(&kept, KEPT_MAX); /* any number of small ones changes nothing */
	ck_assert_uint_eq(kept_echo_piece(&kept, MOST), KEPT_SMALL);
}

#define THREADS 4

static pthread_barrier_t start;

static void *keep_all(void *arg)
{
	size_t piece;

	(void)arg;
	pthread_barrier_wait(&start);
	while ((piece = kept_echo_piece(&kept, MOST)) > KEPT_SMALL)
		kept_echo_add(&kept, piece);
	return NULL;
}

TEST(workers_together_never_keep_more)
{
	pthread_t threads[THREADS];

	ck_assert_int_eq(pthread_barrier_init(&start, NULL, THREADS), 0);
	for (int round = 0; round < 20; round++) {
		kept_echo_init(&kept, THREADS);
		for (int i = 0; i < THREADS; i++)
			ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_all, NULL), 0);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		ck_assert_int_le(size(), KEPT_MAX);
	}
	pthread_barrier_destroy(&start);
}

TEST(the_bound_holds_when_all_but_one_look_at_the_start)
{
	for (size_t workers = 1; workers <= 1024; workers *= 2) {
		size_t piece, first;

		kept_echo_init(&kept, workers);
		first = kept_echo_piece(&kept, MOST);
		while ((piece = kept_echo_piece(&kept, MOST)) > KEPT_SMALL)
			kept_echo_add(&kept, piece);
		kept_echo_add(&kept, (workers - 1) * first);
		ck_assert_int_le(size(), KEPT_MAX);
	}
}

TEST(memory_goes_back_once_after_much)
{
#ifndef HAVE_MALLOC_TRIM
	skip("this C library does not give memory back");
#endif
	kept_echo_init(&kept, 1);
	for (int i = 0; i < 100; i++) {
		kept_echo_add(&kept, 7 * MIB);
		kept_echo_release(&kept, 7 * MIB);
	}
	ck_assert_uint_eq(trims, 0);
	for (unsigned i = 1; i <= 2; i++) {
		kept_echo_add(&kept, 7 * MIB);
		kept_echo_add(&kept, 1 * MIB);
		kept_echo_release(&kept, 6 * MIB);
		ck_assert_uint_eq(trims, i - 1);
		kept_echo_release(&kept, 2 * MIB - 100);
		ck_assert_uint_eq(trims, i);
		kept_echo_release(&kept, 100);
		ck_assert_uint_eq(trims, i);
	}
	ck_assert_int_eq(size(), 0);
}
