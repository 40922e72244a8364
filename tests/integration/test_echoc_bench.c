/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echoc bench: against a real echod over everything it serves, and against servers that are late
 * or gone.
 */

#include "config.h"

#include <net/if.h>
#include <sys/ioctl.h>

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"
#include "integration/process.h"

#define DURATION "120ms"
#define DURATION_S 0.12

static void expect_clean(const struct echoc *echoc)
{
	EXPECT(echoc, 0, NULL);
	ck_assert_double_gt(sum_of(echoc, "received"), 0);
	ck_assert_double_eq(sum_of(echoc, "received"), sum_of(echoc, "sent"));
	ck_assert_double_eq(sum_of(echoc, "duplicates"), 0);
	ck_assert_double_eq(sum_of(echoc, "unsent"), 0);
}

static const char *const clean_runs[][12] = {
	{"-c", "3"},
	{"-c", "4", "-p", "16", "-j", "2"},
	{"-c", "2", "-s", "1m", "-p", "3"},
	{"-s", "16m"},
	{"-s", "32", "-p", "1000"},
	{"-s", "8191", "-p", "4"},
	{"-u", "-c", "3"},
	{"-u", "-c", "4", "-p", "16", "-j", "2"},
	{"-u", "-s", "65507"},
	{"-u", "-g"},
	{"-u", "-g", "-c", "3", "-j", "2", "-s", "1024"},
	{"-u", "-g", "-s", "65507"},
	{"-u", "-g", "-c", "2", "-p", "100", "-s", "1400"},
	{"-r", "2000", "-c", "3", "-j", "2"},
	{"-u", "-r", "2000", "-c", "3"},
	{"-u", "-g", "-r", "5000"},
	{"--busy", "-c", "3", "-j", "2"},
	{"-u", "--busy", "-r", "2000"},
};

static void run_bench(const char *const *options, const char *target, struct echoc *echoc)
{
	const char *arguments[24] = {"echoc", "bench", "--json", "-d", DURATION};
	size_t count = 5;

	while (*options)
		arguments[count++] = *options++;
	arguments[count] = target;
	*echoc = echoc_run(arguments);
	if (echoc->status != 2)
		(void)json_check(echoc->output);
}

TEST_EACH(every_message_comes_back_from_echod, ARRAY_SIZE(clean_runs))
{
	struct echod *echod = echod_start("[listener e]\n"
					  "address = 127.0.0.1:0\n"
					  "udp_rate = 0\n");
	char target[64];
	struct echoc echoc;

	/* It says so where the kernel's limits are too small for trains without a loss. */
	if (strcmp(clean_runs[_i][1], "-g") == 0 && echod_log_count(echod, "net.core.rmem_max") > 0)
		skip("net.core.rmem_max is too small for trains");
	snprintf(target, sizeof(target), "127.0.0.1:%u", port_of(echod));
	run_bench(clean_runs[_i], target, &echoc);
	expect_clean(&echoc);
}

TEST(unix_sockets_work_in_every_mode)
{
	struct echod *echod = echod_start("[listener s]\n"
					  "address = unix:@DIR@/stream\n"
					  "[listener d]\n"
					  "address = unixgram:@DIR@/datagram\n");
	const char *names[] = {"unix:", "unixgram:"};
	const char *paths[] = {"stream", "datagram"};

	for (unsigned i = 0; i < 2; i++) {
		char target[200];
		struct echoc echoc;

		snprintf(target, sizeof(target), "%s%s", names[i], echod_path(echod, paths[i]));
		run_bench((const char *const[]){"-c", "2", "-p", "4", NULL}, target, &echoc);
		expect_clean(&echoc);
		echoc = echoc_run(ECHOC_ARGS("ping", "-c", "2", "-i", "10ms", "-W", "20s", target));
		EXPECT(&echoc, 0, "2 sent, 2 received");
		echoc = echoc_run(ECHOC_ARGS("send", target, "hello"));
		EXPECT(&echoc, 0, "hello");
	}
}

/* A short one at each end of the schedule: as many as RATE and duration say, and no drift. */
TEST_EACH(a_schedule_sends_as_many_as_are_due, 2)
{
	struct echoc echoc;

	run_bench((const char *const[]){"-r", "1000", "-c", "3", _i == 1 ? "-u" : NULL, NULL},
		  FAULTY(.datagram = _i == 1), &echoc);
	EXPECT(&echoc, 0, NULL);
	ck_assert_double_eq(sum_of(&echoc, "sent"), 1000 * DURATION_S);
	ck_assert_double_eq(json_get(echoc.output, "start", "rate"), 1000);
}

/*
 * A server that stalls for 150 ms delays every message that was due meanwhile, not just one.
 */
TEST(latency_counts_from_when_a_message_was_due)
{
	struct echoc echoc;

	run_bench((const char *const[]){"-r", "1000", NULL},
		  FAULTY(.size = 64, .fault = FAULT_DELAY, .at = 50, .delay_ms = 150), &echoc);
	EXPECT(&echoc, 0, NULL);
	ck_assert_double_ge(sum_of(&echoc, "rtt_us.max"), 145000);
	ck_assert_double_ge(sum_of(&echoc, "rtt_us.p90"), 75000);
}

