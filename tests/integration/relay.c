/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See relay.h. */

#include "config.h"

#include "integration/relay.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "integration/net.h"
#include "support/test.h"

struct way {
	int from, to;
	uint64_t lost, doubled;
	unsigned count;
};

struct path {
	struct way there, back;
	struct address client;
	unsigned copies;
	int longer;
	void (*alter)(uint8_t *reply, size_t size);
};

static bool has(uint64_t bits, unsigned number)
{
	return number < 64 && (bits >> number & 1) != 0;
}

static void pass(struct path *path, struct way *way)
{
	struct sockaddr *client = &path->client.sa;
	bool back = way == &path->back;
	static _Thread_local uint8_t data[DATAGRAM_ROOM];
	struct address from = {.length = sizeof(from.in6)};
	ssize_t size = recvfrom(way->from, data, sizeof(data), 0, &from.sa, &from.length);
	unsigned number = way->count++;

	if (size < 0 || has(way->lost, number))
		return;
	if (!back)
		path->client = from;
	else
		size += path->longer;
	if (back && path->alter)
		path->alter(data, (size_t)size);
	for (unsigned i = 1 + has(way->doubled, number) + (back ? path->copies : 0); i > 0; i--)
		(void)!sendto(way->to, data, (size_t)size, 0, back ? client : NULL,
			      back ? path->client.length : 0);
}

static void *run(void *context)
{
	struct path *path = context;
	struct pollfd ends[] = {{.fd = path->there.from, .events = POLLIN},
				{.fd = path->back.from, .events = POLLIN}};

	while (poll(ends, 2, -1) >= 0) {
		if (ends[0].revents != 0)
			pass(path, &path->there);
		if (ends[1].revents != 0)
			pass(path, &path->back);
	}
	return NULL;
}

const char *relay_start(const struct relay *relay)
{
	struct address server = at("127.0.0.1", relay->port);
	int near = datagram_socket("127.0.0.1"), far = datagram_socket("127.0.0.1");
	struct path *path = calloc(1, sizeof(*path));
	pthread_t thread;

	ck_assert_ptr_nonnull(path);
	ck_assert_int_eq(connect(far, &server.sa, server.length), 0);
	path->there = (struct way){near, far, relay->lost_there, relay->doubled_there, 0};
	path->back = (struct way){far, near, relay->lost_back, relay->doubled_back, 0};
	path->alter = relay->alter;
	path->longer = relay->longer;
	path->copies = relay->copies;
	ck_assert_int_eq(pthread_create(&thread, NULL, run, path), 0);
	ck_assert_int_eq(pthread_detach(thread), 0);
	return target_of(near);
}
