/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Connections from a load balancer: headers in any pieces, what is behind them, and whom they speak
 * for.
 */

#include "config.h"

#include "echod/stream/proxy.h"

#include "echod/stream/proxy_header.h"
#include "unit/proxy_scene.h"

#define V2_TCP4 SIGNATURE "\x21\x11\0\x0c\xc0\0\2\x43\xc0\0\2\2\0\x7b\x16\x2e"
#define V2_TCP6                                                                                    \
	SIGNATURE "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"                           \
		  "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\x7b\x16\x2e"
/* With a checksum, and a TLV behind it. */
#define V2_CHECKSUM                                                                                \
	SIGNATURE "\x21\x11\0\x17\xc0\0\2\x43\xc0\0\2\2\0\x7b\x16\x2e\3\0\4\xe2\xf4\x9e\x9d"       \
		  "\5\0\1x"
/* In front of 4068 bytes more. */
#define V2_LONGEST SIGNATURE "\x21\x11\x0f\xf0\xc0\0\2\x43\xc0\0\2\2\0\x7b\x16\x2e"

static const struct {
	const char *bytes;
	size_t size;  /* of BYTES; the rest is zeros, */
	size_t whole; /* up to this */
	const char *who;
} headers[] = {
	{TCP4, sizeof(TCP4) - 1, sizeof(TCP4) - 1, "192.0.2.67:123 via 10.0.0.5:4711"},
	{TCP6, sizeof(TCP6) - 1, sizeof(TCP6) - 1, "[2001:db8::1]:123 via 10.0.0.5:4711"},
	{UNKNOWN, sizeof(UNKNOWN) - 1, sizeof(UNKNOWN) - 1, "10.0.0.5:4711"},
	{V2_TCP4, sizeof(V2_TCP4) - 1, sizeof(V2_TCP4) - 1, "192.0.2.67:123 via 10.0.0.5:4711"},
	{V2_TCP6, sizeof(V2_TCP6) - 1, sizeof(V2_TCP6) - 1, "[2001:db8::1]:123 via 10.0.0.5:4711"},
	{V2_LOCAL, sizeof(V2_LOCAL) - 1, sizeof(V2_LOCAL) - 1, "10.0.0.5:4711"},
	{V2_CHECKSUM, sizeof(V2_CHECKSUM) - 1, sizeof(V2_CHECKSUM) - 1,
	 "192.0.2.67:123 via 10.0.0.5:4711"},
	{V2_LONGEST, sizeof(V2_LONGEST) - 1, PROXY_HEADER_MAX, "192.0.2.67:123 via 10.0.0.5:4711"},
};

TEST_CASE("header", set_up, tear_down);

static size_t header_with_payload(size_t number, char data[static PROXY_HEADER_MAX + 5])
{
	size_t whole = headers[number].whole;

	memset(data, 0, whole);
	memcpy(data, headers[number].bytes, headers[number].size);
	memcpy(data + whole, "hello", 5);
	return whole;
}

TEST_EACH(a_header_may_be_split_anywhere, ARRAY_SIZE(headers))
{
	struct service *service = lasting_service(PROXY "greeting = hi\nprefix = >\n");
	char data[PROXY_HEADER_MAX + 5];
	size_t whole = header_with_payload((size_t)_i, data);

	for (size_t first = 0; first < whole; first++) {
		int fd = connect_as(service, "10.0.0.5");

		if (first > 0)
			send_turn(fd, data, first);
		expect_waiting(fd, first);
		send_turn(fd, data + first, whole + 5 - first);
		scene_expect(fd, "hi>hello");
		ck_assert_uint_eq(scene_count(TCP_ACCEPTED), first + 1);
		ck_assert_uint_eq(scene_count(TCP_RECEIVED_BYTES), (first + 1) * 5);
		expect_gone_after_close(fd);
	}
}

