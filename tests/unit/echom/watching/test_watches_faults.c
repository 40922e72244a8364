/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Watches for which something runs out: another list is in force as a whole, or not at all. */

#include "config.h"

#include "unit/faults.h"
#include "unit/log_lines.h"
#include "unit/watches_scene.h"

#define LAZY "[defaults]\ninterval = 1h\n"
#define FAST "[defaults]\ninterval = 10ms\ntimeout = 1m\n"
#define ONE "[target one]\naddress = 127.0.0.1:9\n"
#define TWO "[target two]\naddress = 127.0.0.1:9\n"
#define THREE "[target three]\naddress = 127.0.0.1:9\nprotocol = stamp\nflows = 2\n"

TEST_CASE("watches_faults", set_up_watches, tear_down_watches);

TEST(without_memory_there_are_none)
{
	struct watches *none = NULL;
	unsigned skip = 0;

	for (; !none; skip++) {
		int lowest = fault_lowest_fd();
		long blocks;

		fault_after(skip, MEMORY, ENOMEM);
		none = watches_new(base);
		(void)fault_over();
		blocks = fault_blocks();
		ck_assert(none != NULL || (blocks == 0 && fault_lowest_fd() == lowest));
	}
	ck_assert_uint_gt(skip, 3);
	watches_free(none);
	watches_free(NULL);
}

TEST(another_list_without_memory_leaves_what_there_is)
{
	struct watchlist *before = list_of(LAZY TWO ONE), *next = list_of(LAZY THREE ONE);
	unsigned refused = 0;
	bool failed = true;

	for (unsigned skip = 0; failed; skip++) {
		struct watch *kept;
		int result;

		ck_assert_int_eq(watches_set(watches, before), 0);
		kept = watches->items[1];
		kept->counts.sent = 7;
		fault_after(skip, MEMORY, ENOMEM);
		result = watches_set(watches, next);
		failed = fault_over();
		ck_assert_uint_eq(watches->count, 2);
		for (size_t i = 0; i < 2; i++)
			ck_assert_ptr_eq(watches->items[i]->list, result < 0 ? before : next);
		if (result < 0)
			ck_assert(watches->items[0] == kept || watches->items[1] == kept);
		else
			ck_assert_ptr_eq(watches->items[1], kept);
		ck_assert_uint_eq(kept->counts.sent, 7);
		refused += result < 0;
	}
	ck_assert_uint_ge(refused, 8);
	watchlist_release(before);
	watchlist_release(next);
}

TEST(their_rate_is_that_of_the_list_in_force)
{
	struct watchlist *next = list_of(LAZY ONE);

	watch(FAST ONE TWO "[target slow]\naddress = 127.0.0.1:9\ninterval = 500ms\n");
	ck_assert_uint_eq(watches->rate, 202);
	fault_next(MEMORY, ENOMEM);
	ck_assert_int_eq(watches_set(watches, next), -1);
	(void)fault_over();
	ck_assert_uint_eq(watches->rate, 202);
	watchlist_release(next);
	watch(LAZY ONE);
	ck_assert_uint_eq(watches->rate, 0);
}

static struct watch *begin(const char *settings)
{
	struct watch *one;

	watch(settings);
	one = watches->items[0];
	while (one->counts.sent == 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	return one;
}

static void turn_until_failed(const char *call, int error)
{
	do {
		fault_next(call, error);
		(void)event_base_loop(base, EVLOOP_ONCE);
	} while (!fault_over());
}

static void expect_balance(const struct watch *one)
{
	ck_assert_uint_eq(one->counts.sent,
			  one->counts.received + one->counts.lost + flow_waiting(&one->flow));
}

TEST(a_probe_that_cannot_be_sent_is_lost)
{
	struct watch *one = begin(FAST ONE);
	uint64_t lost = one->counts.lost;

	do {
		fault_next_times(2, "send", ENOBUFS);
		(void)event_base_loop(base, EVLOOP_ONCE);
	} while (!fault_over());
	ck_assert_uint_gt(one->counts.lost, lost);
	expect_balance(one);
}

TEST(a_socket_that_cannot_be_had_loses_the_probe)
{
	struct watch *one;

	watch(FAST ONE);
	one = watches->items[0];
	turn_until_failed("socket", EMFILE);
	ck_assert_uint_ge(one->counts.lost, 1);
	ck_assert_int_lt(one->ports[0].link.fd, 0);
	while (one->ports[0].link.fd < 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	expect_balance(one);
}

TEST(a_name_that_there_is_no_memory_to_ask_for_is_asked_for_later)
{
	struct watch *one;

	watch(LAZY ONE);
	one = watches->items[0];
	while (one->request)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	one->due = one->resolve_due = 0;
	ck_assert_int_eq(events_arm(&one->timer, 0), 0);
	turn_until_failed(MEMORY, ENOMEM);
	ck_assert_ptr_null(one->request);
	ck_assert_uint_gt(one->resolve_due, 0);
}

TEST(no_more_probes_wait_than_are_remembered)
{
	struct watch *one = begin("[target one]\naddress = 127.0.0.1:9\n"
				  "interval = 10ms\ntimeout = 10ms\n");

	/* As if nothing had been given up for long. */
	one->flow.timeout = 3600 * NS_PER_S;
	while (flow_room(&one->flow) > 0)
		one->counts.sent += flow_send(&one->flow, clock_ns()) > 0;
	while (one->counts.lost == 0 || flow_room(&one->flow) > 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	expect_balance(one);
}

TEST(lines_about_outages_are_limited)
{
	static char settings[4096];
	const char *lines;
	size_t length = 0, count = 0;

	for (unsigned i = 0; i < 30; i++)
		length += (size_t)snprintf(
			settings + length, sizeof(settings) - length,
			"[target t%u]\naddress = 127.0.0.1:9\ninterval = 10ms\ntimeout = 10ms\n",
			i);
	log_lines_begin(LEVEL_NOTICE);
	watch(settings);
	while (watches_down(watches) < 30)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	lines = log_lines();
	for (const char *line = lines; (line = strstr(line, ": down: ")); line++)
		count++;
	log_lines_end();
	ck_assert_uint_ge(count, 20);
	ck_assert_uint_lt(count, 30);
}
