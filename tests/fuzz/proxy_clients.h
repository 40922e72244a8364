/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The connections of fuzz_proxy.c, of which this is a part: what the server may do with them, and
 * that the books balance.
 */

#pragma once

#include "echod/guard/client_table.h"
#include "echod/serving/loop.h"
#include "echod/stream/proxy_header.h"
#include "echod/stream/streams.h"
#include "fuzz/fake_kernel.h"

struct client {
	bool admitted;
	size_t sent;  /* by the proxy */
	size_t taken; /* by the server */
	size_t length;
	uint8_t *echo;
};

static struct shared_tables shared;
static struct loop loop;
static struct service *service;
static struct client clients[FAKE_SOCKETS];
static uint8_t *stream;
static size_t stream_size;
static size_t verdict_at; /* the stream_size at which the parser knows, and */
static enum proxy_verdict verdict;
static bool denied;

static struct client *client_of(const struct fake_socket *socket)
{
	return &clients[socket - fake_sockets];
}

/* Its header is neither whole nor refused. */
static bool waits(const struct client *client)
{
	return verdict == PROXY_MORE || client->taken < verdict_at;
}

static void fake_on_fill(const struct fake_socket *socket, char *into, size_t count)
{
	const struct client *client = client_of(socket);

	FUZZ_CHECK(client->taken + count <= client->sent);
	memcpy(into, stream + client->taken, count);
}

static void fake_on_recv(const struct fake_socket *socket, const char *into, size_t asked,
			 ssize_t result)
{
	struct client *client = client_of(socket);
	const struct streams *streams = loop.streams;

	FUZZ_CHECK(socket->interest == EPOLLIN && asked > 0);
	FUZZ_CHECK(into >= streams->input && into + asked <= streams->input + INPUT_SIZE);
	FUZZ_CHECK(!waits(client) || into == streams->input + client->taken);
	client->taken += result > 0 ? (size_t)result : 0;
}

static void fake_on_send(const struct fake_socket *socket, const char *from, size_t count,
			 ssize_t result)
{
	struct client *client = client_of(socket);

	FUZZ_CHECK(!waits(client) && verdict == PROXY_COMPLETE && !denied && count > 0);
	if (result <= 0)
		return;
	FUZZ_CHECK(client->length + (size_t)result <= stream_size + 2);
	memcpy(client->echo + client->length, from, (size_t)result);
	client->length += (size_t)result;
}

static void fake_on_accept(struct fake_socket *socket, struct sockaddr *peer, socklen_t *length)
{
	struct sockaddr_in proxy = {.sin_family = AF_INET, .sin_port = htons(4711)};
	struct client *client = client_of(socket);
	uint8_t *echo = malloc(stream_size + 2);

	FUZZ_CHECK(echo && *length >= sizeof(proxy));
	free(client->echo);
	*client = (struct client){.echo = echo};
	proxy.sin_addr.s_addr = htonl(0x0a000005);
	memcpy(peer, &proxy, sizeof(proxy));
	*length = sizeof(proxy);
}

static void fake_on_accept_failed(int error)
{
	FUZZ_CHECK(error == EAGAIN);
}

static void fake_on_shutdown(const struct fake_socket *socket, int result)
{
	FUZZ_CHECK(result < 0 || !waits(client_of(socket)));
}

/* Refused, or behind its header. Where bytes may be lost that is a reset. */
static void fake_on_close(const struct fake_socket *socket)
{
	const struct client *client = client_of(socket);

	if (waits(client) || verdict == PROXY_INVALID || denied)
		FUZZ_CHECK(socket->reset && client->length == 0);
}

static void fake_on_add_refused(const struct fake_socket *socket)
{
	FUZZ_CHECK(!socket); /* nothing refuses here */
}

static uint64_t sum_of(enum counter first, enum counter last)
{
	uint64_t sum = 0;

	for (enum counter which = first; which <= last; which++)
		sum += counter_read(&loop.counters, which);
	return sum;
}

static void check_books(void)
{
	uint64_t open = 0, waiting = 0, read = 0, sent = 0;
	uint64_t accepted = counter_read(&loop.counters, TCP_ACCEPTED);
	uint64_t refused = sum_of(TCP_REJECTED_DENIED, TCP_REJECTED_PROXY);
	uint64_t ended = sum_of(TCP_CLOSED_CLIENT, TCP_CLOSED_REPLIED);

	for (size_t i = 1; i < fake_used; i++) {
		open += fake_sockets[i].open;
		waiting += fake_sockets[i].open && waits(&clients[i]);
		read += clients[i].taken;
		sent += clients[i].length;
	}
	FUZZ_CHECK(loop.streams->connections == open);
	FUZZ_CHECK(client_table_count(shared.clients) == open);
	FUZZ_CHECK(counter_read(&loop.counters, TCP_HEADERS_PENDING) == waiting);
	FUZZ_CHECK(accepted == open - waiting + ended);
	FUZZ_CHECK(fake_used - 1 == accepted + waiting + refused);
	FUZZ_CHECK(counter_read(&loop.counters, TCP_SENT_BYTES) == sent);
	if (refused == 0 && waiting == 0)
		FUZZ_CHECK(counter_read(&loop.counters, TCP_RECEIVED_BYTES) ==
			   read - accepted * verdict_at);
	FUZZ_CHECK(shared.kept.size <=
		   (int64_t)(waiting * PROXY_HEADER_MAX + open * (stream_size + 2)));
}

static void turn(void)
{
	FUZZ_CHECK(event_base_loop(loop.base, EVLOOP_NONBLOCK) >= 0);
	check_books();
}
