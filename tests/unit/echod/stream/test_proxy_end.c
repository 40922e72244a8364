/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Connections from a load balancer that never come to echo anything: what is no header, one that is
 * late, a reload and a stop in between.
 */

#include "config.h"

#include "echod/stream/proxy.h"

#include <event2/event.h>

#include "unit/proxy_scene.h"

TEST_CASE("refusals", set_up, tear_down);

static const struct {
	const char *bytes;
	size_t size;
	const char *fault;
} faults[] = {
	{"hello", 5, "no PROXY header: does the load balancer send one? (proxy_from)"},
	{"PROXY \n", 7, "invalid PROXY header of version 1"},
	{SIGNATURE "\x11", 13, "PROXY header with a version or command that does not exist"},
	{SIGNATURE "\x21\x11\0\x0b", 16, "PROXY header too short for its addresses"},
	{SIGNATURE "\x21\x11\x10\0", 16, "PROXY header longer than 4096 bytes"},
};

TEST_EACH(what_is_no_header_is_refused_and_nothing_sent, ARRAY_SIZE(faults))
{
	int fd = connect_proxy("greeting = hi\n");
	char line[256];

	send_turn(fd, faults[_i].bytes, faults[_i].size);
	expect_refused(fd, TCP_REJECTED_PROXY);
	(void)snprintf(line, sizeof(line), "<5>tcp 10.0.0.5:4711 on x refused: proxy: %s\n",
		       faults[_i].fault);
	ck_assert_str_eq(log_lines(), line);
}

TEST(of_refusals_one_in_a_while_is_at_notice)
{
	struct service *service = lasting_service(PROXY);

	for (int i = 0; i < 3; i++) {
		int fd = connect_as(service, "10.0.0.5");

		SEND(fd, "x");
		ck_assert_int_eq(strncmp(log_lines(), i == 1 ? "<6>" : "<5>", 3), 0);
		close(fd);
		fake_ms += i * 30000;
	}
	log_set_level(LEVEL_WARNING);
	fake_ms += 30000;
	SEND(connect_as(service, "10.0.0.5"), "x");
	ck_assert_str_eq(log_lines(), "");
}

TEST(an_end_before_the_header_is_a_refusal_but_no_notice)
{
	int fd = connect_proxy("greeting = hi\n");

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	scene_turn();
	expect_refused(fd, TCP_REJECTED_PROXY);
	ck_assert_str_eq(log_lines(), "<6>tcp 10.0.0.5:4711 on x refused: proxy: closed without a "
				      "PROXY header\n");
}

TEST(an_end_inside_the_header_is_a_refusal)
{
	int fd = connect_proxy("greeting = hi\n");

	send_turn(fd, tcp4, 20);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	scene_turn();
	expect_refused(fd, TCP_REJECTED_PROXY);
	ck_assert_str_eq(log_lines(), "<6>tcp 10.0.0.5:4711 on x refused: proxy: closed inside the "
				      "PROXY header\n");
}

TEST(a_header_has_five_seconds_from_accept)
{
	int fd = connect_proxy("greeting = hi\nidle_timeout = 1s\nstall_timeout = 1s\n");

	for (size_t i = 0; i < 10; i++) { /* no byte gives it longer */
		send_turn(fd, tcp4 + i, 1);
		pass(i == 9 ? HEADER_MS / 10 - STEP_MS : HEADER_MS / 10);
		expect_waiting(fd, i + 1);
	}
	pass(LATE_MS);
	expect_refused(fd, TCP_REJECTED_PROXY);
	ck_assert_str_eq(log_lines(), "<5>tcp 10.0.0.5:4711 on x refused: proxy: the PROXY header "
				      "is not complete after 5 s\n");
}

TEST(who_says_nothing_has_five_seconds)
{
	int fd = connect_proxy("idle_timeout = 0\nstall_timeout = 0\n");

	pass(HEADER_MS - STEP_MS);
	expect_waiting(fd, 0);
	pass(LATE_MS);
	expect_refused(fd, TCP_REJECTED_PROXY);
	ck_assert_str_eq(log_lines(),
			 "<5>tcp 10.0.0.5:4711 on x refused: proxy: no PROXY header within 5 s: "
			 "does the load balancer send one? (proxy_from)\n");
}

