/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Streams: that what comes back is what was sent, and what a connection holds meanwhile. */

#include "config.h"

#include "echod/stream/echo.h"

#include "support/test.h"
#include "unit/loop_scene.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"
#define SMALL_BUFFER 4608 /* the least that Linux gives */

static int (*const connects[])(struct service *, int) = {scene_connect_tcp, scene_connect_unix};

/* The same for the same seed. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* A client that sends and reads in pieces of random sizes, in random order. */
struct client {
	int fd;
	uint32_t random;
	const char *data;
	size_t size, sent, got;
};

static void send_piece(struct client *client)
{
	size_t left = client->size - client->sent;
	size_t piece = next_random(&client->random) % (1u << (1 + client->random % 18));
	ssize_t sent = send(client->fd, client->data + client->sent, piece < left ? piece : left,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	ck_assert_msg(sent >= 0 || errno == EAGAIN, "send: %s", strerror(errno));
	if (sent > 0)
		client->sent += (size_t)sent;
	if (client->sent == client->size)
		ck_assert_int_eq(shutdown(client->fd, SHUT_WR), 0);
}

/* False when the end has come. */
static bool read_piece(struct client *client)
{
	static char echo[1 << 18];
	size_t piece = 1 + next_random(&client->random) % (1u << (client->random % 19));
	ssize_t taken = scene_take(client->fd, echo, piece < sizeof(echo) ? piece : sizeof(echo));

	if (taken == 0)
		return false;
	if (taken > 0) {
		ck_assert_uint_le(client->got + (size_t)taken, client->sent);
		ck_assert_mem_eq(echo, client->data + client->got, (size_t)taken);
		client->got += (size_t)taken;
	}
	return true;
}

static void expect_faithful(int fd, const char *data, size_t size, uint32_t seed)
{
	struct client client = {.fd = fd, .random = seed, .data = data, .size = size};
	int64_t give_up_at = now_ms() + patience_ms();

	for (;;) {
		if (client.sent < size && next_random(&client.random) % 2 == 0)
			send_piece(&client);
		if (next_random(&client.random) % 2 == 0 && !read_piece(&client))
			break;
		scene_turn();
		ck_assert_int_lt(now_ms(), give_up_at);
	}
	ck_assert_uint_eq(client.got, size);
}

TEST_CASE("echo", scene_open, scene_close);

TEST_EACH(every_byte_comes_back_whatever_the_sizes, 4)
{
	const size_t size = 3 << 20;
	struct service *service = scene_service(PLAIN, "x");
	char *data = malloc(size);
	int fd = connects[_i / 2](service, _i % 2 * SMALL_BUFFER);

	fill(data, size, (uint32_t)_i);
	expect_faithful(fd, data, size, (uint32_t)_i);
	ck_assert_uint_eq(scene_count(TCP_RECEIVED_BYTES), size);
	ck_assert_uint_eq(scene_count(TCP_SENT_BYTES), size);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_CLIENT), 1);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	free(data);
}

TEST_EACH(half_close_returns_every_byte, 2)
{
	static char data[200000], echo[200000];
	int fd = connects[_i](scene_service(PLAIN, "x"), SMALL_BUFFER);
	size_t sent = 0;

	fill(data, sizeof(data), 1);
	while (sent < sizeof(data)) {
		ssize_t n = send(fd, data + sent, sizeof(data) - sent, MSG_DONTWAIT);

		if (n > 0)
			sent += (size_t)n;
		else if (scene_connection()->stage == &stage_writing)
			break;
		scene_turn();
	}
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	scene_read(fd, echo, sent);
	ck_assert_mem_eq(echo, data, sent);
	scene_expect_end(fd);
}

TEST(an_idle_connection_owns_no_buffer)
{
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), 0);
	struct connection *connection = scene_connection();

	scene_exchange(fd, "hello", "hello");
	ck_assert_ptr_eq(connection->stage, &stage_reading);
	ck_assert_ptr_null(connection->rest);
}

TEST_EACH(a_client_that_does_not_read_is_not_read_from, 2)
{
	int fd = connects[_i](scene_service(PLAIN, "x"), SMALL_BUFFER);
	struct connection *connection = scene_connection();
	uint64_t received;

	scene_stall(fd);
	ck_assert_ptr_eq(connection->stage, &stage_writing);
	ck_assert_uint_gt(connection->rest_size, 0);
	ck_assert_uint_le(connection->rest_size, INPUT_SIZE);
	received = scene_count(TCP_RECEIVED_BYTES);
	for (int i = 0; i < 10; i++)
		scene_turn();
	ck_assert_uint_eq(scene_count(TCP_RECEIVED_BYTES), received);
	ck_assert_uint_eq(received - scene_count(TCP_SENT_BYTES),
			  connection->rest_size - connection->rest_at);
}

