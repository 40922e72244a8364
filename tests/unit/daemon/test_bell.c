/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Waking another thread, also where a filter of system calls refuses eventfds. */

#include "config.h"

#include "daemon/bell.h"

#include <event2/event.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "integration/harness.h"
#include "unit/faults.h"
#include "unit/log_lines.h"

static struct event_base *base;
static struct bell bell;
static int fd;
static unsigned heard;

static void on_heard(void *arg)
{
	ck_assert_ptr_eq(arg, &bell);
	heard++;
}

static void set_up(void)
{
	log_lines_begin(LEVEL_NOTICE);
	base = event_base_new();
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ck_assert_int_eq(bell_hang(&bell, base, fd, on_heard, &bell), 0);
}

static void tear_down(void)
{
	bell_remove(&bell);
	event_base_free(base);
	close(fd);
	log_lines_end();
}

static void turn(void)
{
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

TEST_CASE("bell", set_up, tear_down);

TEST(many_rings_are_heard_once)
{
	turn();
	ck_assert_uint_eq(heard, 0);
	for (int i = 0; i < 3; i++)
		bell_ring(fd);
	turn();
	turn();
	ck_assert_uint_eq(heard, 1);
	ck_assert_str_eq(log_lines(), "");
}

TEST_EACH(a_ring_that_is_not_there_yet_is_waited_for, 2)
{
	static const int errors[] = {EAGAIN, EINTR};

	bell_ring(fd);
	fault_next("read", errors[_i]);
	ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert(fault_over());
	ck_assert_uint_eq(heard, 0);
	turn();
	ck_assert_uint_eq(heard, 1);
	ck_assert_str_eq(log_lines(), "");
}

TEST(a_ring_that_cannot_be_read_is_heard_without_spinning)
{
	int64_t start = clock_ms();
	unsigned turns = 0;

	bell_ring(fd);
	fault_next_times(3, "read", EPERM);
	while (heard < 4) {
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
		turns++;
	}
	ck_assert(fault_over());
	/* Three pauses, each begun and ended, and the ring itself. */
	ck_assert_uint_le(turns, 8);
	ck_assert_int_ge(clock_ms() - start, 250);
	ck_assert_ptr_nonnull(strstr(log_lines(), "cannot read an eventfd, by which threads wake "
						  "each other: Operation not permitted"));
	turn();
	ck_assert_uint_eq(heard, 4);
}

TEST(without_memory_the_pause_lasts_longer)
{
	bell_ring(fd);
	fault_next("read", EPERM);
	turn();
	ck_assert(fault_over());
	fault_next(MEMORY, ENOMEM);
	ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert(fault_over());
	WAIT_UNTIL(event_base_loop(base, EVLOOP_NONBLOCK) >= 0 && heard == 2);
}

TEST(a_ring_that_is_refused_is_logged_once)
{
	ck_assert(!bell_ring(-1));
	ck_assert(!bell_ring(-1));
	ck_assert_ptr_nonnull(strstr(log_lines(), "cannot write to an eventfd, by which threads "
						  "wake each other: Bad file descriptor"));
	bell_ring(-1);
	ck_assert_str_eq(log_lines(), "");
}

TEST(a_bell_that_was_never_hung_can_be_removed)
{
	struct bell none = {0};

	bell_remove(&none);
}
