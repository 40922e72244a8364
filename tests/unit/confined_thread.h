/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a thread gives up for ever, another one still has: tests of a sandbox run in a thread of
 * their own, so that the test can end as any other.
 */

#pragma once

#include <pthread.h>

#include "support/test.h"

static inline void in_thread(void *(*confined)(void *))
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, confined, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
