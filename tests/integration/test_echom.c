/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echom against servers that do one thing wrong, and against none: what it counts, when it calls a
 * target down, what a reload keeps. In every scrape the books of every target balance.
 */

#include "config.h"

#include "integration/echom_run.h"
#include "integration/endpoint.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/held_server.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/program.h"
#include "integration/scenes.h"

TEST_CASE("echom", echom_set_up);

static const struct {
	const char *protocol;
	struct faulty faulty;
	const char *family; /* rises */
	const char *settings;
} faults[] = {
	{"udp", {.datagram = true}, "probes_received_total", ECHOM_PATIENT},
	{"tcp", {.size = 64}, "probes_received_total", ECHOM_PATIENT},
	{"udp", {.fault = FAULT_DROP, .datagram = true, .at = 2}, "probes_lost_total", ECHOM_FAST},
	{"tcp", {.fault = FAULT_DROP, .at = 2, .size = 64}, "probes_lost_total", ECHOM_FAST},
	{"udp",
	 {.fault = FAULT_FLIP, .datagram = true, .offset = 40},
	 "probes_corrupt_total",
	 ECHOM_PATIENT},
	{"tcp",
	 {.fault = FAULT_FLIP, .offset = 40, .size = 64},
	 "probes_corrupt_total",
	 ECHOM_PATIENT},
	{"udp",
	 {.fault = FAULT_TRUNCATE, .datagram = true, .offset = 50},
	 "probes_truncated_total",
	 ECHOM_PATIENT},
	{"udp",
	 {.fault = FAULT_DUPLICATE, .datagram = true},
	 "probes_duplicates_total",
	 ECHOM_PATIENT},
	{"udp",
	 {.fault = FAULT_DELAY, .datagram = true, .at = 2, .delay_ms = 400},
	 "probes_late_total",
	 ECHOM_FAST},
	{"udp",
	 {.fault = FAULT_REORDER, .datagram = true, .at = 2},
	 "probes_out_of_order_total",
	 ECHOM_PATIENT},
	{"tcp", {.fault = FAULT_CLOSE, .at = 2, .size = 64}, "reconnects_total", ECHOM_PATIENT},
	{"tcp", {.fault = FAULT_RESET, .at = 2, .size = 64}, "reconnects_total", ECHOM_PATIENT},
};

TEST_EACH(each_fault_is_counted_by_its_name, ARRAY_SIZE(faults))
{
	struct echod *echom = echom_watch(
		faulty_start(&faults[_i].faulty),
		echom_format("%sprotocol = %s\n", faults[_i].settings, faults[_i].protocol));

	WAIT_UNTIL(echom_figure(echom, faults[_i].family) > 0);
	echod_stop(echom);
}

TEST(a_target_that_answers_is_up)
{
	struct echod *echom = echom_watch(FAULTY(.datagram = true), ECHOM_PATIENT);
	const char *metrics;

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 3);
	metrics = endpoint_get(echom, "/metrics", NULL);
	ck_assert_double_eq(echom_figure_in(metrics, "up", "t"), 1);
	ck_assert_double_eq(echom_figure_in(metrics, "probes_lost_total", "t"), 0);
	ck_assert_double_eq(echom_figure_in(metrics, "outages_total", "t"), 0);
	ck_assert_double_gt(echom_figure_in(metrics, "rtt_min_seconds", "t"), 0);
	ck_assert_double_gt(echom_figure_in(metrics, "last_reply_timestamp_seconds", "t"), 1e9);
	ck_assert_double_gt(echom_figure_in(metrics, "rtt_seconds_sum", "t"), 0);
}

static const char *const protocols[] = {"udp", "tcp"};

TEST_EACH(a_target_that_refuses_is_down_and_in_an_outage, ARRAY_SIZE(protocols))
{
	struct echod *echom = echom_watch(
		closed_port(), echom_format(ECHOM_FAST "protocol = %s\n", protocols[_i]));
	const char *metrics;

	WAIT_UNTIL(echom_figure(echom, "outage_seconds_total") > 0.1);
	metrics = endpoint_get(echom, "/metrics", NULL);
	ck_assert_double_eq(echom_figure_in(metrics, "up", "t"), 0);
	ck_assert_double_eq(echom_figure_in(metrics, "outages_total", "t"), 1);
	ck_assert_double_eq(echom_figure_in(metrics, "probes_received_total", "t"), 0);
	ck_assert_double_eq(echom_figure_in(metrics, "outage_seconds_total", "t"),
			    echom_figure_in(metrics, "outage_longest_seconds", "t"));
	ck_assert_uint_eq(echod_log_count(echom, "target t: down: 2 probes lost in a row"), 1);
}