TEST_EACH(a_header_may_come_byte_by_byte, ARRAY_SIZE(headers))
{
	int fd = connect_proxy("greeting = hi\n");
	char data[PROXY_HEADER_MAX + 5];
	size_t whole = header_with_payload((size_t)_i, data);

	for (size_t i = 0; i < whole; i++) {
		expect_waiting(fd, i);
		send_turn(fd, data + i, 1);
	}
	scene_expect(fd, "hi");
	expect_opened(headers[_i].who);
	ck_assert_int_eq(scene_loop.shared->kept.size, 0);
	for (size_t i = whole; i < whole + 5; i++)
		send_turn(fd, data + i, 1);
	scene_expect(fd, "hello");
	ck_assert_uint_eq(scene_count(TCP_RECEIVED_BYTES), 5);
	ck_assert_uint_eq(scene_count(TCP_SENT_BYTES), 7);
	expect_gone_after_close(fd);
}

TEST(parts_of_several_headers_are_kept_apart)
{
	struct service *service = lasting_service(PROXY);
	int one = connect_as(service, "10.0.0.5"), other = connect_as(service, "10.0.0.5");
	static const char tcp6[] = TCP6;

	ck_assert_uint_gt(sizeof(tcp6) - 1, TCP4_SIZE);
	for (size_t i = 0; i < TCP4_SIZE; i++) {
		send_turn(one, tcp4 + i, 1);
		send_turn(other, tcp6 + i, 1);
	}
	expect_opened("192.0.2.67:123 via 10.0.0.5:4711");
	send_turn(other, tcp6 + TCP4_SIZE, sizeof(tcp6) - 1 - TCP4_SIZE);
	expect_opened("[2001:db8::1]:123 via 10.0.0.5:4711");
	close(one);
	close(other);
	TURN_UNTIL(scene_loop.streams->connections == 0);
}

TEST_EACH(what_is_behind_the_header_is_echoed, ARRAY_SIZE(headers))
{
	int fd = connect_proxy("");
	char data[PROXY_HEADER_MAX + 5];
	size_t whole = header_with_payload((size_t)_i, data);

	send_turn(fd, data, whole + 5);
	scene_expect(fd, "hello");
	expect_opened(headers[_i].who);
	expect_gone_after_close(fd);
}

/* A header is one only at the start. */
TEST(a_second_header_is_a_message)
{
	int fd = connect_proxy("");

	SEND(fd, TCP4 TCP4);
	scene_expect(fd, TCP4);
	SEND(fd, TCP4);
	scene_expect(fd, TCP4);
	close(fd);
}

TEST(texts_of_any_length_and_a_large_message_leave_together)
{
	static char data[INPUT_SIZE + 1000], got[sizeof(data) + 1000];
	struct service *service = lasting_service(PROXY);
	struct listener_config settings = *service->settings;
	size_t head = TCP4_SIZE, size = INPUT_SIZE - head, expected;
	int fd = connect_as(service, "10.0.0.5");
	size_t sent = 0, taken = 0;
	ssize_t n;

	settings.greeting.length = settings.prefix.length = LINE_MAX_LENGTH;
	memset(settings.greeting.bytes, 'g', LINE_MAX_LENGTH);
	memset(settings.prefix.bytes, 'p', LINE_MAX_LENGTH);
	service->settings = &settings;
	fill(data, sizeof(data), 1);
	memcpy(data, tcp4, head);
	expected = 2 * LINE_MAX_LENGTH + size;
	while (taken < expected) {
		n = send(fd, data + sent, head + size - sent, MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		if (sent == 0)
			continue;
		scene_turn();
		settings.prefix.length = 0; /* of the pieces that follow */
		n = scene_take(fd, got + taken, sizeof(got) - taken);
		taken += n > 0 ? (size_t)n : 0;
	}
	ck_assert_uint_eq(taken, expected);
	for (size_t i = 0; i < LINE_MAX_LENGTH; i++)
		ck_assert(got[i] == 'g' && got[LINE_MAX_LENGTH + i] == 'p');
	ck_assert_mem_eq(got + 2 * LINE_MAX_LENGTH, data + head, size);
	ck_assert_uint_eq(scene_count(TCP_RECEIVED_BYTES), size);
	expect_gone_after_close(fd);
	service->settings = config_listener(service->config, "x");
}

TEST(the_first_message_may_be_the_one_that_is_replied_to)
{
	int fd = connect_proxy("reply_once = yes\nprefix = >\n");

	SEND(fd, V2_TCP4 "hello");
	scene_expect(fd, ">hello");
	scene_expect_end(fd);
	expect_gone_after_close(fd);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_REPLIED), 1);
}

