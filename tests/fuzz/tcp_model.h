/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a stream connection has to do, judged by its system calls alone: it owes the client what it
 * has read, pays in order and once, and ends for a reason. The fake kernel calls in here; after
 * each turn of the loop model_check compares. Part of fuzz_tcp_echo.c, which owns the loop.
 */

#pragma once

#include "echod/guard/client_table.h"
#include "echod/serving/loop.h"
#include "echod/stream/connection.h"
#include "echod/stream/echo.h"
#include "echod/stream/ending.h"
#include "echod/stream/streams.h"
#include "fuzz/fake_kernel.h"

#define START_MS 123456789
#define LINGER_MS 2000
#define LINGER_BYTES (16 * 1024 * 1024)
#define DRAINED_MS 100
#define SMALL_MESSAGE (16 * 1024)
#define SMALL_LATELY_MS 1000
#define LATE_MS 1000 /* whatever ends a connection, it does so within a second */
#define PATTERN 65521

#define DENIED_SOURCE 1

#define BIT(reason) (1U << (reason))

struct client {
	const struct connection *connection; /* while it is open; to compare with */
	int source;		 /* those with the same count as one address; 0: has none */
	enum counter admission;	 /* TCP_ACCEPTED, or why not */
	const struct text *lead; /* a greeting or prefix that goes before the bytes owed */
	size_t lead_left;
	uint64_t owed_from; /* a place in what it sent us */
	size_t owed;
	bool kept;	 /* a send left some of it */
	bool ended;	 /* our FIN is due */
	bool lost;	 /* the system failed us, the connection must be closed: */
	unsigned why;	 /* it ends for one of these reasons */
	uint64_t read;	 /* before our FIN */
	uint64_t thrown; /* after it */
	uint64_t sent;
	int64_t since;	/* that we wait for what we wait for */
	int64_t quiet;	/* that the peer has done nothing, and after a FIN left nothing to read */
	bool small;	/* the last that it sent was, as we received it */
	bool refused;	/* by recv, though there was something */
	bool eof;	/* the peer's FIN was seen */
	int64_t looked; /* when it was looked at for progress, */
	bool flushing;
	bool stuck; /* with something unread that still is */
};

static struct loop loop;
static struct shared_tables shared;
static struct service *service;
static struct client clients[FAKE_SOCKETS];
static uint64_t counted[COUNTER_SLOTS];
static uint64_t limit;	       /* max_clients */
static int64_t small_messages; /* the last one from a client that exchanges them */
static size_t open_clients;
static bool draining, aborting, sharing;
static int64_t drained_since;
static int64_t reloaded; /* when new settings came, and every look was put off */
static int64_t trouble;	 /* when accepting last failed */
static char pattern[PATTERN + INPUT_SIZE];

static struct client *client_of(const struct fake_socket *socket)
{
	return &clients[socket - fake_sockets];
}

static inline size_t left(const struct client *client)
{
	return client->lead_left + client->owed;
}

/* Which client is the next to come; the target sets it. */
static int name_peer(struct sockaddr *peer, socklen_t *length);

static void make_pattern(void)
{
	uint32_t state = 1;

	if (pattern[0] != 0)
		return;
	for (size_t i = 0; i < sizeof(pattern); i++) {
		state = state * 1664525 + 1013904223;
		pattern[i] = i < PATTERN ? (char)(state >> 24 | 1) : pattern[i - PATTERN];
	}
}

static void model_start(void)
{
	make_pattern();
	fake_ms = START_MS;
	memset(clients, 0, sizeof(clients));
	memset(counted, 0, sizeof(counted));
	open_clients = 0;
	trouble = reloaded = small_messages = 0;
	draining = aborting = sharing = false;
}

/* Every client sends something else. */
static const char *sent_by(const struct client *client, uint64_t from)
{
	return pattern + (from + (uint64_t)(client - clients) * 997) % PATTERN;
}

static void fake_on_fill(const struct fake_socket *socket, char *data, size_t size)
{
	const struct client *client = client_of(socket);

	if (!socket->shut) /* not looked at any more */
		memcpy(data, sent_by(client, client->read), size);
}

static void owe_lead(struct client *client, const struct text *lead)
{
	client->lead = lead;
	client->lead_left = lead->length;
}

static bool replied(const struct client *client)
{
	return service->settings->reply_once && client->read > 0;
}

static void lose(struct client *client, const struct fake_socket *socket, enum counter why)
{
	client->lost = true;
	if (!socket->shut) /* else there is a reason already */
		client->why = BIT(why);
}

/* Clients that send nothing but small messages are noted, and forgotten with a large one. */
static void model_size(struct client *client, size_t size)
{
	bool small = size <= SMALL_MESSAGE;

	if (small && client->small) {
		small_messages = fake_ms;
		sharing = true;
	} else if (!small && fake_ms - small_messages >= SMALL_LATELY_MS) {
		sharing = false;
	}
	client->small = small;
}

static void count_received(const struct fake_socket *socket, struct client *client, size_t size)
{
	counted[TCP_RECEIVED_BYTES] += size;
	if (socket->shut) {
		client->thrown += size;
		client->quiet = fake_ms; /* it was not empty before, however long ago that came */
		return;
	}
	counted[TCP_MESSAGES]++;
	client->owed_from = client->read;
	client->owed = size;
	client->read += size;
	client->since = fake_ms;
	model_size(client, size);
	owe_lead(client, &service->settings->prefix);
}