TEST(an_outage_ends_with_a_reply)
{
	struct held_server server;
	struct echod *echom;
	double lasted;

	held_server_start(&server, SOCK_DGRAM);
	echom = echom_watch(server.target, ECHOM_FAST);
	WAIT_UNTIL(echom_figure(echom, "outages_total") == 1);
	do {
		held_server_take(&server);
		held_server_answer(&server);
	} while (echom_figure(echom, "up") == 0);
	lasted = echom_figure(echom, "outage_seconds_total");
	ck_assert_double_gt(lasted, 0);
	ck_assert_uint_ge(echod_log_count(echom, "target t: up: outage of "), 1);
}

TEST(a_name_that_is_not_found_is_counted_and_lost)
{
	struct echod *echom = echom_watch("nobody.invalid", ECHOM_FAST);

	WAIT_UNTIL(echom_figure(echom, "probes_lost_total") >= 2);
	ck_assert_double_ge(echom_figure(echom, "resolve_failures_total"), 1);
	ck_assert_double_eq(echom_figure(echom, "up"), 0);
	ck_assert_ptr_nonnull(strstr(echod_log(echom), "info: target t: "));
}

TEST(a_reload_keeps_the_books_of_what_is_probed_as_before)
{
	const char *address = FAULTY(.datagram = true);
	struct echod *echom = echom_watch(address, ECHOM_PATIENT);
	double before;

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 3);
	before = echom_figure(echom, "probes_received_total");
	echod_reload(echom, echom_format(ECHOM_SERVER ECHOM_PATIENT
					 "[target new]\naddress = %s\n[target t]\naddress = %s\n"
					 "labels = site=ams\n",
					 address, address));
	ck_assert_double_ge(echom_figure(echom, "probes_received_total"), before);
	WAIT_UNTIL(echom_figure_in(endpoint_get(echom, "/metrics", NULL), "probes_received_total",
				   "new") > 0);
	ck_assert_ptr_nonnull(strstr(endpoint_get(echom, "/metrics", NULL), ",site=\"ams\"} 1"));
	echod_reload(echom, echom_format(ECHOM_SERVER ECHOM_PATIENT
					 "[target t]\naddress = %s\nsize = 65\n",
					 address));
	ck_assert_double_lt(
		echom_figure_in(endpoint_get(echom, "/metrics", NULL), "probes_sent_total", "t"),
		before);
	ck_assert_double_eq(echom_figure_in(endpoint_get(echom, "/metrics", NULL), "up", "new"),
			    -1);
	echod_stop(echom);
}

TEST(a_bad_reload_changes_nothing)
{
	struct echod *echom = echom_watch(FAULTY(.datagram = true), ECHOM_PATIENT);

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 1);
	echod_reload(echom, ECHOM_SERVER "[target t]\naddress = :7\n");
	ck_assert_double_ge(echom_figure(echom, "probes_received_total"), 1);
	ck_assert_uint_eq(echod_log_count(echom, "echod.conf:5: address: missing host"), 1);
	ck_assert_uint_eq(echod_log_count(echom, "reload failed: "), 1);
	ck_assert_uint_eq(
		echod_notified_count(
			echom, "STATUS=the last reload failed, see the log; watching 1 target"),
		1);
	echod_stop(echom);
}

TEST(what_was_due_during_a_stop_is_not_sent_in_a_burst)
{
	struct echod *echom = echom_watch(FAULTY(.datagram = true),
					  "[defaults]\ninterval = 100ms\ntimeout = 1m\n");
	double before, after;
	int64_t paused;

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 2);
	before = echom_figure(echom, "probes_sent_total");
	echod_pause(echom);
	paused = now_ms();
	while (now_ms() - paused < 1500)
		look_again_soon();
	echod_signal(echom, SIGCONT);
	paused = now_ms() - paused;
	after = echom_figure(echom, "probes_sent_total");
	ck_assert_double_le(after - before, (double)(now_ms() - paused) / 100);
	ck_assert_double_lt(after - before, (double)paused / 100);
	WAIT_UNTIL(echom_figure(echom, "probes_received_total") > after);
	ck_assert_double_eq(echom_figure(echom, "probes_lost_total"), 0);
}

static const char *const protocols_that_wait[] = {"udp", "tcp"};