TEST(a_client_that_does_not_read_is_stalled_as_any_other)
{
	int fd = connect_proxy("stall_timeout = 20s\n");

	SEND(fd, TCP4);
	scene_stall(fd);
	pass(20000 - STEP_MS);
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
	pass(LATE_MS);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_STALL), 1);
	close(fd);
}

TEST(connections_that_speak_for_themselves_are_no_larger)
{
	/* What malloc takes has 16 bytes' steps; the budget of 384 has more than this in it. */
	if (sizeof(void *) == 8)
		ck_assert_uint_le(sizeof(struct connection), 264);
}

TEST_CASE("sources", set_up, tear_down);

static const struct {
	const char *settings, *proxy, *line;
	enum counter counter;
} sources[] = {
	/* Lists are for whom it speaks. */
	{"deny = 10.0.0.0/8\n", "10.0.0.5", TCP4, TCP_ACCEPTED},
	{"deny = 192.0.2.0/24\n", "10.0.0.5", TCP4, TCP_REJECTED_DENIED},
	{"allow = 10.0.0.0/8\n", "10.0.0.5", TCP4, TCP_REJECTED_DENIED},
	{"allow = 192.0.2.67\n", "10.0.0.5", TCP4, TCP_ACCEPTED},
	{"deny = 2001:db8::/64\n", "2001:db8:1::5", TCP6, TCP_REJECTED_DENIED},
	{"deny = 2001:db8:1::/64\n", "2001:db8:1::5", TCP6, TCP_ACCEPTED},
	/* IPv4 in IPv6 is IPv4, on either side. */
	{"deny = 192.0.2.67\n", "10.0.0.5", "PROXY TCP6 ::ffff:192.0.2.67 ::1 1 2\r\n",
	 TCP_REJECTED_DENIED},
	{"deny = ::/0\n", "10.0.0.5", "PROXY TCP6 ::ffff:192.0.2.67 ::1 1 2\r\n", TCP_ACCEPTED},
	{"deny = 192.0.2.67\n", "::ffff:10.0.0.5", TCP4, TCP_REJECTED_DENIED},
	/* Who speaks for itself was let in by proxy_from. */
	{"deny = 10.0.0.0/8\nmax_clients_per_ip = 1\n", "10.0.0.5", UNKNOWN, TCP_ACCEPTED},
	{"allow = 192.0.2.0/24\n", "10.0.0.5", UNKNOWN, TCP_ACCEPTED},
};

TEST_EACH(lists_judge_whom_the_proxy_names, ARRAY_SIZE(sources))
{
	char text[512];
	int fd;

	(void)snprintf(text, sizeof(text), PROXY "%s", sources[_i].settings);
	fd = connect_as(lasting_service(text), sources[_i].proxy);
	send_turn(fd, sources[_i].line, strlen(sources[_i].line));
	ck_assert_uint_eq(scene_count(sources[_i].counter), 1);
	if (sources[_i].counter == TCP_ACCEPTED)
		expect_gone_after_close(fd);
	else
		expect_refused(fd, sources[_i].counter);
}

