/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Connections of a worker that runs out of memory, or whose calls are interrupted: one client may
 * lose its connection, never a byte of it in silence, and the books stay right.
 */

#include "config.h"

#include <event2/event.h>

#include "echod/guard/client_table.h"
#include "echod/worker/protocols.h"
#include "support/test.h"
#include "unit/faults.h"
#include "unit/loop_scene.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"
#define ONCE PLAIN "reply_once = yes\n"
#define SMALL_BUFFER 4608

static void set_up(void)
{
	fault_spare_timers();
	scene_open();
}

/* Turns once while the call that comes after SKIP others fails: whether there was one. */
static bool turn_with(unsigned skip, const char *call, int error)
{
	fault_after(skip, call, error);
	(void)event_base_loop(scene_loop.base, EVLOOP_NONBLOCK);
	return fault_over();
}

static int ready_client(const char *text)
{
	int fd = scene_connect_tcp(scene_service(text, "x"), 0);

	send_all(fd, "hello", 5);
	return fd;
}

TEST_CASE("tcp_echo_faults", set_up, scene_close);

TEST(a_client_without_memory_costs_no_other)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	uint16_t port = address_port(&endpoint->socket->address);
	bool failed = true;

	for (unsigned skip = 0; failed; skip++) {
		uint64_t errors = scene_count(TCP_ACCEPT_ERRORS) + scene_count(TCP_CLOSED_ERROR);
		int fd = connect_to("127.0.0.1", port);

		failed = turn_with(skip, MEMORY, ENOMEM);
		ck_assert_uint_eq(scene_clients(), scene_loop.streams->connections);
		if (scene_loop.streams->connections == 0)
			ck_assert_uint_eq(scene_count(TCP_ACCEPT_ERRORS) +
						  scene_count(TCP_CLOSED_ERROR),
					  errors + 1);
		else
			scene_exchange(fd, "x", "x");
		ck_assert(skip >= 2 || scene_loop.streams->connections == 0);
		close(fd);
		TURN_UNTIL(scene_loop.streams->connections == 0);
		ck_assert_uint_eq(scene_clients(), 0);
	}
	scene_end_serving(endpoint);
}

#define PROXIED PLAIN "proxy_from = 127.0.0.1\n"
#define HEADER "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"

/* What arrives while memory may be missing: a part of the header, or all and a message. */
TEST_EACH(a_header_for_which_memory_is_missing_costs_no_other, 2)
{
	struct endpoint *endpoint =
		scene_serve(scene_service(PROXIED, "x"), SOCKET_TCP, "127.0.0.1");
	static const char data[] = HEADER "x";
	size_t size = sizeof(data) - 1, first = _i == 0 ? 10 : size;
	bool failed = true;

	for (unsigned skip = 0; failed; skip++) {
		uint64_t errors = scene_count(TCP_ACCEPT_ERRORS);
		int fd = connect_to("127.0.0.1", address_port(&endpoint->socket->address));

		send_all(fd, data, first);
		fault_after(skip, MEMORY, ENOMEM);
		for (int turns = 0; turns < 4; turns++)
			(void)event_base_loop(scene_loop.base, EVLOOP_NONBLOCK);
		failed = fault_over();
		ck_assert_uint_eq(scene_count(TCP_ACCEPT_ERRORS), errors + failed);
		ck_assert_uint_eq(scene_loop.streams->connections, !failed);
		ck_assert_uint_eq(scene_clients(), !failed);
		ck_assert_uint_eq(scene_count(TCP_HEADERS_PENDING), !failed && _i == 0);
		ck_assert(skip >= 3 || failed);
		if (!failed) {
			send_all(fd, data + first, size - first);
			scene_expect(fd, "x");
		}
		close(fd);
		TURN_UNTIL(scene_loop.streams->connections == 0);
		ck_assert_uint_eq(scene_clients(), 0);
	}
	scene_end_serving(endpoint);
}