/* The reply waits in the socket: over TCP nobody can say since when. */
TEST_EACH(what_came_during_a_stop_was_not_lost, ARRAY_SIZE(protocols_that_wait))
{
	struct faulty late = {
		.fault = FAULT_DELAY, .delay_ms = 200, .datagram = _i == 0, .size = 64};
	struct echod *echom = echom_watch(
		faulty_start(&late),
		echom_format("[defaults]\ninterval = 500ms\ntimeout = 3s\nprotocol = %s\n",
			     protocols_that_wait[_i]));
	int64_t paused;
	double sent;

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 1);
	WAIT_UNTIL(echom_figure(echom, "probes_outstanding") == 1);
	echod_pause(echom);
	paused = now_ms();
	while (now_ms() - paused < 3500)
		look_again_soon();
	echod_signal(echom, SIGCONT);
	sent = echom_figure(echom, "probes_sent_total");
	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= sent);
	ck_assert_double_eq(echom_figure(echom, "probes_lost_total"), 0);
	ck_assert_double_eq(echom_figure(echom, "outages_total"), 0);
	ck_assert_double_eq(echom_figure(echom, "reconnects_total"), 0);
	echod_stop(echom);
}

TEST(the_service_manager_and_the_signals_are_served)
{
	struct echod *echom = echod_start(ECHOM_SERVER);

	ck_assert_uint_eq(echod_notified_count(echom, "STATUS=watching 0 targets"), 1);
	echod_signal(echom, SIGUSR1);
	echod_wait_log(echom, "0 targets: 0 probes received, 0 lost");
	echod_end(echom);
	ck_assert_uint_eq(echod_notified_count(echom, "STOPPING=1"), 1);
	ck_assert_uint_eq(echod_log_count(echom, "stopped"), 1);
}

TEST(the_page_names_each_target_and_its_state)
{
	const char *closed = closed_port(); /* goes to another network: before any server starts */
	struct echod *echom = echod_start(echom_format(
		ECHOM_SERVER ECHOM_FAST "[target good]\naddress = %s\n[target bad]\naddress = %s\n",
		FAULTY(.datagram = true), closed));
	const char *page, *bad, *good;

	WAIT_UNTIL(strstr(endpoint_get(echom, "/", NULL), "<small>for ") != NULL &&
		   strstr(endpoint_get(echom, "/", NULL), "state well") != NULL);
	page = endpoint_get(echom, "/", NULL);
	bad = strstr(page, ">bad<");
	good = strstr(page, ">good<");
	ck_assert(bad && good && bad < good); /* the worst first */
	ck_assert_ptr_nonnull(strstr(page, "</html>"));
	ck_assert_ptr_null(strstr(page, "<script"));
	ck_assert_str_eq(endpoint_get(echom, "/healthz", NULL), "ok\n");
	ck_assert_int_eq(endpoint_status(echom, "/nothing"), 404);
}

TEST(promtool_finds_nothing_wrong_with_the_metrics)
{
	static const char *const check[] = {"promtool", "check", "metrics", NULL};
	struct program promtool;
	struct echod *echom;
	const char *metrics;

	if (!installed("promtool"))
		skip("promtool is not installed");
	echom = echom_watch(FAULTY(.datagram = true), ECHOM_PATIENT "labels = site=ams\n");
	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 1);
	metrics = endpoint_get(echom, "/metrics", NULL);
	program_start(&promtool, check);
	ck_assert_int_eq(write(promtool.in, metrics, strlen(metrics)), (ssize_t)strlen(metrics));
	ck_assert_int_eq(program_wait(&promtool), 0);
}

TEST(a_wrong_file_is_refused_with_its_lines)
{
	struct echod *echom =
		finished_with("[target a]\nprotocol = icmp\n", ARGUMENTS("-t"), BAD_FILE);

	ck_assert_uint_eq(lines(echod_log(echom)), 2);
	ck_assert_ptr_nonnull(strstr(echod_log(echom), "echod.conf:1: [target a] has no address"));
	echod_free(echom);
	echom = finished_with("[target a]\naddress = b\n", ARGUMENTS("-t"), 0);
	ck_assert_ptr_nonnull(strstr(echod_output(echom), "echod.conf: ok\n"));
	echod_free(echom);
	echom = finished_with("[target a]\naddress = b\n", ARGUMENTS("-T"), 0);
	ck_assert_ptr_nonnull(strstr(echod_output(echom), "[target a]\naddress = b:7\n"));
	echod_free(echom);
}

TEST(a_port_in_use_is_said)
{
	uint16_t port;
	struct echod *echom;

	(void)occupy(SOCK_STREAM, &port);
	echom = finished_with(echom_format("[server]\nlisten = 127.0.0.1:%u\n", port), NULL,
			      FAILURE);
	ck_assert_ptr_nonnull(strstr(echod_log(echom), "another program has this port"));
	echod_free(echom);
}