TEST(times_begin_with_the_header)
{
	int fd = connect_proxy("idle_timeout = 10s\n");

	pass(4000);
	SEND(fd, TCP4);
	pass(10000 - STEP_MS);
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
	pass(LATE_MS);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_IDLE), 1);
	ck_assert_ptr_nonnull(strstr(log_lines(),
				     "<6>tcp 192.0.2.67:123 via 10.0.0.5:4711 on x closed: idle, 0 "
				     "bytes received, 0 sent, 10."));
	close(fd);
}

TEST_CASE("changes", set_up, tear_down);

/* The settings in TEXT are those of SERVICE from now on. */
static void reload(struct service *service, const char *text)
{
	struct config *config = load_good(text);
	struct service next = {.config = config, .settings = config_listener(config, "x")};

	service_follow(service, &next);
	config_release(config);
	connections_reschedule(&scene_loop);
}

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"

TEST(who_waits_when_proxy_from_goes_still_brings_a_header)
{
	struct service *service = lasting_service(PROXY);
	int fd = connect_as(service, "10.0.0.5");

	send_turn(fd, tcp4, 10);
	reload(service, PLAIN "deny = 10.0.0.5\n");
	expect_waiting(fd, 10);
	send_turn(fd, tcp4 + 10, TCP4_SIZE - 10);
	SEND(fd, "hello");
	scene_expect(fd, "hello");
	expect_opened("192.0.2.67:123 via 10.0.0.5:4711");
	expect_gone_after_close(fd);
}

TEST(a_source_is_judged_by_the_settings_of_that_moment)
{
	struct service *service = lasting_service(PROXY);
	int fd = connect_as(service, "10.0.0.5");

	send_turn(fd, tcp4, 10);
	reload(service, PROXY "deny = 192.0.2.67\n");
	send_turn(fd, tcp4 + 10, TCP4_SIZE - 10);
	expect_refused(fd, TCP_REJECTED_DENIED);
}

TEST(who_was_served_when_proxy_from_came_needs_no_header)
{
	struct service *service = lasting_service(PLAIN);
	int fd = scene_connect_tcp(service, 0);

	SEND(fd, "hello");
	scene_expect(fd, "hello");
	reload(service, PROXY);
	SEND(fd, "again");
	scene_expect(fd, "again");
	close(fd);
}

TEST(a_stop_does_not_wait_for_a_header)
{
	int fd = connect_proxy("greeting = hi\n");

	send_turn(fd, tcp4, 10);
	connections_drain(&scene_loop);
	expect_refused(fd, TCP_REJECTED_PROXY);
	ck_assert_str_eq(log_lines(), "<6>tcp 10.0.0.5:4711 on x refused: proxy: stopped before "
				      "the PROXY header was complete\n");
}

TEST(what_has_arrived_before_a_stop_is_echoed)
{
	int fd = connect_proxy("");

	send_turn(fd, tcp4, 10);
	send_all(fd, tcp4 + 10, TCP4_SIZE + 5 - 10);
	connections_drain(&scene_loop);
	scene_expect(fd, "hello");
	scene_expect_end(fd);
	expect_gone_after_close(fd);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_SHUTDOWN), 1);
}

TEST(a_header_without_a_message_ends_at_a_stop)
{
	int fd = connect_proxy("");

	send_all(fd, tcp4, TCP4_SIZE);
	connections_drain(&scene_loop);
	scene_turn();
	pass(100 + LATE_MS);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 1);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_SHUTDOWN), 1);
	close(fd);
}

TEST(a_part_of_a_header_that_has_arrived_before_a_stop_is_nothing)
{
	int fd = connect_proxy("");

	send_all(fd, tcp4, 10);
	connections_drain(&scene_loop);
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
	scene_turn();
	expect_refused(fd, TCP_REJECTED_PROXY);
}

TEST(an_abort_refuses_who_waits)
{
	int fd = connect_proxy("");

	send_turn(fd, tcp4, 10);
	connections_abort(&scene_loop);
	expect_refused(fd, TCP_REJECTED_PROXY);
}

TEST(what_wakes_us_for_nothing_changes_nothing)
{
	int fd = connect_proxy("");

	send_turn(fd, tcp4, 10);
	event_active(&scene_connection()->event, EV_READ, 1);
	scene_turn();
	expect_waiting(fd, 10);
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
}
