/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * /probe of a real echom: against echod, against servers that do one thing wrong, and against none;
 * for whom, to where, how many at a time, for how long. In every answer the books balance.
 */

#include "config.h"

#include "integration/echom_run.h"
#include "integration/endpoint.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/program.h"
#include "integration/scenes.h"

#define LOCAL ECHOM_SERVER "probe_from = 127.0.0.1\nprobe_targets = 127.0.0.0/8 ::1\n"
#define AT_A_TIME 16
#define LONG "&count=1000&timeout=30s" /* 50 s if nobody answers */
#define ASK "GET /probe?%s HTTP/1.0\r\n"

static struct echod *echom;
static int status;

static void start_echom(void)
{
	echom_set_up();
	echom = echod_start(LOCAL);
}

TEST_CASE("echom_probe", start_echom);

static const char *get(const char *query)
{
	return endpoint_get(echom, echom_format("/probe?%s", query), &status);
}

/* -1 if there is no such line. */
static double figure_in(const char *answer, const char *family)
{
	const char *line = strstr(answer, echom_format("\n%s ", family));

	return line ? strtod(strchr(line, ' '), NULL) : -1;
}

static const char *expect_answer(const char *answer, const char *target)
{
	ck_assert_msg(status == 200, "%s", answer);
	echom_expect_balance(answer, target);
	return answer;
}

/* The answer about TARGET; MORE of the query. */
static const char *probe(const char *target, const char *more)
{
	return expect_answer(get(echom_format("target=%s%s", target, more)), target);
}

static const char *start_server(const char *where, const char *mode)
{
	static char target[32];
	struct echod *echod =
		echom_start_echod(echom_format("[listener a]\naddress = 127.0.0.1:0\n%s", mode));

	(void)snprintf(target, sizeof(target), "127.0.0.1:%u", echod_port(echod, where));
	return target;
}

static const struct {
	const char *protocol, *where, *mode;
} servers[] = {
	{"udp", "udp 127.0.0.1", ""},
	{"tcp", "tcp 127.0.0.1", ""},
	{"stamp", "udp 127.0.0.1", "mode = stamp\n"},
};

TEST_EACH(a_server_that_answers_is_a_success, ARRAY_SIZE(servers))
{
	const char *target = start_server(servers[_i].where, servers[_i].mode);
	const char *answer = probe(
		target, echom_format("&protocol=%s&timeout=30s&module=x", servers[_i].protocol));

	ck_assert_double_eq(figure_in(answer, "probe_success"), 1);
	ck_assert_double_lt(figure_in(answer, "probe_duration_seconds"), 30);
	ck_assert_double_eq(echom_figure_in(answer, "probes_received_total", target), 10);
	ck_assert_double_eq(echom_figure_in(answer, "probes_lost_total", target), 0);
	ck_assert_double_eq(echom_figure_in(answer, "up", target), 1);
	ck_assert_double_eq(
		echom_figure_in(endpoint_get(echom, "/metrics", NULL), "probes_sent_total", target),
		-1);
}

static const struct {
	struct faulty faulty;
	const char *protocol, *family;
	double value, success;
} faults[] = {
	{{.fault = FAULT_FLIP, .datagram = true, .offset = 40},
	 "udp",
	 "probes_corrupt_total",
	 3,
	 0},
	{{.fault = FAULT_FLIP, .offset = 40, .size = 64}, "tcp", "probes_corrupt_total", 3, 0},
	{{.fault = FAULT_FLIP, .datagram = true, .offset = 40, .at = 2},
	 "udp",
	 "probes_corrupt_total",
	 1,
	 1},
	{{.fault = FAULT_TRUNCATE, .datagram = true, .offset = 50},
	 "udp",
	 "probes_truncated_total",
	 3,
	 0},
	{{.fault = FAULT_DROP, .datagram = true, .at = 2}, "udp", "probes_lost_total", 1, 1},
	{{.fault = FAULT_DROP, .datagram = true}, "udp", "probes_lost_total", 3, 0},
};

