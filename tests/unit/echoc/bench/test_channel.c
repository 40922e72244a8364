/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A connection of a bench that the server takes no part in, closes, or does not answer. */

#include "config.h"

#include <event2/event.h>

#include "base/clock.h"
#include "echoc/bench/channel.h"
#include "integration/faulty_server.h"
#include "probe/target.h"
#include "support/test.h"

#define SIZE 64
#define PATIENCE 1000
#define RATE 10

static struct target target;
static struct lane lane;
static struct channel channel;
static int server; /* the other end */

static void start(void)
{
	const struct target_options options = {.name = deaf_port()};
	struct reason reason;
	int pair[2];

	probe_prepare();
	ck_assert_int_eq(target_resolve(&target, &options, SIZE, &reason), 0);
	lane = (struct lane){
		.kind = &channel_tcp, .target = &target, .depth = 1, .patience = PATIENCE};
	lane.base = event_base_new();
	ck_assert_ptr_nonnull(lane.base);
	ck_assert_int_eq(channel_tcp.prepare(&lane, SIZE), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	server = pair[1];
	ck_assert_int_eq(channel_init(&channel, &lane, pair[0], 77, SIZE, 16), 0);
}

static void end(void)
{
	channel_clear(&channel);
	event_base_free(lane.base);
	free(lane.in);
	free(lane.out);
	if (server >= 0)
		close(server);
}

TEST_CASE("channel", start, end);

TEST(a_connection_that_is_not_made_in_time_is_begun_again)
{
	const uint64_t begun = 5 * NS_PER_S;

	link_close(&channel.link);
	lane.sending = true;
	channel_tick(&channel, begun);
	ck_assert(link_is_connecting(&channel.link));
	channel_tick(&channel, begun + PATIENCE - 1);
	ck_assert_uint_eq(channel.link.tried, begun);
	channel_tick(&channel, begun + PATIENCE);
	ck_assert_uint_eq(channel.link.tried, begun + PATIENCE);
	ck_assert(link_is_connecting(&channel.link));
}

TEST(no_connection_is_waited_for_after_the_end)
{
	link_close(&channel.link);
	lane.sending = true;
	channel_tick(&channel, NS_PER_S);
	lane.sending = false;
	channel_tick(&channel, NS_PER_S + 1);
	ck_assert_int_eq(channel.link.fd, -1);
	ck_assert(!link_is_connecting(&channel.link));
}

/* A second of a schedule of which nothing was sent. */
static void end_schedule(void)
{
	lane.scheduled = true;
	channel.schedule =
		(struct schedule){.start = 1, .end = 1 + NS_PER_S, .rate = RATE, .count = 1};
	channel_end_schedule(&channel, 1 + NS_PER_S);
}

TEST_EACH(what_was_due_without_a_connection_is_lost, 2)
{
	link_close(&channel.link);
	if (_i == 1)
		link_connect(&channel.link, NS_PER_S);
	ck_assert(link_is_connecting(&channel.link) == (_i == 1));
	end_schedule();
	channel_finish(&channel);
	ck_assert(books_balance(&lane.books));
	ck_assert_uint_eq(lane.books.sent, RATE);
	ck_assert_uint_eq(lane.books.lost, RATE);
	ck_assert_uint_eq(lane.books.unsent, 0);
}

/* Also when it ends while the last replies are awaited. */
TEST(what_was_due_on_a_connection_is_unsent)
{
	end_schedule();
	link_close(&channel.link);
	channel_finish(&channel);
	ck_assert(books_balance(&lane.books));
	ck_assert_uint_eq(lane.books.sent, 0);
	ck_assert_uint_eq(lane.books.unsent, RATE);
}

TEST(what_came_unasked_before_the_end_counts_once)
{
	ck_assert_int_eq(write(server, "bye", 3), 3);
	close(server);
	server = -1;
	while (channel.link.fd >= 0)
		event_base_loop(lane.base, EVLOOP_ONCE);
	channel_finish(&channel);
	ck_assert_uint_eq(lane.books.unexpected, 1);
}

/* The second one is sent, in vain, before anybody has looked what there is to read. */
TEST(a_reply_counts_that_came_before_the_end)
{
	char message[SIZE];

	lane.sending = true;
	channel_fill(&channel, 1);
	ck_assert_int_eq(read(server, message, sizeof(message)), SIZE);
	ck_assert_int_eq(write(server, message, sizeof(message)), SIZE);
	close(server);
	server = -1;
	lane.depth = 2;
	channel_fill(&channel, 2);
	while (channel.link.fd >= 0)
		event_base_loop(lane.base, EVLOOP_ONCE);
	channel_finish(&channel);
	ck_assert(books_balance(&lane.books));
	ck_assert_uint_eq(lane.books.received, 1);
	ck_assert_uint_eq(lane.books.lost, 1);
}
