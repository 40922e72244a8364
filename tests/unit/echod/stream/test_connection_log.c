/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The lines about connections, word for word, and their bound. */

#include "config.h"

#include "echod/stream/connection_log.h"

#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/log_lines.h"
#include "unit/loop_scene.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"
#define LINES_PER_S 200

static void set_up(void)
{
	scene_open();
	log_lines_begin(LEVEL_INFO);
}

static void refuse(struct service *service, const struct address *address, enum counter why)
{
	struct refusal refusal = {.why = why};
	struct peer peer;

	peer_set(&peer, address);
	log_connection_refused(service, &peer, NULL, &refusal);
}

static void tear_down(void)
{
	log_lines_end();
	scene_close();
}

TEST_CASE("lines", set_up, tear_down);

TEST(a_life_is_two_lines)
{
	int fd = scene_connect_tcp(scene_service(PLAIN "prefix = >\n", "x"), 0);
	unsigned port = port_bound_to(fd);
	char expected[256];

	snprintf(expected, sizeof(expected), "<6>tcp 127.0.0.1:%u on x opened\n", port);
	ck_assert_str_eq(log_lines(), expected);
	scene_exchange(fd, "hello", ">hello");
	fake_ms += 61007;
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	snprintf(expected, sizeof(expected),
		 "<6>tcp 127.0.0.1:%u on x closed: client, 5 bytes received, 6 sent, 61.007 s\n",
		 port);
	ck_assert_str_eq(log_lines(), expected);
}

TEST(the_reason_is_the_one_that_is_counted)
{
	scene_connect_tcp(scene_service(PLAIN "idle_timeout = 1s\n", "x"), 0);
	log_lines();
	fake_ms += 5000;
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_ptr_nonnull(
		strstr(log_lines(), " closed: idle, 0 bytes received, 0 sent, 5.000 s\n"));
}

TEST(an_error_is_logged_in_words)
{
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), 0);
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	log_lines();
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_ptr_nonnull(strstr(log_lines(), " closed: error: Connection reset by peer, 0 "));
}

TEST(a_unix_client_has_no_name)
{
	int fd = scene_connect_unix(scene_service(PLAIN, "x"), 0);

	ck_assert_str_eq(log_lines(), "<6>unix on x opened\n");
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_str_eq(log_lines(),
			 "<6>unix on x closed: client, 0 bytes received, 0 sent, 0.000 s\n");
}

TEST(refusals_name_the_peer_and_the_reason)
{
	static const struct {
		const char *host, *text;
	} peers[] = {
		{"192.0.2.9", "tcp 192.0.2.9:4711"},
		{"2001:db8::9", "tcp [2001:db8::9]:4711"},
		{"::ffff:192.0.2.9", "tcp 192.0.2.9:4711"},
		{"/run/client", "unix"},
	};
	struct service *service = scene_service(PLAIN, "x");
	char expected[256];

	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		struct address peer = at(peers[i].host, 4711);

		refuse(service, &peer, TCP_REJECTED_PER_IP);
		snprintf(expected, sizeof(expected), "<6>%s on x refused: per_ip\n", peers[i].text);
		ck_assert_str_eq(log_lines(), expected);
		refuse(service, &peer, TCP_ACCEPT_ERRORS);
		snprintf(expected, sizeof(expected), "<6>%s on x refused: no memory\n",
			 peers[i].text);
		ck_assert_str_eq(log_lines(), expected);
	}
}

TEST(at_notice_nothing_is_logged)
{
	struct service *service = scene_service(PLAIN, "x");
	struct address peer = at("192.0.2.9", 4711);
	int fd;

	log_set_level(LEVEL_NOTICE);
	refuse(service, &peer, TCP_REJECTED_DENIED);
	fd = scene_connect_tcp(service, 0);
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_str_eq(log_lines(), "");
}

static unsigned count_lines(const char *text)
{
	unsigned count = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

TEST(a_flood_of_clients_is_not_a_flood_of_lines)
{
	struct service *service = scene_service(PLAIN, "x");
	struct address peer = at("192.0.2.9", 4711);

	for (int i = 0; i < 1000; i++)
		refuse(service, &peer, TCP_REJECTED_DENIED);
	ck_assert_uint_eq(count_lines(log_lines()), LINES_PER_S);
	fake_ms += 1000;
	refuse(service, &peer, TCP_REJECTED_DENIED);
	ck_assert_str_eq(log_lines(), "<6>... 800 suppressed\n"
				      "<6>tcp 192.0.2.9:4711 on x refused: denied\n");
	refuse(service, &peer, TCP_REJECTED_DENIED);
	ck_assert_uint_eq(count_lines(log_lines()), 1);
}

static void refuse_many(int count)
{
	struct address peer = at("192.0.2.9", 4711);
	struct service *service = scene_service(PLAIN, "x");

	for (int i = 0; i < count; i++)
		refuse(service, &peer, TCP_REJECTED_DENIED);
	ck_assert_uint_eq(count_lines(log_lines()), LINES_PER_S);
}

TEST(the_rest_of_a_flood_is_logged_when_it_is_over)
{
	refuse_many(1000);
	fake_ms += 999;
	connection_log_rest(scene_loop.shared, fake_ms);
	ck_assert_str_eq(log_lines(), "");
	fake_ms += 1;
	connection_log_rest(scene_loop.shared, fake_ms);
	ck_assert_str_eq(log_lines(), "<6>... 800 suppressed\n");
	fake_ms += 5000;
	connection_log_rest(scene_loop.shared, fake_ms);
	ck_assert_str_eq(log_lines(), "");
}

TEST(while_a_flood_goes_on_its_next_line_reports_the_rest)
{
	struct service *service = scene_service(PLAIN, "x");
	struct address peer = at("192.0.2.9", 4711);

	refuse_many(300);
	fake_ms += 1000;
	refuse(service, &peer, TCP_REJECTED_DENIED);
	ck_assert_ptr_nonnull(strstr(log_lines(), "... 100 suppressed\n"));
	for (int i = 1; i < 250; i++)
		refuse(service, &peer, TCP_REJECTED_DENIED);
	log_lines();
	connection_log_rest(scene_loop.shared, fake_ms);
	ck_assert_str_eq(log_lines(), "");
	fake_ms += 1000;
	connection_log_rest(scene_loop.shared, fake_ms);
	ck_assert_str_eq(log_lines(), "<6>... 50 suppressed\n");
}

TEST(a_stop_logs_the_rest)
{
	refuse_many(203);
	connection_log_rest(scene_loop.shared, INT64_MAX);
	ck_assert_str_eq(log_lines(), "<6>... 3 suppressed\n");
	connection_log_rest(scene_loop.shared, INT64_MAX);
	ck_assert_str_eq(log_lines(), "");
}