/* All may be kept that is read: little, once there is much. And small messages wait for it. */
static size_t piece(void)
{
	int64_t left = (shared.kept.room - shared.kept.size) / KEPT_SHARE;
	size_t most = sharing ? SHARED_SIZE : INPUT_SIZE;

	return fake_least(most, left > KEPT_SMALL ? (size_t)left : KEPT_SMALL);
}

/* It ends now, or when the peer has taken what is still under way. */
static void see_end(struct client *client, const struct fake_socket *socket)
{
	client->eof = true;
	if (socket->unread == 0)
		lose(client, socket, TCP_CLOSED_CLIENT);
	else if (!socket->shut)
		client->why = BIT(TCP_CLOSED_CLIENT);
}

static void fake_on_recv(const struct fake_socket *socket, const char *data, size_t asked,
			 ssize_t result)
{
	struct client *client = client_of(socket);

	/* Never while something is owed, never but for what was reported. */
	FUZZ_CHECK(left(client) == 0 && !client->lost && !client->ended && !client->eof);
	FUZZ_CHECK(socket->interest == EPOLLIN);
	FUZZ_CHECK(data == loop.streams->input && asked == (socket->shut ? INPUT_SIZE : piece()));
	client->refused = result < 0 && socket->arrived > 0;
	if (result > 0)
		count_received(socket, client, (size_t)result);
	else if (result == 0)
		see_end(client, socket);
	else if (errno != EAGAIN && errno != EINTR)
		lose(client, socket, TCP_CLOSED_ERROR);
}

static void pay(struct client *client, const char *data, size_t size)
{
	size_t lead = fake_least(size, client->lead_left);

	if (lead > 0)
		FUZZ_CHECK(memcmp(data,
				  client->lead->bytes + client->lead->length - client->lead_left,
				  lead) == 0);
	FUZZ_CHECK(memcmp(data + lead, sent_by(client, client->owed_from), size - lead) == 0);
	client->lead_left -= lead;
	client->owed_from += size - lead;
	client->owed -= size - lead;
	client->sent += size;
	client->stuck &= client->source != 0; /* on a unix stream that counts as progress */
	counted[TCP_SENT_BYTES] += size;
}

static void fake_on_send(const struct fake_socket *socket, const char *data, size_t size,
			 ssize_t result)
{
	struct client *client = client_of(socket);

	FUZZ_CHECK(!socket->shut && !client->lost && size > 0 && size == left(client));
	FUZZ_CHECK(socket->interest == (client->kept ? EPOLLOUT : EPOLLIN));
	if (result < 0 && errno != EAGAIN && errno != EINTR) {
		lose(client, socket, TCP_CLOSED_ERROR);
		return;
	}
	if (result > 0)
		pay(client, data, (size_t)result);
	if (left(client) > 0) {
		client->kept = true;
		return;
	}
	client->ended = replied(client) || (draining && !client->kept && socket->arrived == 0);
	client->kept = false;
	client->since = fake_ms;
}

static bool passed(uint64_t timeout, const struct client *client)
{
	return timeout > 0 && fake_ms >= client->since + (int64_t)timeout;
}

static unsigned reasons_to_end(const struct fake_socket *socket, const struct client *client)
{
	unsigned reasons = replied(client) ? BIT(TCP_CLOSED_REPLIED) : 0;

	if (draining)
		reasons |= BIT(TCP_CLOSED_SHUTDOWN);
	if (passed(service->settings->idle_timeout, client) && socket->unread > 0)
		reasons |= BIT(TCP_CLOSED_IDLE);
	return reasons;
}

static void fake_on_shutdown(const struct fake_socket *socket, int result)
{
	struct client *client = client_of(socket);

	FUZZ_CHECK(left(client) == 0 && !client->lost);
	if (!client->eof)
		client->why = reasons_to_end(socket, client);
	FUZZ_CHECK(client->why != 0);
	client->lost = result < 0;
	client->ended = false;
	client->since = fake_ms;
}

static size_t clients_from(int source)
{
	size_t count = 0;

	for (size_t i = 1; i < fake_used; i++)
		count += fake_sockets[i].open && clients[i].admission == TCP_ACCEPTED &&
			 clients[i].source == source;
	return count;
}

/* Decided at once, by those that are there. */
static enum counter admission(int source)
{
	uint64_t most = service->settings->max_clients_per_ip;

	if (source == DENIED_SOURCE && service->settings->deny.count > 0)
		return TCP_REJECTED_DENIED;
	if (open_clients >= limit)
		return TCP_REJECTED_MAX_CLIENTS;
	if (source != 0 && most > 0 && clients_from(source) >= most)
		return TCP_REJECTED_PER_IP;
	return TCP_ACCEPTED;
}

static void fake_on_accept(struct fake_socket *socket, struct sockaddr *peer, socklen_t *length)
{
	struct client *client = client_of(socket);

	int source = name_peer(peer, length);

	*client = (struct client){
		.source = source, .since = fake_ms, .quiet = fake_ms, .looked = fake_ms};
	client->admission = COUNTER_COUNT; /* not one of those that are there */
	client->admission = admission(source);
	if (client->admission != TCP_ACCEPTED)
		return;
	counted[TCP_ACCEPTED]++;
	open_clients++;
	owe_lead(client, &service->settings->greeting);
}

static void fake_on_accept_failed(int error)
{
	if (error == EAGAIN)
		return;
	counted[TCP_ACCEPT_ERRORS]++;
	if (error != ECONNABORTED)
		trouble = fake_ms;
}

static void fake_on_add_refused(const struct fake_socket *socket)
{
	if (fake_fd(socket) == FAKE_LISTENER)
		trouble = fake_ms;
	else
		lose(client_of(socket), socket, TCP_CLOSED_ERROR);
}

#include "fuzz/tcp_model_end.h"