TEST_EACH(each_fault_is_counted_by_its_name, ARRAY_SIZE(faults))
{
	const char *target = faulty_start(&faults[_i].faulty);
	const char *answer =
		probe(target, echom_format("&count=3&timeout=3s&protocol=%s", faults[_i].protocol));

	ck_assert_double_eq(echom_figure_in(answer, faults[_i].family, target), faults[_i].value);
	ck_assert_double_eq(figure_in(answer, "probe_success"), faults[_i].success);
}

TEST(a_name_that_is_not_found_is_a_failure)
{
	const char *answer = probe("nobody.invalid:7", "&timeout=30s");

	ck_assert_double_eq(figure_in(answer, "probe_success"), 0);
	ck_assert_double_eq(echom_figure_in(answer, "resolve_failures_total", "nobody.invalid:7"),
			    1);
	ck_assert_double_eq(echom_figure_in(answer, "probes_sent_total", "nobody.invalid:7"), 0);
}

static void expect_refusal(const char *query, int wanted, const char *why)
{
	const char *answer = get(query);

	ck_assert_int_eq(status, wanted);
	ck_assert_msg(strstr(answer, why) != NULL, "%s", answer);
}

TEST(who_may_not_ask_or_where_it_may_not_go_is_refused)
{
	expect_refusal("target=192.0.2.1", 403, "192.0.2.1:7 is not in probe_targets");
	expect_refusal("target=[::ffff:192.0.2.1]", 403, " is not in probe_targets");
	expect_refusal("target=localhost&count=0", 400, "count: \"0\" is not");
	expect_refusal("", 400, "target: missing");
	echod_reload(echom,
		     ECHOM_SERVER "probe_from = 127.0.0.1 ::1\nprobe_targets = 192.0.2.0/24\n");
	expect_refusal("target=localhost:7", 403, ":7 is not in probe_targets");
	echod_reload(echom, ECHOM_SERVER "probe_from = ::1\nprobe_targets = 127.0.0.1\n");
	expect_refusal("target=127.0.0.1", 403, "not in probe_from");
	echod_reload(echom, ECHOM_SERVER "probe_from = 127.0.0.1\n");
	expect_refusal("target=127.0.0.1", 404, "/probe is off");
}

static int ask(const char *query, const char *headers)
{
	int fd = connect_to("127.0.0.1", endpoint_port(echom));
	const char *request = echom_format(ASK "%s\r\n", query, headers);

	send_all(fd, request, strlen(request));
	return fd;
}

static const char *hear(int fd)
{
	return endpoint_hear(fd, &status);
}

TEST(the_time_that_prometheus_allows_is_kept)
{
	const char *target = FAULTY(.fault = FAULT_DROP, .datagram = true);
	const char *answer =
		expect_answer(hear(ask(echom_format("target=%s" LONG, target),
				       "X-Prometheus-Scrape-Timeout-Seconds: 1.5\r\n")),
			      target);

	ck_assert_double_ge(echom_figure_in(answer, "probes_outstanding", target), 1);
	ck_assert_double_eq(figure_in(answer, "probe_success"), 0);
	ck_assert_double_ge(figure_in(answer, "probe_duration_seconds"), 0.9);
	ck_assert_double_lt(figure_in(answer, "probe_duration_seconds"), 50);
}