TEST_EACH(a_call_that_fails_in_the_header_is_a_refusal_unless_it_may_be_tried_again, 3)
{
	static const int errors[] = {EAGAIN, EINTR, ECONNRESET};
	struct endpoint *endpoint =
		scene_serve(scene_service(PROXIED, "x"), SOCKET_TCP, "127.0.0.1");
	int fd = connect_to("127.0.0.1", address_port(&endpoint->socket->address));

	send_all(fd, HEADER "x", strlen(HEADER "x"));
	WAIT_UNTIL(turn_with(0, "recvfrom", errors[_i]));
	if (errors[_i] != ECONNRESET)
		scene_expect(fd, "x");
	ck_assert_uint_eq(scene_count(TCP_REJECTED_PROXY), errors[_i] == ECONNRESET);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), errors[_i] != ECONNRESET);
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	scene_end_serving(endpoint);
}

TEST_EACH(what_wakes_us_for_nothing_changes_nothing, 2)
{
	static const int errors[] = {EAGAIN, EINTR};
	int fd = ready_client(PLAIN);

	WAIT_UNTIL(turn_with(0, "recvfrom", errors[_i]));
	scene_expect(fd, "hello");
	send_all(fd, "again", 5);
	WAIT_UNTIL(turn_with(0, "sendto", errors[_i]));
	scene_expect(fd, "again");
	ck_assert_uint_eq(scene_count(TCP_SENT_BYTES), 10);
	ck_assert_ptr_eq(scene_connection()->stage, &stage_reading);
}

TEST_EACH(a_broken_connection_is_closed_and_counted, 2)
{
	static const char *const calls[] = {"recvfrom", "sendto"};
	int fd = ready_client(PLAIN);

	WAIT_UNTIL(turn_with(0, calls[_i], ECONNRESET));
	ck_assert_uint_eq(scene_count(TCP_CLOSED_ERROR), 1);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	ck_assert_uint_eq(scene_clients(), 0);
	expect_gone(fd);
}

TEST_EACH(a_rest_that_cannot_be_kept_ends_in_a_reset_not_in_a_gap, 2)
{
	static char data[1 << 16];
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), SMALL_BUFFER);
	bool failed = false;

	/* First the memory for the rest, then for the event that waits to send it. */
	while (!failed) {
		ssize_t sent = send(fd, data, sizeof(data), MSG_DONTWAIT);

		ck_assert(sent > 0 || errno == EAGAIN);
		failed = turn_with((unsigned)_i, MEMORY, ENOMEM);
	}
	ck_assert_uint_eq(scene_count(TCP_CLOSED_ERROR), 1);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	for (ssize_t got = 1; got > 0;) {
		got = recv(fd, data, sizeof(data), 0);
		ck_assert_msg(got > 0 || (got < 0 && errno == ECONNRESET), "an end like any other");
	}
}

/* Reads until the server has written all that it kept, each of its turns with a fault at CALL. */
static void read_all_with(int fd, const char *call, int error)
{
	static char data[1 << 16];
	bool failed = false;

	while (!failed) {
		(void)recv(fd, data, sizeof(data), MSG_DONTWAIT);
		failed = turn_with(0, call, error);
	}
}

TEST_EACH(a_client_that_reads_again_may_be_lost_but_is_counted, 2)
{
	static const struct {
		const char *call;
		int error;
	} faults[] = {{"sendto", ECONNRESET}, {MEMORY, ENOMEM}};
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), SMALL_BUFFER);

	scene_stall(fd);
	read_all_with(fd, faults[_i].call, faults[_i].error);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_ERROR), 1);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
}

TEST(an_end_that_cannot_wait_for_the_client_keeps_its_reason)
{
	int fd = ready_client(ONCE);

	WAIT_UNTIL(turn_with(0, "shutdown", ENOTCONN));
	ck_assert_uint_eq(scene_count(TCP_CLOSED_REPLIED), 1);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	expect_text(fd, "hello");
}

TEST(nor_does_it_after_a_stall)
{
	int fd = scene_connect_unix(scene_service(ONCE, "x"), SMALL_BUFFER);

	scene_stall(fd);
	read_all_with(fd, MEMORY, ENOMEM);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_REPLIED), 1);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	close(fd);
}

