/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagram sockets whose calls are refused, once or for ever: no spin, and no silence unsaid. */

#include "config.h"

#include "echod/datagram/turn.h"

#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/faults.h"
#include "unit/log_lines.h"
#include "unit/loop_scene.h"

#define TRIES_PER_TURN 4
#define FOR_EVER 1000000

static struct endpoint *endpoint;
static int client;

/* Over UDP, or over a unix socket for the second run of a test. */
static void serve(int run)
{
	struct service *service = scene_service("[listener x]\naddress = 127.0.0.1:0\n", "x");
	struct address own;

	if (run == 0) {
		endpoint = scene_serve(service, SOCKET_UDP, "127.0.0.1");
		client = datagram_socket("127.0.0.5");
		return;
	}
	endpoint = scene_serve(service, SOCKET_UNIXGRAM, test_path("server"));
	own = at(test_path("client"), 0);
	client = new_socket(&own, SOCK_DGRAM);
	(void)unlink(own.un.sun_path); /* of another run */
	ck_assert_int_eq(bind(client, &own.sa, own.length), 0);
}

static void set_up(void)
{
	scene_open();
	log_lines_begin(LEVEL_NOTICE);
}

static void tear_down(void)
{
	fault_over();
	close(client);
	listen_socket_unlink(endpoint->socket);
	log_lines_end();
	scene_close();
}

static void put(void)
{
	send_datagram(client, &endpoint->socket->address, "hello", 5);
}

static bool answered(void)
{
	char echo[8];

	return recv(client, echo, sizeof(echo), MSG_DONTWAIT) == 5;
}

static uint64_t errors(void)
{
	return scene_count(UDP_RECEIVE_ERRORS);
}

/* Were it not left alone, each turn would try anew. */
static void expect_no_try(void)
{
	uint64_t before = errors();

	for (int i = 0; i < 20; i++)
		scene_turn();
	endpoints_resume(&scene_loop); /* as a connection that ends has it */
	scene_turn();
	ck_assert_uint_eq(errors(), before);
}

static const int refusals[] = {EPERM, ENOSYS, EIO, EINVAL, ECONNREFUSED, ENOMEM, ENOBUFS};

TEST_CASE("faults", set_up, tear_down);

TEST_EACH(a_receive_that_fails_for_ever_is_tried_less_and_less, 2 * ARRAY_SIZE(refusals))
{
	int error = refusals[_i / 2];
	uint64_t tries = error == ENOMEM || error == ENOBUFS ? 1 : TRIES_PER_TURN;
	static const int64_t pauses[] = {100, 200, 400, 800, 800};
	const char *lines;

	serve(_i % 2);
	fault_next_times(FOR_EVER, "recvmmsg", error);
	put();
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	ck_assert_uint_eq(errors(), tries);
	lines = log_lines();
	ck_assert_ptr_nonnull(strstr(lines, strerror(error)));
	ck_assert_ptr_nonnull(strstr(lines, socket_kind_names[endpoint->socket->kind]));
	ck_assert_int_eq(strstr(lines, "a filter of system calls") != NULL,
			 error == EPERM || error == ENOSYS);
	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		fake_ms += pauses[i] - 1;
		expect_no_try();
		fake_ms += 1;
		TURN_UNTIL(errors() == (i + 2) * tries);
	}
	ck_assert_str_eq(log_lines(), "");
	fault_over();
	fake_ms += 800;
	TURN_UNTIL(answered());
	ck_assert_int_eq(endpoint->pause_ms, 0);
}

TEST_EACH(a_socket_that_stays_deaf_is_known_until_it_hears, 2)
{
	serve(_i);
	fault_next_times(FOR_EVER, "recvmmsg", EPERM);
	put();
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	for (int64_t begun = fake_ms; fake_ms - begun < 4900; fake_ms += 100)
		scene_turn();
	ck_assert_uint_eq(scene_count(DEAF_SOCKETS), 0);
	for (int i = 0; i < 20; i++) {
		fake_ms += 100;
		scene_turn();
	}
	ck_assert_uint_eq(scene_count(DEAF_SOCKETS), 1);
	fault_over();
	fake_ms += 800;
	TURN_UNTIL(answered());
	ck_assert_uint_eq(scene_count(DEAF_SOCKETS), 0);
}

