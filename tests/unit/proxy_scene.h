/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Connections from a load balancer in a scene: the sockets are pairs, and who is at the other end
 * the test says. Has the fake clock and the log: one file of a program includes this.
 */

#pragma once

#include "echod/stream/admission.h"
#include "echod/stream/proxy.h"
#include "support/test.h"
#include "unit/config_text.h"
#include "unit/log_lines.h"
#include "unit/scene_time.h"

#define PROXY                                                                                      \
	"[listener x]\naddress = 127.0.0.1:0\nproxy_from = 10.0.0.0/24 2001:db8:1::5 127.0.0.1\n"
#define LATE_MS (250 + 2 * STEP_MS)
#define HEADER_MS 5000

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4 "PROXY TCP4 192.0.2.67 192.0.2.2 123 5678\r\n"
#define TCP6 "PROXY TCP6 2001:db8::1 2001:db8::2 123 5678\r\n"
#define UNKNOWN "PROXY UNKNOWN\r\n"
#define V2_LOCAL SIGNATURE "\x20\x11\0\x0c\xc0\0\2\x43\xc0\0\2\2\0\x7b\x16\x2e"

/* In parts. */
static const char tcp4[] = TCP4 "hello";
#define TCP4_SIZE (sizeof(TCP4) - 1)

static inline void set_up(void)
{
	scene_open();
	log_lines_begin(LEVEL_INFO);
}

static inline void tear_down(void)
{
	log_lines_end();
	scene_close();
}

/* A service that is there without a connection, too. */
static inline struct service *lasting_service(const char *text)
{
	return service_join(scene_service(text, "x"));
}

/* One end of a connection from HOST, the server has the other. */
static inline int connect_as(struct service *service, const char *host)
{
	struct address address = at(host, 4711);
	struct peer peer;
	int ends[2];

	peer_set(&peer, &address);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
			 0);
	ck_assert_int_eq(admit_proxy(service, &peer), ADMITTED);
	ck_assert_int_eq(proxy_start(service, ends[0], &peer), 0);
	return ends[1];
}

static inline int connect_proxy(const char *settings)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), PROXY "%s", settings);
	return connect_as(lasting_service(text), "10.0.0.5");
}

static inline void send_turn(int fd, const char *data, size_t size)
{
	send_all(fd, data, size);
	scene_turn();
}

#define SEND(fd, literal) send_turn(fd, literal, sizeof(literal) - 1)

/* Counted as a client, and otherwise as nothing yet; nothing was sent. */
static inline void expect_waiting(int fd, size_t kept)
{
	char byte;

	ck_assert_ptr_eq(scene_connection()->stage, &stage_proxy);
	ck_assert_int_eq(scene_take(fd, &byte, 1), -1);
	ck_assert_uint_eq(scene_clients(), 1);
	ck_assert_uint_eq(scene_count(TCP_HEADERS_PENDING), 1);
	ck_assert_int_eq(scene_loop.shared->kept.size, (int64_t)kept);
}

/* Whichever way: a pair of unix sockets has no reset but for what was not read. */
static inline void expect_refused(int fd, enum counter why)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);

	ck_assert(got == 0 || (got < 0 && errno == ECONNRESET));
	ck_assert_uint_eq(scene_count(why), 1);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 0);
	ck_assert_uint_eq(scene_count(TCP_HEADERS_PENDING), 0);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	ck_assert_uint_eq(scene_clients(), 0);
	ck_assert_int_eq(scene_loop.shared->kept.size, 0);
	close(fd);
}

static inline void expect_gone_after_close(int fd)
{
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_uint_eq(scene_clients(), 0);
	ck_assert_uint_eq(scene_count(TCP_HEADERS_PENDING), 0);
	ck_assert_int_eq(scene_loop.shared->kept.size, 0);
}

static inline void expect_opened(const char *who)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "<6>tcp %s on x opened\n", who);
	ck_assert_str_eq(log_lines(), line);
}