/* With the next of 16 sent for each reply thousands overtake it, whose place it keeps. */
TEST(a_reply_in_time_is_not_lost_because_others_were_faster)
{
	struct echoc echoc;

	run_bench((const char *const[]){"-u", "-p", "16", NULL},
		  FAULTY(.datagram = true, .fault = FAULT_DELAY, .at = 1, .delay_ms = 200), &echoc);
	expect_clean(&echoc);
	ck_assert_double_eq(sum_of(&echoc, "unexpected"), 0);
	ck_assert_double_eq(sum_of(&echoc, "late"), 0);
}

TEST(what_was_due_while_the_server_was_gone_is_lost)
{
	struct echoc echoc;

	run_bench((const char *const[]){"-r", "1000", NULL},
		  FAULTY(.size = 64, .fault = FAULT_CLOSE, .at = 5, .offset = 64, .connections = 1),
		  &echoc);
	EXPECT(&echoc, 1, NULL);
	ck_assert_double_eq(sum_of(&echoc, "sent"), 1000 * DURATION_S);
	ck_assert_double_eq(sum_of(&echoc, "received"), 5);
	ck_assert_double_eq(sum_of(&echoc, "unsent"), 0);
}

TEST(the_end_is_a_table_and_a_histogram_without_a_live_line)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "-d", "1100ms", FAULTY(.fault = FAULT_NONE)));

	EXPECT(&echoc, 0, "messages/s", "MB/s", "p99.9", "echoc used ", " of 1 core");
	ck_assert_ptr_null(strchr(echoc.output, '\033'));
	ck_assert_ptr_null(strchr(echoc.output, '\r'));
}

TEST(much_loss_at_a_high_rate_ends_with_a_hint)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", "-u", "-r", "1000", "-d", "400ms",
						  FAULTY(.datagram = true, .fault = FAULT_DROP)));

	EXPECT(&echoc, 1, "Hint", "udp_rate");
}

TEST(a_refused_port_is_no_matter_of_a_rate)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", "-ug", "-d", "400ms", closed_port()));

	EXPECT(&echoc, 1, "refused: nothing listens there");
	ck_assert_ptr_null(strstr(echoc.output, "Hint"));
}

TEST(interrupt_ends_a_bench_with_its_summary)
{
	struct echoc echoc =
		echoc_start(ECHOC_ARGS("bench", "--json", "-d", "1h", FAULTY(.fault = FAULT_NONE)));

	echoc_await(&echoc, "{\"type\":\"start\"");
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, "{\"type\":\"summary\"");
	ck_assert_double_lt(sum_of(&echoc, "duration_s"), 60);
}

/* The last reply may have come long before, or none at all. */
TEST(an_interrupted_bench_is_measured_until_the_signal)
{
	struct echoc echoc = echoc_start(ECHOC_ARGS("bench", "-u", "--json", "-d", "1h",
						    FAULTY(.datagram = true, .fault = FAULT_DROP)));

	echoc_await(&echoc, "{\"type\":\"interval\"");
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 1, "{\"type\":\"summary\"");
	ck_assert_double_ge(sum_of(&echoc, "duration_s"), 1);
}

static void lower_mtu(void)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_mtu = 1000};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_eq(ioctl(fd, SIOCSIFMTU, &loopback), 0);
	close(fd);
}

/* A device that carries less than a probe in one piece cannot cut trains of them. */
TEST(without_trains_datagrams_are_sent_one_at_a_time)
{
	const char *target;
	struct echoc echoc;

	need_own_network();
	lower_mtu();
	target = FAULTY(.datagram = true);
	run_bench((const char *const[]){"-u", "-g", "-p", "4", "-s", "1400", NULL}, target, &echoc);
	expect_clean(&echoc);
	EXPECT_ERRORS(&echoc, 0, "UDP GSO unavailable: datagrams sent one at a time");
}

static void leave_two_ports(void)
{
	FILE *range = fopen("/proc/sys/net/ipv4/ip_local_port_range", "w");

	if (!range)
		skip("the ports of this network cannot be made fewer");
	ck_assert_int_gt(fputs("1030 1031", range), 0);
	ck_assert_int_eq(fclose(range), 0);
}

TEST(ports_that_are_all_in_use_are_reported)
{
	const char *target;
	struct echoc echoc;

	need_own_network();
	target = FAULTY(.size = 64);
	leave_two_ports();
	echoc = echoc_run(ECHOC_ARGS("bench", "-c", "5", target));
	EXPECT_ERRORS(&echoc, 2, "no free local port");
	echoc = echoc_run(ECHOC_ARGS("bench", "-I", "127.0.0.1", "-c", "5", target));
	EXPECT_ERRORS(&echoc, 2, "or it has no free port");
	echoc = echoc_run(ECHOC_ARGS("bench", "-I", "192.0.2.1", target));
	EXPECT_ERRORS(&echoc, 2, "not an address of this host");
}