TEST(the_buffer_goes_when_the_client_has_read)
{
	static char echo[1 << 18];
	int fd = scene_connect_unix(scene_service(PLAIN, "x"), SMALL_BUFFER);
	struct connection *connection = scene_connection();

	scene_stall(fd);
	ck_assert_ptr_nonnull(connection->rest);
	do {
		while (scene_take(fd, echo, sizeof(echo)) > 0)
			;
		scene_turn();
	} while (scene_count(TCP_SENT_BYTES) < scene_count(TCP_RECEIVED_BYTES));
	ck_assert_ptr_null(connection->rest);
	ck_assert_ptr_eq(connection->stage, &stage_reading);
	while (scene_take(fd, echo, sizeof(echo)) > 0)
		;
	scene_exchange(fd, "on", "on");
}

TEST(a_greeting_comes_first_and_unasked)
{
	int fd = scene_connect_tcp(scene_service(PLAIN "greeting = hello\\r\\n\n", "x"), 0);

	scene_expect(fd, "hello\r\n");
	scene_exchange(fd, "x", "x");
	ck_assert_uint_eq(scene_count(TCP_RECEIVED_BYTES), 1);
	ck_assert_uint_eq(scene_count(TCP_SENT_BYTES), 8);
}

TEST(a_prefix_stands_before_every_piece)
{
	int fd = scene_connect_tcp(
		scene_service(PLAIN "prefix = you said:\\x20\ngreeting = hi\n", "x"), 0);

	scene_expect(fd, "hi");
	scene_exchange(fd, "one", "you said: one");
	scene_exchange(fd, "two", "you said: two");
}

TEST(the_longest_prefix_fits_before_a_large_piece)
{
	static char text[256], data[INPUT_SIZE], echo[INPUT_SIZE + LINE_MAX_LENGTH];
	const size_t prefix = LINE_MAX_LENGTH - strlen("prefix = ");
	ssize_t sent;
	int fd;

	snprintf(text, sizeof(text), PLAIN "prefix = %0*d\n", (int)prefix, 7);
	fd = scene_connect_unix(scene_service(text, "x"), 0);
	fill(data, sizeof(data), 3);
	sent = send(fd, data, sizeof(data), 0);
	ck_assert_int_gt(sent, 100000);
	scene_read(fd, echo, prefix + (size_t)sent);
	ck_assert_mem_eq(echo, strstr(text, "000"), prefix);
	ck_assert_mem_eq(echo + prefix, data, (size_t)sent);
}

TEST_EACH(reply_once_ends_after_the_first_piece, 2)
{
	int fd = connects[_i](
		scene_service(PLAIN "reply_once = yes\ngreeting = hi\nprefix = >\n", "x"), 0);

	scene_expect(fd, "hi");
	scene_turn();
	scene_exchange(fd, "one", ">one");
	scene_expect_end(fd);
	ck_assert_int_eq(send(fd, "too late", 8, MSG_NOSIGNAL), 8);
	TURN_UNTIL(scene_count(TCP_RECEIVED_BYTES) == 3 + 8);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_REPLIED), 0);
	close(fd);
	TURN_UNTIL(scene_count(TCP_CLOSED_REPLIED) == 1);
	ck_assert_uint_eq(scene_count(TCP_SENT_BYTES), 2 + 4);
}

TEST(reply_once_waits_until_a_slow_client_has_it_all)
{
	static char data[100000], echo[100000];
	int fd = scene_connect_unix(scene_service(PLAIN "reply_once = yes\n", "x"), SMALL_BUFFER);
	size_t got = 0;
	ssize_t taken;

	fill(data, sizeof(data), 5);
	ck_assert_int_eq(send(fd, data, sizeof(data), 0), sizeof(data));
	TURN_UNTIL(scene_connection()->stage == &stage_writing);
	for (;;) {
		TURN_UNTIL((taken = scene_take(fd, echo + got, 1000)) >= 0);
		if (taken == 0)
			break;
		got += (size_t)taken;
	}
	ck_assert_uint_gt(got, SMALL_BUFFER);
	ck_assert_mem_eq(echo, data, got);
	close(fd);
	TURN_UNTIL(scene_count(TCP_CLOSED_REPLIED) == 1);
}

TEST(a_reset_by_the_client_is_an_error_and_nothing_more)
{
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), 0);

	scene_exchange(fd, "x", "x");
	reset(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_ERROR), 1);
}

TEST_EACH(a_client_gone_while_its_echo_is_kept_is_an_error, 2)
{
	int fd = connects[_i](scene_service(PLAIN, "x"), SMALL_BUFFER);

	scene_stall(fd);
	ck_assert_ptr_eq(scene_connection()->stage, &stage_writing);
	reset(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_ERROR), 1);
}
