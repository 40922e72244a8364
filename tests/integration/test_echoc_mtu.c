/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* echoc mtu over loopback; what routers do is tested in tests/lab. */

#include "config.h"

#include <pthread.h>

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"

#define HEADERS 28u /* IPv4 and UDP */

/* A server that does not answer everything. */
struct picky {
	int fd;
	size_t largest; /* packet that it answers */
	unsigned each;	/* and of those one in so many */
};

static void *serve(void *context)
{
	const struct picky *picky = context;
	unsigned count = 0;

	for (;;) {
		static char data[65536];
		struct sockaddr_in from;
		socklen_t length = sizeof(from);
		ssize_t size = recvfrom(picky->fd, data, sizeof(data), 0, (struct sockaddr *)&from,
					&length);

		if (size >= 0 && (size_t)size + HEADERS <= picky->largest &&
		    ++count % picky->each == 0)
			(void)sendto(picky->fd, data, (size_t)size, 0, (struct sockaddr *)&from,
				     length);
	}
	return NULL;
}

static const char *picky_server(size_t largest, unsigned each)
{
	static struct picky picky;
	static char target[32];
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	pthread_t thread;

	picky = (struct picky){socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), largest, each};
	ck_assert_int_eq(bind(picky.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	snprintf(target, sizeof(target), "127.0.0.1:%u", port_bound_to(picky.fd));
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, &picky), 0);
	return target;
}

TEST(loopback_takes_the_largest_packet_there_is)
{
	const char *target = FAULTY(.datagram = true);
	struct echoc echoc = echoc_run(ECHOC_ARGS("mtu", "-v", "-W", "20s", target));

	EXPECT(&echoc, 0, "\n  60: passes, time=", "\n  65535: passes, time=",
	       "\nthere 65535, as large as our own interface allows\n",
	       "\nback unknown, at least 65535\n");
	echoc = echoc_run(ECHOC_ARGS("mtu", "--json", "-W", "20s", target));
	EXPECT(&echoc, 0, "\"verdict\":\"clear\"");
	(void)json_check(echoc.output);
	ck_assert_double_eq(sum_of(&echoc, "there"), 65535);
	ck_assert_double_eq(sum_of(&echoc, "interface_mtu"), 65535);
	ck_assert(json_is(echoc.output, "summary", "back", "null"));
}

TEST(what_vanishes_above_a_size_is_a_black_hole)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("mtu", picky_server(1420, 1)));

	EXPECT(&echoc, 1, "\nthere 1420, black hole: 1421 and more vanish, nobody says so\n",
	       "\nback unknown, at least 1420\n",
	       "\nThe black hole may be on either way: on the way back, too.\n");
}

TEST(one_reply_of_three_is_enough)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("mtu", "--json", "-W", "10s", picky_server(65535, 3)));

	EXPECT(&echoc, 0, NULL);
	(void)json_check(echoc.output);
	ck_assert_double_eq(sum_of(&echoc, "there"), 65535);
	ck_assert_double_eq(json_get(echoc.output, "size", "sent"), 3);
}

TEST(a_port_that_refuses_is_named)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("mtu", "-W", "100ms", closed_port()));

	EXPECT(&echoc, 1, "no reply to the smallest packet, 60 bytes: ", "port unreachable");
	echoc = echoc_run(ECHOC_ARGS("mtu", "--json", "-W", "100ms", closed_port()));
	EXPECT(&echoc, 1, "\"verdict\":\"no reply\"");
	(void)json_check(echoc.output);
}

TEST(full_segments_pass_over_tcp)
{
	const char *target = FAULTY(.datagram = false);
	struct echoc echoc = echoc_run(ECHOC_ARGS("mtu", "-t", "-W", "20s", target));

	EXPECT(&echoc, 0, "\nthere ", ", MSS ", "\nback segments of up to ");
	echoc = echoc_run(ECHOC_ARGS("mtu", "-t", "--json", "-W", "20s", target));
	EXPECT(&echoc, 0, "\"verdict\":\"clear\"");
	(void)json_check(echoc.output);
	ck_assert(json_is(echoc.output, "summary", "stalled", "null"));
	ck_assert_double_ge(sum_of(&echoc, "there"), sum_of(&echoc, "mss"));
}

TEST(what_comes_back_altered_over_tcp_is_corrupt)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("mtu", "-t", "-W", "20s", FAULTY(.fault = FAULT_FLIP, .offset = 40)));

	EXPECT(&echoc, 1, "\ncorrupt: what came back is not what was sent\n");
	echoc = echoc_run(ECHOC_ARGS("mtu", "-t", closed_port()));
	EXPECT_ERRORS(&echoc, 2, "Connection refused: nothing listens there");
}

TEST(a_small_message_without_a_reply_ends_it)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("mtu", "-t", "-W", "100ms", FAULTY(.fault = FAULT_DROP, .size = 64)));

	EXPECT(&echoc, 1, "\nno reply to a small message\n");
}

#define SMALL 64

/* Answers the small message, and takes all else. */
static void *serve_small(void *context)
{
	static char data[65536];
	int fd = accept(*(int *)context, NULL, NULL);
	ssize_t length;

	if (recv(fd, data, SMALL, MSG_WAITALL) == SMALL)
		(void)!send(fd, data, SMALL, 0);
	do
		length = recv(fd, data, sizeof(data), 0);
	while (length > 0);
	close(fd);
	return NULL;
}

TEST(what_stalls_after_a_small_message_is_a_black_hole)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct echoc echoc;
	char target[32];
	pthread_t thread;

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	snprintf(target, sizeof(target), "127.0.0.1:%u", port_bound_to(listener));
	ck_assert_int_eq(pthread_create(&thread, NULL, serve_small, &listener), 0);
	echoc = echoc_run(ECHOC_ARGS("mtu", "-t", "--json", "-W", "2s", target));
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	EXPECT(&echoc, 1, "\"verdict\":\"black hole\"", "\"stalled\":\"back\"");
	(void)json_check(echoc.output);
}