TEST_EACH(a_deaf_socket_can_be_stopped, 2)
{
	uint64_t before;

	serve(_i);
	fault_next_times(FOR_EVER, "recvmmsg", EPERM);
	put();
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	for (int i = 0; i < 100; i++) {
		fake_ms += 100;
		scene_turn();
	}
	ck_assert_uint_eq(scene_count(DEAF_SOCKETS), 1);
	listen_socket_unlink(endpoint->socket);
	before = errors();
	endpoint_stop(endpoint);
	ck_assert_uint_eq(errors(), before);
	ck_assert_uint_eq(scene_loop.paused_endpoints, 0);
	ck_assert_uint_eq(scene_count(DEAF_SOCKETS), 0);
	fault_over();
	close(client);
	serve(0); /* for the end of the test */
}

TEST_EACH(an_error_that_passes_delays_nothing, 2)
{
	serve(_i);
	fault_next("recvmmsg", ECONNREFUSED);
	put();
	TURN_UNTIL(answered());
	ck_assert_uint_eq(errors(), 1);
	ck_assert_uint_eq(scene_loop.paused_endpoints, 0);
	ck_assert_str_eq(log_lines(), "");
}

static unsigned count_of(const char *text, const char *part)
{
	unsigned count = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		count++;
	}
	return count;
}

TEST_EACH(a_send_that_fails_for_ever_is_counted_and_logged_once, 2)
{
	static const int errors[] = {EPERM, ENOSYS, EIO, ENOMEM, EINVAL, ECONNREFUSED, EAGAIN};
	const char *lines;

	serve(_i);
	for (unsigned i = 0; i < ARRAY_SIZE(errors); i++) {
		uint64_t before = scene_count(UDP_DROPPED_SEND);

		fault_next_times(FOR_EVER, "sendmmsg", errors[i]);
		/* One by one, or they would be a train, which has another way out. */
		for (uint64_t sent = 1; sent <= 2; sent++) {
			put();
			TURN_UNTIL(scene_count(UDP_DROPPED_SEND) == before + sent);
		}
		ck_assert(fault_over());
		lines = log_lines();
		ck_assert_uint_eq(count_of(lines, "not answered: cannot send: "), 1);
		if (errors[i] != EAGAIN)
			ck_assert_ptr_nonnull(strstr(lines, strerror(errors[i])));
	}
	fault_next("sendmmsg", EPERM);
	put();
	TURN_UNTIL(scene_count(UDP_DROPPED_SEND) == 2 * ARRAY_SIZE(errors) + 1);
	ck_assert_str_eq(log_lines(), "");
	fake_ms += 30000;
	fault_next("sendmmsg", EPERM);
	put();
	TURN_UNTIL(scene_count(UDP_DROPPED_SEND) == 2 * ARRAY_SIZE(errors) + 2);
	ck_assert_uint_eq(count_of(log_lines(), "cannot send"), 1);
}

TEST(a_send_that_failed_names_both_ends)
{
	char expected[256];
	struct address own = {.length = sizeof(own.un)};

	serve(0);
	ck_assert_int_eq(getsockname(client, &own.sa, &own.length), 0);
	fault_next("sendmmsg", EPERM);
	put();
	TURN_UNTIL(scene_count(UDP_DROPPED_SEND) == 1);
	snprintf(expected, sizeof(expected),
		 "<5>udp 127.0.0.5:%u on 127.0.0.1:%u not answered: cannot send: %s\n",
		 address_port(&own), address_port(&endpoint->socket->address), strerror(EPERM));
	ck_assert_str_eq(log_lines(), expected);
}
