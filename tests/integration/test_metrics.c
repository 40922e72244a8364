/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The metrics endpoint of a running echod: where it is, what it reports, when it is not healthy. */

#include "config.h"

#include "integration/endpoint.h"
#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/program.h"
#include "integration/scenes.h"

static const char plain[] = "[server]\nmetrics = 127.0.0.1:0\n"
			    "[listener echo]\naddress = 127.0.0.1:0\n";

TEST_CASE("what it reports");

TEST(metrics_are_off_by_default)
{
	struct echod *echod = echod_start("[listener echo]\naddress = 127.0.0.1:0\n");

	ck_assert_uint_eq(echod_log_count(echod, "metrics"), 0);
}

TEST(metrics_and_the_log_agree)
{
	struct echod *echod = echod_start(plain);
	int fd = connect_to("127.0.0.1", port_of(echod));

	expect_echo(fd, "hello", 5);
	ck_assert_uint_eq(metric_value(echod, "tcp_connections"), 1);
	ck_assert_uint_eq(metric_value(echod, "tcp_accepted_total"), 1);
	ck_assert_uint_eq(metric_value(echod, "received_bytes_total{protocol=\"tcp\"}"), 5);
	ck_assert_uint_eq(metric_value(echod, "tcp_connections_max"),
			  echod_counter(echod, "tcp_connections_max"));
	close(fd);
	echod_wait_counter(echod, "tcp_closed_client", 1);
	ck_assert_uint_eq(metric_value(echod, "tcp_closed_total{reason=\"client\"}"), 1);
	ck_assert_uint_eq(metric_value(echod, "tcp_connections"), 0);
}

TEST(promtool_finds_nothing_wrong_with_them)
{
	static const char *const check[] = {"promtool", "check", "metrics", NULL};
	struct program promtool;
	struct echod *echod;
	const char *metrics;

	if (!installed("promtool"))
		skip("promtool is not installed");
	echod = echod_start(plain);
	metrics = endpoint_get(echod, "/metrics", NULL);
	program_start(&promtool, check);
	ck_assert_int_eq(write(promtool.in, metrics, strlen(metrics)), (ssize_t)strlen(metrics));
	ck_assert_int_eq(program_wait(&promtool), 0);
}

TEST(the_page_shows_what_is_served)
{
	struct echod *echod = echod_start(plain);
	char address[64];

	snprintf(address, sizeof(address), "<b>tcp</b> 127.0.0.1:%u<", port_of(echod));
	ck_assert_ptr_nonnull(strstr(endpoint_get(echod, "/", NULL), address));
	WAIT_UNTIL(strstr(endpoint_get(echod, "/", NULL), "<span class=well>serving<") != NULL);
	/* Two samples, a second apart, make a line. */
	WAIT_UNTIL(strstr(endpoint_get(echod, "/", NULL), "<polyline") != NULL);
	ck_assert_int_eq(endpoint_status(echod, "/other"), 404);
}

static bool is_healthy(struct echod *echod)
{
	int status;

	return strcmp(endpoint_get(echod, "/healthz", &status), "ok\n") == 0 && status == 200;
}

/* Not at once where a worker hangs for a second. */
TEST(health_is_ok_while_serving)
{
	struct echod *echod = echod_start(plain);

	WAIT_UNTIL(is_healthy(echod));
	echod_reload(echod, plain);
	WAIT_UNTIL(is_healthy(echod));
}

TEST(health_is_refused_while_draining_and_metrics_go_on)
{
	struct echod *echod = echod_start(plain);
	struct stalled stalled = stall(echod);

	echod_signal(echod, SIGTERM);
	WAIT_UNTIL(endpoint_status(echod, "/healthz") == 503);
	ck_assert_uint_eq(metric_value(echod, "tcp_connections"), 1);
	WAIT_UNTIL(strstr(endpoint_get(echod, "/", NULL), "<span class=ill>draining<") != NULL);
	stalled_expect_all(&stalled);
	ck_assert_int_eq(echod_wait(echod), 0);
}

TEST(a_stalled_worker_is_noticed_within_seconds)
{
	struct echod *echod = echod_start("[server]\nmetrics = 127.0.0.1:0\nworkers = 2\n"
					  "[listener echo]\naddress = 127.0.0.1:0\n");
	pid_t worker;
	int64_t start;

	ck_assert_uint_eq(echod_workers(echod, &worker), 2);
	hold_thread(worker);
	start = now_ms();
	WAIT_UNTIL(endpoint_status(echod, "/healthz") == 503);
	ck_assert_int_ge(now_ms() - start, 900);
	ck_assert_ptr_nonnull(strstr(endpoint_get(echod, "/", NULL), "a worker does not answer"));
	ck_assert_uint_eq(value_in(endpoint_get(echod, "/metrics", NULL), "workers"), 2);
	release_thread(worker);
	WAIT_UNTIL(endpoint_status(echod, "/healthz") == 200);
}

