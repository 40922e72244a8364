/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What --json prints: nothing but objects of the documented schema, and books that balance. */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"

static double sum_of(const char *text, const char *name)
{
	return json_get(text, "summary", name);
}

static void expect_balance(const char *text)
{
	ck_assert_double_eq(sum_of(text, "sent"), sum_of(text, "received") + sum_of(text, "lost"));
	ck_assert_double_le(sum_of(text, "late"), sum_of(text, "lost"));
	ck_assert_double_le(sum_of(text, "corrupt") + sum_of(text, "truncated"),
			    sum_of(text, "received"));
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
	ck_assert_double_eq(sum_of(text, "sent"), 4);
	ck_assert_double_eq(sum_of(text, "loss_percent"), 0);
	ck_assert_double_le(sum_of(text, "rtt_us.min"), sum_of(text, "rtt_us.p50"));
	ck_assert_double_le(sum_of(text, "rtt_us.p999"), sum_of(text, "rtt_us.max"));
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
	ck_assert_double_eq(sum_of(text, "loss_percent"), 100);
	ck_assert_double_eq(sum_of(text, "refused"), 1);
	expect_balance(text);
}

static const struct {
	const char *type;
	const char *count; /* in the summary */
	struct faulty faulty;
} faults[] = {
	{"corrupt", "corrupt", {.datagram = true, .fault = FAULT_FLIP, .at = 2, .offset = 50}},
	{"corrupt", "corrupt", {.size = 64, .fault = FAULT_FLIP, .at = 2, .offset = 50}},
	{"corrupt", "corrupt", {.size = 64, .greeting = "hello"}},
	{"corrupt", "corrupt", {.datagram = true, .fault = FAULT_LONGER, .at = 2}},
	{"truncated", "truncated", {.datagram = true, .fault = FAULT_TRUNCATE, .at = 2}},
	{"truncated", "truncated", {.size = 64, .fault = FAULT_CLOSE, .at = 2, .offset = 9}},
	{"duplicate", "duplicates", {.datagram = true, .fault = FAULT_DUPLICATE, .at = 2}},
	{"lost", "lost", {.datagram = true, .fault = FAULT_DROP, .at = 2}},
	{"late", "late", {.datagram = true, .fault = FAULT_DELAY, .at = 2, .delay_ms = 1500}},
};

TEST_EACH(each_fault_has_its_object_and_its_count, ARRAY_SIZE(faults))
{
	const bool late = faults[_i].faulty.fault == FAULT_DELAY;
	const bool waits = late || faults[_i].faulty.fault == FAULT_DROP;
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", faults[_i].faulty.datagram ? "-u" : "-v", "--json",
				     "-c", late ? "50" : "9", "-i", late ? "50ms" : "20ms", "-W",
				     waits ? "1s" : "20s", faulty_start(&faults[_i].faulty)));
	const char *text = echoc.output;

	ck_assert_uint_ge(json_check(text), 11);
	ck_assert_uint_ge(json_count(text, faults[_i].type), 1);
	ck_assert_double_ge(sum_of(text, faults[_i].count), 1);
	expect_balance(text);
}

TEST(a_report_is_an_interval)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-u", "--json", "-q", "-c", "30", "-i", "20ms",
				     "--report", "100ms", FAULTY(.datagram = true)));

	ck_assert_uint_ge(json_check(echoc.output), 4);
	ck_assert_uint_ge(json_count(echoc.output, "interval"), 2);
	ck_assert_uint_eq(json_count(echoc.output, "reply"), 0);
	ck_assert_double_eq(sum_of(echoc.output, "sent"), 30);
}

static double sum_of_intervals(const char *text, const char *name)
{
	double sum = 0;

	for (; (text = strstr(text, "{\"type\":\"interval\"")) != NULL; text++)
		sum += json_get(text, "interval", name);
	return sum;
}

TEST(a_bench_has_rates)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", "--json", "-c", "2", "-d", "1100ms",
						  FAULTY(.fault = FAULT_NONE)));
	const char *text = echoc.output;

	ck_assert_int_eq(echoc.status, 0);
	ck_assert_uint_ge(json_check(text), 3);
	ck_assert_uint_ge(json_count(text, "interval"), 1);
	ck_assert_double_eq(sum_of_intervals(text, "sent"), sum_of(text, "sent"));
	ck_assert_double_eq(sum_of_intervals(text, "received"), sum_of(text, "received"));
	ck_assert_double_gt(sum_of(text, "messages_per_s"), 0);
	ck_assert_double_eq_tol(sum_of(text, "bytes_per_s"), 64 * sum_of(text, "messages_per_s"),
				64);
	ck_assert_double_ge(sum_of(text, "duration_s"), 1.1);
	ck_assert_double_le(sum_of(text, "duration_s"), sum_of(text, "elapsed_s"));
	ck_assert_double_eq(sum_of(text, "connections"), 2);
	expect_balance(text);
}

TEST(a_send_counts_bytes)
{
	struct faulty good = {0};
	struct faulty bad = {.fault = FAULT_FLIP, .offset = 2};
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("send", "--json", faulty_start(&good), "hello", "world"));

	ck_assert_int_eq(echoc.status, 0);
	ck_assert_uint_eq(json_check(echoc.output), 2);
	ck_assert_double_eq(sum_of(echoc.output, "sent"), 11);
	ck_assert_double_eq(sum_of(echoc.output, "received"), 11);
	echoc = echoc_run(ECHOC_ARGS("send", "--json", faulty_start(&bad), "hello"));
	ck_assert_int_eq(echoc.status, 1);
	ck_assert_uint_eq(json_check(echoc.output), 3);
	ck_assert_double_eq(json_get(echoc.output, "corrupt", "offset"), 2);
	ck_assert(json_is(echoc.output, "corrupt", "expected", "\"6c\""));
	ck_assert(json_is(echoc.output, "corrupt", "got", "\"6d\""));
	ck_assert_double_eq(sum_of(echoc.output, "corrupt"), 1);
}
