/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What becomes of probes, and of a link, when its connection is lost; and what it writes. */

#include "config.h"

#include "unit/link_scene.h"

TEST_CASE("losing", set_up, tear_down);

/* BYTES of a probe come back. */
static void come_back(uint64_t sequence, size_t bytes)
{
	struct probe probe = flow_probe(&flow, sequence);
	unsigned char data[SIZE];

	probe_write(&probe, 0, data, SIZE);
	link_feed(&link_, data, bytes);
}

static void send_probes(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		flow_send(&flow, 0);
}

TEST(a_reply_that_was_coming_is_lost_with_the_connection)
{
	connected();
	send_probes(3);
	come_back(1, SIZE);
	come_back(2, 10);
	ck_assert(link_.heard);
	outcome = HANGS;
	link_lost(&link_, ECONNREFUSED, 5);
	expect("reply 1: 64 bytes, whole; connection lost: refused; lost 2, connection lost after "
	       "10 of 64 bytes; "
	       "lost 3, connection lost; ");
	ck_assert_int_eq(link_.fd, -1);
	ck_assert(link_is_connecting(&link_));
	ck_assert_uint_eq(link_.stream.sequence, 4);
	ck_assert(books_balance(&books));
}

/* A byte is enough. What was settled before the next connection is not due on it. */
TEST(a_new_connection_follows_what_is_sent_on_it)
{
	connected();
	send_probes(1);
	come_back(1, 1);
	link_.heard = false;
	link_lost(&link_, 0, 5);
	expect("connection lost; lost 1, connection lost after 1 of 64 bytes; ");
	send_probes(2);
	outcome = REFUSED_AT_ONCE;
	link_connect(&link_, 6);
	outcome = CONNECTS;
	connect_at(7);
	expect("cannot connect: refused; lost 2, not connected; lost 3, not connected; "
	       "reconnected; up; ");
	send_probes(1);
	come_back(4, SIZE);
	expect("reply 4: 64 bytes, whole; ");
}

TEST(what_is_no_echo_is_called_so)
{
	connected();
	send_probes(1);
	link_.wanted = false;
	link_feed(&link_, (const unsigned char *)"220 hello", 9);
	link_lost(&link_, 0, 5);
	expect("connection lost; lost 1, connection lost after 9 bytes that are no echo; ");
	ck_assert_uint_eq(books.received + books.unexpected, 0);
}

/* Late is not cut: it was settled. */
TEST(a_probe_that_was_lost_is_not_settled_again)
{
	connected();
	send_probes(1);
	come_back(1, 10);
	flow_lose(&flow, 1);
	link_lost(&link_, 0, 5);
	expect("connection lost; ");
}

struct loss {
	bool heard, wanted;
	unsigned begun;
};

static const struct loss losses[] = {
	{true, true, 2}, {false, true, 1}, {true, false, 1}, {false, false, 1}};

TEST_EACH(connects_again_at_once_where_something_was_heard, ARRAY_SIZE(losses))
{
	connected();
	link_.heard = losses[_i].heard;
	link_.wanted = losses[_i].wanted;
	link_lost(&link_, 0, 5);
	ck_assert_uint_eq(begun, losses[_i].begun);
	expect("connection lost; ");
}

TEST_EACH(a_connection_is_given_up_with_a_reset, 2)
{
	connected();
	send_probes(2);
	link_.wanted = _i == 0;
	link_give_up(&link_, 5);
	expect("no reply within the timeout: connection given up; lost 1, connection given up; "
	       "lost 2, connection given up; ");
	ck_assert_int_eq(read(peers[0], &(char[1]){0}, 1), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert_uint_eq(begun, link_.wanted ? 2 : 1);
}

TEST(what_belongs_to_no_probe_is_counted_once)
{
	connected();
	link_feed(&link_, (const unsigned char *)"hello", 5);
	link_lost(&link_, 0, 5);
	ck_assert_uint_eq(books.unexpected, 1);
	ck_assert_uint_eq(stream_unexpected(&link_.stream), 0);
}

TEST_CASE("writing", set_up, tear_down);

TEST(a_new_connection_gets_what_waits)
{
	unsigned char scratch[4 * SIZE], got[4 * SIZE], wanted[SIZE];
	struct probe probe;

	send_probes(2);
	connected();
	ck_assert(link_flush(&link_, scratch, sizeof(scratch)));
	ck_assert_int_eq(read(peers[0], got, sizeof(got)), 2 * SIZE);
	for (unsigned i = 0; i < 2; i++) {
		probe = flow_probe(&flow, i + 1);
		probe_write(&probe, 0, wanted, SIZE);
		ck_assert_mem_eq(got + (size_t)i * SIZE, wanted, SIZE);
	}
}

TEST(a_closed_link_waits_for_nothing)
{
	unsigned char scratch[SIZE];

	send_probes(1);
	ck_assert_int_eq(link_open(&link_, silent_socket(&peers[0])), 0);
	ck_assert(!link_flush(&link_, scratch, sizeof(scratch)));
	link_close(&link_);
	ck_assert(!event_pending(&link_.writable, EV_WRITE, NULL));
}

TEST(the_user_hears_when_there_is_room_again)
{
	unsigned char scratch[SIZE];
	int ends[2];

	ends[0] = silent_socket(&ends[1]);
	peers[0] = ends[1];
	send_probes(1);
	ck_assert_int_eq(link_open(&link_, ends[0]), 0);
	ck_assert(!link_flush(&link_, scratch, sizeof(scratch)));
	run();
	expect("");
	while (read(ends[1], scratch, sizeof(scratch)) > 0)
		continue;
	run();
	expect("writable; ");
	ck_assert(link_flush(&link_, scratch, sizeof(scratch)));
	run(); /* once for each time it was asked for */
	expect("");
}