TEST_EACH(after_our_fin_an_interruption_is_none_and_an_error_the_end, 3)
{
	static const int errors[] = {EAGAIN, EINTR, ECONNRESET};
	int fd = ready_client(ONCE);

	scene_expect(fd, "hello");
	ck_assert_ptr_eq(scene_connection()->stage, &stage_lingering);
	send_all(fd, "more", 4);
	WAIT_UNTIL(turn_with(0, "recvfrom", errors[_i]));
	ck_assert_uint_eq(scene_count(TCP_CLOSED_REPLIED), errors[_i] == ECONNRESET);
	ck_assert_uint_eq(scene_loop.streams->connections, errors[_i] != ECONNRESET);
	close(fd);
	TURN_UNTIL(scene_count(TCP_CLOSED_REPLIED) == 1);
}

/* A client that has sent twice and reads nothing, so that our kernel holds both. */
static int deaf_client(void)
{
	int fd = scene_connect_unix(scene_service(PLAIN, "x"), 0);

	for (uint64_t i = 1; i <= 2; i++) {
		send_all(fd, "hello", 5);
		TURN_UNTIL(scene_count(TCP_SENT_BYTES) == i * 5);
	}
	return fd;
}

TEST_EACH(an_end_that_cannot_wait_for_unread_echo_is_one_at_once, 2)
{
	static const struct {
		const char *call;
		int error;
	} faults[] = {{"shutdown", ENOTCONN}, {MEMORY, ENOMEM}};
	int fd = deaf_client();

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	WAIT_UNTIL(turn_with(0, faults[_i].call, faults[_i].error));
	ck_assert_uint_eq(scene_count(TCP_CLOSED_CLIENT), 1);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	ck_assert_uint_eq(scene_clients(), 0);
	expect_text(fd, "hellohello");
}

/* The kernel has less time for what is left than by default: see bound_goodbye(). */
TEST_EACH(a_stall_is_bounded_also_behind_the_end, 2)
{
	int fd = ready_client(_i == 0 ? PLAIN "stall_timeout = 99999ms\n"
				      : PLAIN "stall_timeout = 100s\n");
	bool bounded = false;

	TURN_UNTIL(scene_count(TCP_SENT_BYTES) == 5);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	while (scene_loop.streams->connections > 0)
		bounded = turn_with(0, "setsockopt", EPERM) || bounded;
	ck_assert_int_eq(bounded, _i == 0);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_CLIENT), 1);
}

TEST(a_socket_that_reports_nothing_any_more_is_not_waited_for)
{
	int fd = deaf_client();

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	TURN_UNTIL(scene_connection()->stage == &stage_flushing);
	scene_turn();
	expect_text(fd, "hello");
	WAIT_UNTIL(turn_with(0, "getsockopt", EINVAL));
	ck_assert_uint_eq(scene_count(TCP_CLOSED_CLIENT), 1);
}

TEST(a_socket_that_cannot_be_listened_to_is_tried_again)
{
	struct endpoint *endpoint;
	struct address address = at("127.0.0.1", 0);
	struct reason reason;
	struct listen_socket *socket = listen_socket_open(SOCKET_TCP, &address, &reason);
	struct service *service = scene_service(PLAIN, "x");
	int fd;

	ck_assert_ptr_nonnull(socket);
	fault_next(MEMORY, ENOMEM);
	ck_assert_ptr_null(endpoint_new(socket, protocol_for(SOCKET_TCP), service));
	endpoint = endpoint_new(socket, protocol_for(SOCKET_TCP), service);
	ck_assert_ptr_nonnull(endpoint);
	fault_next(MEMORY, ENOMEM);
	endpoint_start(endpoint, &scene_loop);
	ck_assert(fault_over());
	ck_assert_uint_eq(scene_loop.paused_endpoints, 1);
	fd = connect_to("127.0.0.1", address_port(&socket->address));
	listen_socket_release(socket);
	TURN_UNTIL(scene_loop.paused_endpoints == 0);
	scene_exchange(fd, "x", "x");
	close(fd);
	scene_end_serving(endpoint);
}