TEST_CASE("where it is");

TEST(an_address_that_others_reach_is_warned_about)
{
	struct echod *echod;

	need_own_network();
	echod = echod_start("[server]\nmetrics = 0.0.0.0:0\n"
			    "[listener echo]\naddress = 127.0.0.1:0\n");
	ck_assert_uint_eq(echod_log_count(echod, "serving metrics on http://0.0.0.0:"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "warning: metrics on 0.0.0.0:"), 1);
	echod_stop(echod);
	echod = echod_start(plain);
	ck_assert_uint_eq(echod_log_count(echod, "warning: metrics"), 0);
}

TEST(an_address_in_use_ends_the_start)
{
	char config[256];
	struct echod *echod;
	uint16_t port;

	occupy(SOCK_STREAM, &port);
	snprintf(config, sizeof(config),
		 "[server]\nmetrics = 127.0.0.1:%u\n[listener echo]\naddress = 127.0.0.1:0\n",
		 port);
	echod = finished_with(config, NULL, FAILURE);
	expect_one_line(echod, "metrics: cannot listen on tcp 127.0.0.1:", "ss -lntuxp");
}

TEST(a_reload_leaves_the_endpoint_where_it_is)
{
	struct echod *echod = echod_start(plain);

	echod_reload(echod, "[server]\nmetrics = 127.0.0.2:0\n"
			    "[listener echo]\naddress = 127.0.0.1:0\n");
	ck_assert_uint_eq(echod_log_count(echod, "metrics has changed"), 1);
	ck_assert_uint_eq(metric_value(echod, "reloads_total{result=\"success\"}"), 1);
	echod_write_config(echod, "[listener echo]\n");
	echod_signal(echod, SIGHUP);
	WAIT_UNTIL(metric_value(echod, "reloads_total{result=\"failure\"}") == 1);
}

/* What a browser sends if a foreign name resolves to 127.0.0.1. */
static const char *ask_as(struct echod *echod, const char *host)
{
	static char answer[16];
	char request[128];
	int fd = connect_to("127.0.0.1", endpoint_port(echod));

	(void)snprintf(request, sizeof(request), "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", host);
	send_all(fd, request, strlen(request));
	recv_exact(fd, answer, 12);
	close(fd);
	return answer;
}

TEST(a_page_from_elsewhere_cannot_read_them)
{
	struct echod *echod = echod_start(plain);

	ck_assert_str_eq(ask_as(echod, "evil.example"), "HTTP/1.0 403");
	WAIT_UNTIL(strcmp(ask_as(echod, "localhost:9107"), "HTTP/1.0 200") == 0);
}

TEST(a_handed_stream_socket_named_metrics_serves_them)
{
	struct handover handover = {
		.fds = {listening_socket("127.0.0.1"), listening_socket("127.0.0.1")},
		.count = 2,
		.names = "metrics:echo"};
	struct echod *echod = start_with(&handover, "[server]\nmetrics = 127.0.0.2:0\n"
						    "[listener echo]\naddress = 127.0.0.1:0\n");
	int fd = connect_to("127.0.0.1", port_bound_to(handover.fds[1]));

	ck_assert_uint_eq(endpoint_port(echod), port_bound_to(handover.fds[0]));
	ck_assert_uint_eq(echod_log_count(echod, "serving metrics"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "listening on"), 1);
	expect_echo(fd, "hello", 5);
	ck_assert_uint_eq(metric_value(echod, "tcp_accepted_total"), 1);
}

TEST(handed_sockets_without_one_for_metrics_leave_them_unserved)
{
	struct handover handover = {.fds = {listening_socket("127.0.0.1")}, .count = 1};
	struct echod *echod = start_with(&handover, plain);

	ck_assert_uint_eq(echod_log_count(echod, "metrics is not served"), 1);
	ck_assert_uint_eq(endpoint_port(echod), 0);
}

static void expect_handover_refused(struct handover *handover, const char *why)
{
	expect_one_line(
		finished(ECHOD(.config = plain, .prepare = hand_over, .arg = handover), FAILURE),
		why, "hand over");
}

TEST(handed_sockets_that_cannot_be_meant_so_are_refused)
{
	struct handover alone = {
		.fds = {listening_socket("127.0.0.1")}, .count = 1, .names = "metrics"};
	struct handover twice = {
		.fds = {listening_socket("127.0.0.1"), listening_socket("127.0.0.1")},
		.count = 2,
		.names = "metrics:metrics"};

	expect_handover_refused(&alone, "the only socket handed over is for metrics");
	expect_handover_refused(&twice, "two of the sockets handed over are named");
}