TEST(a_refusal_names_the_source_and_the_proxy)
{
	int fd = connect_proxy("deny = 192.0.2.67\ngreeting = hi\n");

	SEND(fd, TCP4 "hello");
	expect_refused(fd, TCP_REJECTED_DENIED);
	ck_assert_str_eq(log_lines(),
			 "<6>tcp 192.0.2.67:123 via 10.0.0.5:4711 on x refused: denied\n");
}

TEST(the_limit_of_an_address_is_that_of_the_source)
{
	struct service *service = lasting_service(PROXY "max_clients_per_ip = 2\n");
	int fds[5];

	for (int i = 0; i < 5; i++)
		fds[i] = connect_as(service, "10.0.0.5");
	ck_assert_uint_eq(scene_clients(), 5);
	for (int i = 0; i < 3; i++)
		SEND(fds[i], TCP4);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 2);
	ck_assert_uint_eq(scene_count(TCP_REJECTED_PER_IP), 1);
	ck_assert_uint_eq(scene_clients(), 4);
	SEND(fds[3], TCP6);
	close(fds[0]);
	TURN_UNTIL(scene_loop.streams->connections == 3);
	SEND(fds[4], TCP4); /* room again */
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 4);
	ck_assert_uint_eq(scene_count(TCP_REJECTED_PER_IP), 1);
	for (int i = 1; i < 5; i++)
		close(fds[i]);
	TURN_UNTIL(scene_loop.streams->connections == 0);
}

TEST(a_proxy_may_have_any_number_for_itself)
{
	struct service *service = lasting_service(PROXY "max_clients_per_ip = 1\n");
	int fds[3];

	for (int i = 0; i < 3; i++) {
		fds[i] = connect_as(service, "10.0.0.5");
		send_turn(fds[i], V2_LOCAL, sizeof(V2_LOCAL) - 1);
	}
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 3);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	TURN_UNTIL(scene_loop.streams->connections == 0);
}

static int dial(const struct endpoint *endpoint)
{
	return connect_to("127.0.0.1", address_port(&endpoint->socket->address));
}

TEST(a_connection_of_a_proxy_is_echoed_over_tcp)
{
	struct endpoint *endpoint = scene_serve(lasting_service(PROXY), SOCKET_TCP, "127.0.0.1");
	int fd = dial(endpoint);

	SEND(fd, TCP4 "hello");
	scene_expect(fd, "hello");
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 1);
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	scene_end_serving(endpoint);
}

TEST(who_is_no_proxy_is_closed_at_once)
{
	struct service *service = scene_service(
		"[listener x]\naddress = 127.0.0.1:0\nproxy_from = 10.0.0.5\nallow = 127.0.0.1\n",
		"x");
	struct endpoint *endpoint = scene_serve(service, SOCKET_TCP, "127.0.0.1");
	int fd = dial(endpoint);
	char line[128];

	(void)snprintf(line, sizeof(line),
		       "<6>tcp 127.0.0.1:%u on x refused: proxy: not in proxy_from\n",
		       port_bound_to(fd));
	TURN_UNTIL(scene_count(TCP_REJECTED_PROXY) == 1);
	ck_assert_str_eq(log_lines(), line);
	scene_expect_end(fd);
	expect_refused(fd, TCP_REJECTED_PROXY);
	scene_end_serving(endpoint);
}

TEST(a_refusal_is_a_reset)
{
	struct endpoint *endpoint = scene_serve(lasting_service(PROXY), SOCKET_TCP, "127.0.0.1");
	int fd = dial(endpoint);

	SEND(fd, "hello");
	scene_expect_reset(fd);
	close(fd);
	scene_end_serving(endpoint);
}

TEST(unconnected_to_any_proxy_are_unix_clients)
{
	struct service *service = lasting_service(PROXY);
	char path[256];
	struct endpoint *endpoint;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/stream", test_directory());
	endpoint = scene_serve(service, SOCKET_UNIX, path);
	fd = connect_to(path, 0);
	SEND(fd, TCP4);
	scene_expect(fd, TCP4);
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	scene_end_serving(endpoint);
}
