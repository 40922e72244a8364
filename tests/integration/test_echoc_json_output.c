/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What --json prints: nothing but objects of the documented schema, and books that balance. */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"

static void expect_balance(const struct echoc *echoc)
{
	ck_assert_double_eq(sum_of(echoc, "sent"),
			    sum_of(echoc, "received") + sum_of(echoc, "lost"));
	ck_assert_double_le(sum_of(echoc, "late"), sum_of(echoc, "lost"));
	ck_assert_double_le(sum_of(echoc, "corrupt") + sum_of(echoc, "truncated"),
			    sum_of(echoc, "received"));
}

TEST(a_ping_is_start_replies_summary)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-u", "--json", "-c", "4", "-i", "10ms", "-W", "20s",
				     "-s", "100", FAULTY(.datagram = true)));
	const char *text = echoc.output;

	ck_assert_uint_eq(json_check(text), 6);
	ck_assert_ptr_eq(strstr(text, "{\"type\":\"start\","), text);
	ck_assert_uint_eq(json_count(text, "reply"), 4);
	ck_assert(json_is(text, "start", "protocol", "\"udp\""));
	ck_assert(json_is(text, "start", "report_ms", "null"));
	ck_assert_double_eq(json_get(text, "start", "size"), 100);
	ck_assert_double_eq(json_get(text, "start", "interval_ms"), 10);
	ck_assert_double_eq(json_get(text, "start", "count"), 4);
	ck_assert_double_eq(json_get(text, "reply", "seq"), 1);
	ck_assert_double_eq(json_get(text, "reply", "bytes"), 100);
	ck_assert_double_eq(json_get(text, "reply", "ttl"), 64);
	ck_assert_double_gt(json_get(text, "reply", "rtt_us"), 0);
	ck_assert_double_eq(sum_of(&echoc, "sent"), 4);
	ck_assert_double_eq(sum_of(&echoc, "loss_percent"), 0);
	ck_assert_double_le(sum_of(&echoc, "rtt_us.min"), sum_of(&echoc, "rtt_us.p50"));
	ck_assert_double_le(sum_of(&echoc, "rtt_us.p999"), sum_of(&echoc, "rtt_us.max"));
	ck_assert_double_gt(sum_of(&echoc, "jitter_us"), 0);
	ck_assert_str_eq(echoc.errors, "");
}

TEST(nothing_measured_is_null)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-u", "--json", "-c", "1", closed_port()));
	const char *text = echoc.output;

	ck_assert_uint_eq(json_check(text), 3);
	ck_assert_uint_eq(json_count(text, "lost"), 1);
	ck_assert(json_is(text, "summary", "rtt_us.min", "null"));
	ck_assert(json_is(text, "summary", "rtt_us.p999", "null"));
	ck_assert(json_is(text, "summary", "jitter_us", "null"));
	ck_assert_double_eq(sum_of(&echoc, "loss_percent"), 100);
	ck_assert_double_eq(sum_of(&echoc, "refused"), 1);
	expect_balance(&echoc);
}

static double sum_of_intervals(const char *text, const char *name)
{
	double sum = 0;

	for (; (text = strstr(text, "{\"type\":\"interval\"")) != NULL; text++)
		sum += json_get(text, "interval", name);
	return sum;
}

/* Not of all the time so far. */
TEST(a_report_is_an_interval)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-u", "--json", "-q", "-c", "30", "-i", "20ms",
				     "--report", "100ms", FAULTY(.datagram = true)));

	ck_assert_uint_ge(json_check(echoc.output), 4);
	ck_assert_uint_ge(json_count(echoc.output, "interval"), 2);
	ck_assert_uint_eq(json_count(echoc.output, "reply"), 0);
	ck_assert_double_eq(sum_of(&echoc, "sent"), 30);
	ck_assert_double_le(sum_of_intervals(echoc.output, "sent"), 30);
}

TEST(a_bench_has_rates)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", "--json", "-c", "2", "-d", "1100ms",
						  FAULTY(.fault = FAULT_NONE)));
	const char *text = echoc.output;

	ck_assert_int_eq(echoc.status, 0);
	ck_assert_uint_ge(json_check(text), 3);
	ck_assert_uint_ge(json_count(text, "interval"), 1);
	ck_assert_double_eq(sum_of_intervals(text, "sent"), sum_of(&echoc, "sent"));
	ck_assert_double_eq(sum_of_intervals(text, "received"), sum_of(&echoc, "received"));
	ck_assert_double_gt(sum_of(&echoc, "messages_per_s"), 0);
	ck_assert_double_eq_tol(sum_of(&echoc, "bytes_per_s"),
				64 * sum_of(&echoc, "messages_per_s"), 64);
	ck_assert_double_ge(sum_of(&echoc, "duration_s"), 1.1);
	ck_assert_double_le(sum_of(&echoc, "duration_s"), sum_of(&echoc, "elapsed_s"));
	ck_assert_double_eq(sum_of(&echoc, "connections"), 2);
	ck_assert_double_eq(sum_of(&echoc, "tcp.connections"), 2);
	ck_assert_double_gt(sum_of(&echoc, "tcp.rtt_us"), 0);
	ck_assert_double_eq(sum_of(&echoc, "rtt_buckets_ns"), sum_of(&echoc, "received"));
	ck_assert_double_gt(sum_of(&echoc, "jitter_us"), 0);
	expect_balance(&echoc);
}

TEST(a_send_counts_bytes)
{
	struct faulty good = {0};
	struct faulty bad = {.fault = FAULT_FLIP, .offset = 2};
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("send", "--json", faulty_start(&good), "hello", "world"));

	ck_assert_int_eq(echoc.status, 0);
	ck_assert_uint_eq(json_check(echoc.output), 2);
	ck_assert_double_eq(sum_of(&echoc, "sent"), 11);
	ck_assert_double_eq(sum_of(&echoc, "received"), 11);
	echoc = echoc_run(ECHOC_ARGS("send", "--json", faulty_start(&bad), "hello"));
	ck_assert_int_eq(echoc.status, 1);
	ck_assert_uint_eq(json_check(echoc.output), 3);
	ck_assert_double_eq(json_get(echoc.output, "corrupt", "offset"), 2);
	ck_assert(json_is(echoc.output, "corrupt", "expected", "\"6c\""));
	ck_assert(json_is(echoc.output, "corrupt", "got", "\"6d\""));
	ck_assert_double_eq(sum_of(&echoc, "corrupt"), 1);
}
