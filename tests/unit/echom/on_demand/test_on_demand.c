/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * /probe: for whom, to where, of which address, how often at a time, for how long; and nothing is
 * left of one that nobody waits for any more.
 */

#include "config.h"

#include <stdarg.h>

#include "unit/on_demand_scene.h"

#define TWO_NETWORKS                                                                               \
	"[server]\nprobe_from = 192.0.2.0/24 2001:db8::/32\n"                                      \
	"probe_targets = 127.0.0.2 10.0.0.0/8 ::1\n"

static struct question questions[ON_DEMAND_MAX + 1];

TEST_CASE("on demand", set_up_on_demand, tear_down_on_demand);

static const char *query_of(const char *format, ...) PRINTF_LIKE(1, 2);
static const char *query_of(const char *format, ...)
{
	static char query[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(query, sizeof(query), format, args);
	va_end(args);
	return query;
}

static const char *const off[] = {"", "[server]\nprobe_from = 127.0.0.1\n",
				  "[server]\nprobe_targets = 127.0.0.1\n"};

TEST_EACH(without_either_list_there_is_no_such_page, ARRAY_SIZE(off))
{
	allow(off[_i]);
	ask(&question, "target=127.0.0.1");
	expect_refusal(&question, HTTP_NOT_FOUND, "probe_from and probe_targets");
}

static const struct {
	const char *caller;
	bool admitted;
} callers[] = {
	{"192.0.2.7", true},	{"::ffff:192.0.2.7", true}, {"2001:db8::1", true},
	{"192.0.3.7", false},	{"127.0.0.1", false},	    {"::ffff:192.0.3.7", false},
	{"2001:db9::1", false}, {"::192.0.2.7", false},
};

TEST_EACH(only_callers_in_the_list_are_answered, ARRAY_SIZE(callers))
{
	allow(TWO_NETWORKS);
	ask_from(&question, callers[_i].caller, "", "");
	if (callers[_i].admitted)
		expect_refusal(&question, HTTP_BAD_REQUEST, "target: missing");
	else
		expect_refusal(&question, HTTP_FORBIDDEN, "not in probe_from");
}

TEST(callers_without_an_address_are_not_answered)
{
	struct address peer = {.length = sizeof(sa_family_t), .sa.sa_family = AF_UNIX};
	struct http_request request = {.peer = &peer, .http = http, .query = "", .headers = ""};

	question.reply = (struct http_reply){.status = HTTP_OK};
	bounded_text_begin(&question.reply.body, question.bytes, sizeof(question.bytes));
	on_demand_page(on_demand, &request, &question.reply);
	expect_refusal(&question, HTTP_FORBIDDEN, "not in probe_from");
}

static const struct {
	const char *target;
	bool reached;
} targets[] = {
	{"127.0.0.2", true},
	{"[::ffff:127.0.0.2]:7", true},
	{"[::1]:7", true},
	{"10.1.2.3:4", true},
	{"127.0.0.1", false},
	{"[::ffff:127.0.0.1]", false},
	{"[::127.0.0.2]:7", false},
	{"11.0.0.1", false},
	{"[::2]:7", false},
	{"name-of-the-right", true},
	{"name-of-the-wrong", false},
	{"0.0.0.0", false},
	{"255.255.255.255:7", false},
	{"[ff0e::1]:7", false},
};

TEST_EACH(only_targets_in_the_list_are_probed, ARRAY_SIZE(targets))
{
	/* The lookup of a name has to be over by then as well. */
	const char *timeout = strchr(targets[_i].target, '-') ? "2s" : "10ms";
	char query[100];

	(void)snprintf(query, sizeof(query), "target=%s&count=1&timeout=%s", targets[_i].target,
		       timeout);
	mean(strstr(query, "right") ? "127.0.0.2" : "127.0.0.3", NULL);
	allow(TWO_NETWORKS);
	ask_from(&question, "192.0.2.7", query, "");
	hear_answer(&question);
	if (targets[_i].reached)
		expect_counts(1, 0, 1);
	else
		expect_refusal(&question, HTTP_FORBIDDEN, " is not in probe_targets.\n");
}

static const char *const not_one_host[] = {
	"0.0.0.0", "[::ffff:0.0.0.0]", "224.0.0.1", "239.255.0.1", "[::]", "[ff0e::1]"};

TEST_EACH(no_group_and_no_address_for_all_is_ever_probed, ARRAY_SIZE(not_one_host))
{
	char query[100];

	(void)snprintf(query, sizeof(query), "target=%s:7", not_one_host[_i]);
	allow("[server]\nprobe_from = 127.0.0.1\nprobe_targets = 0.0.0.0/0 ::/0\n");
	ask_and_hear(query);
	expect_refusal(&question, HTTP_FORBIDDEN, " is not in probe_targets.\n");
}

TEST(an_answer_has_the_metrics_of_the_target)
{
	struct server server = {0};

	serve(&server, "127.0.0.1");
	ask_and_hear(
		query_of("target=127.0.0.1:%u&count=3&interval=10ms&timeout=30s", server.port));
	expect_counts(3, 3, 0);
	ck_assert_uint_eq(server.served, 3);
	ck_assert_str_eq(question.reply.type, "text/plain; version=0.0.4; charset=utf-8");
	ck_assert_double_eq(figure("probe_success"), 1);
	ck_assert_double_ge(figure("probe_duration_seconds"), 0.02);
	ck_assert_double_lt(figure("probe_duration_seconds"), 30);
	ck_assert_double_eq(count("up"), 1);
	ck_assert_double_eq(count("rtt_seconds_count"), 3);
	ck_assert_double_eq(count("resolve_failures_total"), 0);
	ck_assert_ptr_nonnull(
		strstr(question.bytes,
		       query_of("\nechom_up{target=\"127.0.0.1:%u\",address=\"", server.port)));
	ck_assert_uint_eq(watches->count, 0);
}

TEST(what_is_not_answered_is_lost)
{
	struct server server = {.silent = 1};

	serve(&server, "127.0.0.1");
	ask_and_hear(query_of("target=127.0.0.1:%u&count=2&interval=10ms&timeout=2s", server.port));
	expect_counts(2, 1, 1);
	ck_assert_double_ge(figure("probe_duration_seconds"), 1.9);
}

TEST(the_answer_is_there_as_soon_as_all_is_known)
{
	struct server server = {0};

	serve(&server, "127.0.0.1");
	ask_and_hear(query_of("target=127.0.0.1:%u&count=1&timeout=30s", server.port));
	ck_assert_double_lt(figure("probe_duration_seconds"), 25);
}

TEST(a_name_is_looked_up_once_and_means_what_was_checked)
{
	struct server server = {0}, other = {0};

	serve(&server, "127.0.0.1");
	other.port = server.port;
	serve(&other, "127.0.0.9");
	mean("127.0.0.1", NULL);
	ask(&question, query_of("target=name:%u&count=5&interval=10ms&timeout=30s", server.port));
	ck_assert(!is_answered(&question));
	while (server.served == 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	mean("127.0.0.9", NULL);
	hear_answer(&question);
	expect_counts(5, 5, 0);
	ck_assert_uint_eq(server.served, 5);
	ck_assert_uint_eq(other.served, 0);
	ck_assert_uint_eq(lookups, 1);
}

TEST(an_address_is_no_name_and_nobody_is_asked_about_it)
{
	ask_and_hear("target=[::1]:9&count=1&timeout=10ms");
	expect_counts(1, 0, 1);
	ck_assert_uint_eq(lookups, 0);
}

TEST(of_several_addresses_those_outside_are_left_out)
{
	struct server inside = {0}, outside = {0};

	serve(&outside, "127.0.0.1");
	inside.port = outside.port;
	serve(&inside, "127.0.0.2");
	allow("[server]\nprobe_from = 127.0.0.1\nprobe_targets = 127.0.0.2\n");
	mean("127.0.0.1", "127.0.0.2");
	ask_and_hear(query_of("target=name:%u&count=2&timeout=30s", inside.port));
	expect_counts(2, 2, 0);
	ck_assert_uint_eq(outside.served, 0);
	ck_assert_ptr_nonnull(strstr(question.bytes, query_of(" is 127.0.0.2:%u\n", inside.port)));
}

static const char *const protocols[] = {"udp", "tcp"};

/* The first address refuses: its losses are none of the second one's. */
TEST_EACH(of_several_addresses_the_first_that_answers_counts, ARRAY_SIZE(protocols))
{
	struct server server = {0};
	char query[100];
	int fd = -1;

	serve(&server, "127.0.0.2");
	if (_i > 0) { /* TCP: the connection is all that it takes here */
		struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(server.port)};

		ck_assert_int_eq(inet_pton(AF_INET, "127.0.0.2", &own.sin_addr), 1);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
		ck_assert_int_eq(listen(fd, 5), 0);
	}
	mean("127.0.0.1", "127.0.0.2");
	(void)snprintf(query, sizeof(query), "target=name:%u&count=3&timeout=%s&protocol=%s",
		       server.port, _i > 0 ? "200ms" : "30s", protocols[_i]);
	ask_and_hear(query);
	expect_counts(3, _i > 0 ? 0 : 3, _i > 0 ? 3 : 0);
	ck_assert_ptr_nonnull(strstr(question.bytes, query_of(" is 127.0.0.2:%u\n", server.port)));
	if (fd >= 0)
		close(fd);
}

TEST(of_several_addresses_the_last_counts_if_none_answers)
{
	struct server server = {.silent = 100};

	serve(&server, "127.0.0.1");
	mean("127.0.0.1", "127.0.0.2");
	ask_and_hear(query_of("target=name:%u&count=2&timeout=2s&interval=10ms", server.port));
	expect_counts(2, 0, 2);
	ck_assert_ptr_nonnull(strstr(question.bytes, query_of(" is 127.0.0.2:%u\n", server.port)));
}

TEST(a_name_that_is_not_found_is_a_failure_of_the_target)
{
	ask_and_hear("target=nobody");
	expect_counts(0, 0, 0);
	ck_assert_double_eq(count("resolve_failures_total"), 1);
	ck_assert(strncmp(question.bytes, "# unknown host \"nobody\"\n", 24) == 0);
}

TEST(a_lookup_that_hangs_is_given_up_in_time)
{
	ask_and_hear("target=slow&timeout=50ms");
	expect_counts(0, 0, 0);
	ck_assert_double_eq(count("resolve_failures_total"), 1);
	ck_assert_double_ge(figure("probe_duration_seconds"), 0.03);
	ck_assert(strncmp(question.bytes, "# no answer to the lookup", 25) == 0);
	sem_post(&released);
}

/* However many give up, no more lookups are left behind than there are threads. */
TEST(lookups_that_hang_do_not_pile_up)
{
	for (int i = 0; i < 40; i++)
		ask_and_hear("target=slow&timeout=10ms");
	ck_assert_uint_le(lookups, 4);
	mean("127.0.0.1", NULL);
	for (int i = 0; i < 40; i++)
		sem_post(&released);
	do
		ask_and_hear("target=name:9&timeout=100ms&count=1");
	while (count("resolve_failures_total") > 0);
	ck_assert_uint_lt(lookups, 30);
}

TEST(the_time_that_prometheus_allows_is_kept)
{
	struct server server = {.silent = 1000};
	const char *query;

	serve(&server, "127.0.0.1");
	query = query_of("target=127.0.0.1:%u&count=1000&interval=10ms&timeout=20s", server.port);
	ask_from(&question, "127.0.0.1", query, "X-Prometheus-Scrape-Timeout-Seconds: 0.6\r\n");
	hear_answer(&question);
	ck_assert_double_ge(count("probes_sent_total"), 1);
	expect_counts(count("probes_sent_total"), 0, 0);
	ck_assert_double_ge(figure("probe_duration_seconds"), 0.25);
	ask_from(&question, "127.0.0.1", "target=slow&timeout=20s",
		 "X-Prometheus-Scrape-Timeout-Seconds: 0.6\r\n");
	hear_answer(&question);
	ck_assert_double_eq(count("resolve_failures_total"), 1);
	ck_assert_double_lt(figure("probe_duration_seconds"), 20);
	sem_post(&released);
}

TEST(so_many_at_a_time_and_no_more)
{
	for (size_t i = 0; i < ON_DEMAND_MAX; i++) {
		ask(&questions[i], "target=127.0.0.1:9&timeout=30s");
		ck_assert(!is_answered(&questions[i]));
	}
	ask(&questions[ON_DEMAND_MAX], "target=127.0.0.1:9");
	expect_refusal(&questions[ON_DEMAND_MAX], HTTP_UNAVAILABLE, "ask again later");
	drop(&questions[0]);
	ask(&questions[0], "target=127.0.0.1:9&timeout=10ms");
	hear_answer(&questions[0]);
	ck_assert_str_eq(status_of(&questions[0]), HTTP_OK);
	for (size_t i = 1; i < ON_DEMAND_MAX; i++)
		drop(&questions[i]);
}

static const struct {
	const char *host, *protocol;
} cancelled[] = {{"slow", "udp"}, {"127.0.0.1", "udp"}, {"127.0.0.1", "tcp"}};

TEST_EACH(one_that_nobody_waits_for_ends_at_once, ARRAY_SIZE(cancelled))
{
	struct server server = {.silent = 1000};

	serve(&server, "127.0.0.1");
	ask(&question, query_of("target=%s:%u&protocol=%s", cancelled[_i].host, server.port,
				cancelled[_i].protocol));
	(void)is_answered(&question);
	ck_assert_int_eq(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	drop(&question);
	sem_post(&released);
	server.served = 0;
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_NONBLOCK), 0);
	ck_assert_uint_le(server.served, 1);
}

TEST(only_the_headers_are_no_reason_to_probe)
{
	ask(&question, "target=name");
	drop(&question);
	ck_assert_uint_eq(lookups, 0);
}

/* Before it has begun, and after. */
TEST_EACH(a_reload_is_for_the_requests_after_it, 2)
{
	struct server server = {0};

	serve(&server, "127.0.0.1");
	mean("127.0.0.1", NULL);
	ask(&question, query_of("target=slow:%u&count=2&timeout=30s", server.port));
	if (_i > 0)
		ck_assert(!is_answered(&question));
	allow("");
	ask(&questions[0], "target=127.0.0.1");
	expect_refusal(&questions[0], HTTP_NOT_FOUND, "/probe is off");
	ck_assert(!is_answered(&question));
	sem_post(&released);
	hear_answer(&question);
	expect_counts(2, 2, 0);
}
