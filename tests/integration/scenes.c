/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See scenes.h. */

#include "config.h"

#include "integration/scenes.h"

#include "integration/harness.h"
#include "integration/net.h"

/* Small enough that one fits into what echod has not read, with none left over on our side. */
#define PIECE (48 * 1024)
#define STALL_MAX (12 * 1024 * 1024)

/* So often in a row must something be kept, for a worker that is only slow to have caught up. */
#define SEEN_IN_A_ROW 20

struct echod *finished(const struct echod_setup *setup, int status)
{
	struct echod *echod = echod_spawn(setup);
	int ended = echod_wait(echod);

	ck_assert_msg(ended == status, "exit status %d instead of %d; %s", ended, status,
		      echod_log(echod));
	return echod;
}

struct echod *finished_with(const char *config, const char *const *arguments, int status)
{
	struct echod_setup setup = {.config = config, .arguments = arguments};

	return finished(&setup, status);
}

size_t lines(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

void expect_one_line(struct echod *echod, const char *what, const char *help)
{
	const char *log = echod_log(echod);

	ck_assert_msg(lines(log) == 1, "not one line: %s", log);
	ck_assert_msg(strstr(log, what) != NULL, "not '%s', but: %s", what, log);
	ck_assert_msg(strstr(log, help) != NULL, "not '%s', but: %s", help, log);
	ck_assert_str_eq(echod_output(echod), "");
}

int occupy(int type, uint16_t *port)
{
	struct address own = at("127.0.0.1", 0);
	int fd = new_socket(&own, type);

	ck_assert_int_eq(bind(fd, &own.sa, own.length), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, &own.sa, &own.length), 0);
	*port = address_port(&own);
	return fd;
}

void connect_and_say_hello(int clients[static WAITING], const char *host, uint16_t port)
{
	for (size_t i = 0; i < WAITING; i++) {
		clients[i] = connect_to(host, port);
		send_all(clients[i], "hello", 5);
	}
}

static int connect_narrow(uint16_t port)
{
	struct address to = at("127.0.0.1", port);
	int fd = new_socket(&to, SOCK_STREAM);
	int small = 4096;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	ck_assert_int_eq(connect(fd, &to.sa, to.length), 0);
	return fd;
}

/* Asked in this order: what had come by then has not left by now. */
static bool keeps_something(struct echod *echod)
{
	uint64_t received = echod_counter(echod, "received_bytes_tcp");

	return echod_counter(echod, "sent_bytes_tcp") < received;
}

static char stalled_data[STALL_MAX];

struct stalled stall(struct echod *echod)
{
	struct stalled stalled = {.fd = connect_narrow(port_of(echod))};
	int64_t give_up_at = now_ms() + patience_ms();
	ssize_t sent;

	fill(stalled_data, STALL_MAX, 1);
	for (int seen = 0; seen < SEEN_IN_A_ROW; seen++) {
		ck_assert_int_lt(now_ms(), give_up_at);
		if (keeps_something(echod))
			continue;
		seen = 0;
		ck_assert_uint_lt(stalled.size, STALL_MAX - PIECE);
		sent = send(stalled.fd, stalled_data + stalled.size, PIECE,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0)
			stalled.size += (size_t)sent;
	}
	return stalled;
}

void stalled_expect_all(const struct stalled *stalled)
{
	char *came = malloc(stalled->size);

	ck_assert_ptr_nonnull(came);
	recv_exact(stalled->fd, came, stalled->size);
	ck_assert_mem_eq(came, stalled_data, stalled->size);
	free(came);
	expect_end(stalled->fd);
	close(stalled->fd);
}