/* The others are served meanwhile; who leaves makes room at once. */
TEST(so_many_at_a_time_and_one_that_leaves_makes_room)
{
	const char *target = FAULTY(.fault = FAULT_DROP, .datagram = true);
	int fds[AT_A_TIME];

	for (size_t i = 0; i < AT_A_TIME; i++)
		fds[i] = ask(echom_format("target=%s" LONG, target), "");
	WAIT_UNTIL(get("target=127.0.0.1:9&count=1&timeout=10ms") && status == 503);
	expect_refusal("target=127.0.0.1", 503, "ask again later");
	for (size_t i = 0; i < AT_A_TIME; i++) {
		ck_assert_str_eq(endpoint_get(echom, "/healthz", NULL), "ok\n");
		(void)endpoint_get(echom, "/metrics", NULL);
		ck_assert(nothing_to_read(fds[i]));
	}
	close(fds[0]);
	WAIT_UNTIL(get("target=127.0.0.1:9&count=1&timeout=10ms") && status == 200);
	for (size_t i = 1; i < AT_A_TIME; i++)
		close(fds[i]);
}

TEST(a_reload_leaves_what_runs_and_a_stop_does_not_wait)
{
	const char *target = FAULTY(.size = 64);
	int fd = ask(echom_format("target=%s&protocol=tcp&count=100&timeout=30s", target), "");
	int other;

	echod_wait_log(echom, "connected");
	echod_reload(echom, ECHOM_SERVER);
	expect_refusal("target=127.0.0.1", 404, "/probe is off");
	(void)expect_answer(hear(fd), target);
	ck_assert_int_eq(status, 200);
	echod_reload(echom, LOCAL);
	other = ask("target=192.0.2.1&count=1", "");
	fd = ask(echom_format("target=%s" LONG, target), "");
	(void)hear(other);
	ck_assert_int_eq(status, 403);
	echod_end(echom);
	expect_gone(fd);
	ck_assert_uint_eq(echod_log_count(echom, "stopped"), 1);
}

TEST(head_gets_the_headers_at_once_and_probes_nothing)
{
	int server = new_socket(&(struct address){.sa.sa_family = AF_INET}, SOCK_DGRAM);
	struct address own = at("127.0.0.1", 0);
	int fd = connect_to("127.0.0.1", endpoint_port(echom));
	const char *request;

	ck_assert_int_eq(bind(server, &own.sa, own.length), 0);
	request = echom_format("HEAD /probe?target=%s" LONG " HTTP/1.0\r\n\r\n", target_of(server));
	send_all(fd, request, strlen(request));
	ck_assert_ptr_nonnull(strstr(hear(fd), "\r\n\r\n"));
	ck_assert_int_eq(status, 200);
	ck_assert_str_eq(endpoint_get(echom, "/healthz", NULL), "ok\n");
	ck_assert(nothing_to_read(server));
	close(server);
}

TEST_CASE("not yet started", echom_set_up);

static const char *const protocols[] = {"udp", "tcp"};

TEST_EACH(where_nothing_listens_all_is_lost, ARRAY_SIZE(protocols))
{
	const char *target = closed_port(); /* in another network: before any server starts */
	const char *answer;

	echom = echod_start(LOCAL);
	answer = probe(target, echom_format("&count=3&timeout=200ms&protocol=%s", protocols[_i]));

	ck_assert_double_eq(figure_in(answer, "probe_success"), 0);
	ck_assert_double_eq(echom_figure_in(answer, "probes_lost_total", target), 3);
	ck_assert_double_eq(echom_figure_in(answer, "up", target), 0);
	ck_assert_double_eq(echom_figure_in(answer, "outages_total", target), 1);
	ck_assert_uint_eq(echod_log_count(echom, ": down: "), 0);
}

TEST(promtool_finds_nothing_wrong_with_the_answer)
{
	static const char *const check[] = {"promtool", "check", "metrics", NULL};
	struct program promtool;
	const char *answer;

	if (!installed("promtool"))
		skip("promtool is not installed");
	echom = echod_start(LOCAL);
	answer = probe(FAULTY(.datagram = true), "&timeout=30s");
	program_start(&promtool, check);
	ck_assert_int_eq(write(promtool.in, answer, strlen(answer)), (ssize_t)strlen(answer));
	ck_assert_int_eq(program_wait(&promtool), 0);
}
