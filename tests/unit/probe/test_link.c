/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* How a link connects: when, how often, and what it reports. */

#include "config.h"

#include "unit/link_scene.h"

TEST_CASE("connecting", set_up, tear_down);

TEST(a_link_that_was_not_made_is_cleared)
{
	struct link none = {.fd = 0, .max_attempts = 1};

	link_clear(&none);
	ck_assert_int_ge(fcntl(0, F_GETFD), 0);
}

TEST(no_memory_for_attempts)
{
	struct link other = link_;

	fault_next(MEMORY, ENOMEM);
	ck_assert_int_eq(link_init(&other), -1);
	ck_assert(fault_over());
	ck_assert_int_eq(other.fd, -1);
	link_clear(&other);
}

TEST(the_first_connection_is_no_reconnect)
{
	ck_assert(!link_is_connecting(&link_));
	stream_count_unexpected(&link_.stream);
	ck_assert_uint_eq(books.unexpected, 0);
	link_connect(&link_, 0);
	ck_assert(link_is_connecting(&link_));
	ck_assert_int_eq(link_.fd, -1);
	connected();
	ck_assert_int_ge(link_.fd, 0);
	ck_assert(!link_.heard);
	ck_assert_uint_eq(books.reconnects, 0);
	link_.heard = true;
	link_close(&link_);
	link_close(&link_);
	ck_assert_int_eq(link_.fd, -1);
	connect_at(1);
	ck_assert(!link_.heard);
	expect("reconnected; up; ");
	ck_assert_uint_eq(books.reconnects, 1);
}

TEST(the_user_is_called_for_what_comes)
{
	connected();
	run();
	expect("");
	ck_assert_int_eq(write(peers[0], "x", 1), 1);
	ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	expect("readable; ");
	run(); /* still: nobody has read it */
	expect("readable; ");
	link_close(&link_);
	run();
	expect("");
}

TEST(a_refused_connection_loses_what_waits)
{
	static const enum outcome refusals[] = {REFUSED_AT_ONCE, REFUSED};

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		outcome = refusals[i];
		flow_send(&flow, 0);
		flow_send(&flow, 0);
		connect_at(i);
		ck_assert_int_eq(link_.fd, -1);
		ck_assert_uint_eq(begun, i + 1);
	}
	expect("cannot connect: refused; lost 1, not connected; lost 2, not connected; "
	       "cannot connect: refused; lost 3, not connected; lost 4, not connected; ");
}

/* As after echoc <&-. */
TEST(a_socket_may_be_descriptor_0)
{
	int saved;

	link_clear(&link_);
	start_with(3);
	saved = dup(STDIN_FILENO);
	close(STDIN_FILENO);
	as_stdin = true;
	link_connect(&link_, 0);
	link_connect(&link_, 49);
	ck_assert_uint_eq(begun, 1);
	outcome = HANGS;
	link_connect(&link_, 50);
	ck_assert_int_eq(link_.attempts[0].fd, STDIN_FILENO);
	while (link_.fd < 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	expect("connected; up; ");
	ck_assert_int_eq(link_.fd, STDIN_FILENO);
	link_close(&link_);
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), -1);
	outcome = CONNECTS;
	link_connect(&link_, 100);
	outcome = HANGS;
	link_connect(&link_, 200);
	ck_assert_uint_eq(begun, 4);
	link_stop_connecting(&link_);
	ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), -1);
	expect("cannot connect: timeout; ");
	ck_assert_int_eq(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
	as_stdin = false;
}

TEST(without_a_listener_for_notes)
{
	struct link_user silent = user;

	silent.note = NULL;
	link_.user = &silent;
	connect_at(0);
	expect("up; ");
}

TEST(an_attempt_has_its_patience)
{
	outcome = HANGS;
	link_connect(&link_, 10);
	link_connect(&link_, 109);
	ck_assert_uint_eq(begun, 1);
	expect("");
	outcome = CONNECTS;
	connect_at(110);
	ck_assert_uint_eq(begun, 2);
	expect("cannot connect: timeout; connected; up; ");
}

TEST(attempts_are_spread_over_the_patience)
{
	static const uint64_t times[] = {10, 59, 60, 109, 110, 111, 160};
	static const unsigned counts[] = {1, 1, 2, 2, 3, 3, 4};

	link_clear(&link_);
	start_with(3);
	outcome = HANGS;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		link_connect(&link_, times[i]);
		ck_assert_uint_eq(begun, counts[i]);
	}
	/* The first at 110, the second at 160. */
	expect("cannot connect: timeout; cannot connect: timeout; ");
	link_stop_connecting(&link_);
	ck_assert(!link_is_connecting(&link_));
}

/* The first is refused, and then the third: the second may still be answered. */
TEST(what_waits_is_lost_with_the_last_attempt)
{
	link_clear(&link_);
	start_with(3);
	flow_send(&flow, 0);
	outcome = REFUSED;
	link_connect(&link_, 0);
	outcome = HANGS;
	link_connect(&link_, 50);
	while (events[0] == '\0')
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert(link_is_connecting(&link_));
	outcome = REFUSED_AT_ONCE;
	link_connect(&link_, 99);
	link_connect(&link_, 100);
	expect("cannot connect: refused; cannot connect: refused; ");
	link_connect(&link_, 150);
	expect("cannot connect: timeout; cannot connect: refused; lost 1, not connected; ");
	ck_assert_uint_eq(begun, 4);
}

TEST(the_first_that_connects_ends_the_others)
{
	link_clear(&link_);
	start_with(3);
	outcome = HANGS;
	link_connect(&link_, 0);
	outcome = CONNECTS;
	link_connect(&link_, 50);
	while (link_.fd < 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert(!link_is_connecting(&link_));
	ck_assert_uint_eq(begun, 2);
	expect("connected; up; ");
}

/* Neither for the event of an attempt nor for that of the connection. */
TEST(no_memory_for_a_connection)
{
	flow_send(&flow, 0);
	fault_next(MEMORY, ENOMEM);
	link_connect(&link_, 0);
	ck_assert(fault_over());
	expect("cannot connect: memory; lost 1, not connected; ");
	ck_assert(!link_is_connecting(&link_));
	fault_after(1, MEMORY, ENOMEM);
	link_connect(&link_, 100);
	while (link_is_connecting(&link_))
		(void)event_base_loop(base, EVLOOP_ONCE);
	ck_assert(fault_over());
	expect("cannot connect: memory; ");
	ck_assert_int_eq(link_.fd, -1);
	connect_at(200);
	expect("reconnected; up; ");
}
