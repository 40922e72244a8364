/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* How a stream connection may end, and how long it may last. Part of tcp_model.h. */

#pragma once

#define FLUSH_MS (2 * 60 * 1000) /* the patience with an end where stall_timeout is 0 */

static bool empty(const struct fake_socket *socket)
{
	return socket->arrived == 0 && socket->unread == 0;
}

/* After our FIN nothing more is thrown away. */
static bool may_flush(const struct client *client)
{
	return client->eof || client->thrown >= LINGER_BYTES ||
	       (client->why & BIT(TCP_CLOSED_IDLE)) ||
	       (client->why != BIT(TCP_CLOSED_SHUTDOWN) && passed(LINGER_MS, client));
}

/* How long it may leave unread what the kernel holds. */
static uint64_t patience(const struct fake_socket *socket)
{
	uint64_t timeout = service->settings->stall_timeout;

	return timeout == 0 && socket->edge ? FLUSH_MS : timeout;
}

/* Nothing went wrong, so it must be time, or the end of all. */
static void check_end(const struct fake_socket *socket, const struct client *client,
		      enum counter why)
{
	const struct listener_config *settings = service->settings;

	if (why == TCP_CLOSED_STALL && left(client) == 0) {
		FUZZ_CHECK(client->stuck && socket->unread > 0 && socket->reset);
		FUZZ_CHECK(fake_ms >= client->looked + (int64_t)patience(socket));
	} else if (socket->shut) {
		FUZZ_CHECK(client->why & BIT(why));
		FUZZ_CHECK(aborting || socket->edge || may_flush(client) ||
			   (draining && passed(DRAINED_MS, client) && empty(socket)));
		FUZZ_CHECK(socket->unread == 0 || socket->reset ||
			   (socket->edge && socket->broken));
	} else if (aborting) {
		FUZZ_CHECK(why == TCP_CLOSED_SHUTDOWN && socket->reset);
	} else if (why == TCP_CLOSED_SHUTDOWN) {
		FUZZ_CHECK(draining && left(client) == 0 && empty(socket));
	} else if (why == TCP_CLOSED_IDLE) {
		FUZZ_CHECK(passed(settings->idle_timeout, client) && left(client) == 0);
		FUZZ_CHECK(socket->unread == 0);
		FUZZ_CHECK(socket->arrived == 0 || client->refused);
	} else {
		FUZZ_CHECK(why == TCP_CLOSED_STALL && left(client) > 0);
		FUZZ_CHECK(passed(settings->stall_timeout, client));
	}
}

/* What it was counted for: one thing, and once. */
static enum counter counted_for(enum counter first, enum counter last)
{
	enum counter found = COUNTER_SLOTS;

	for (enum counter which = first; which <= last; which++) {
		if (counter_read(&loop.counters, which) == counted[which])
			continue;
		FUZZ_CHECK(counter_read(&loop.counters, which) == counted[which] + 1);
		FUZZ_CHECK(found == COUNTER_SLOTS);
		found = which;
	}
	FUZZ_CHECK(found != COUNTER_SLOTS);
	counted[found]++;
	return found;
}

static void fake_on_close(const struct fake_socket *socket)
{
	struct client *client = client_of(socket);
	enum counter why;

	FUZZ_CHECK(fake_fd(socket) != FAKE_LISTENER);
	if (client->admission != TCP_ACCEPTED) {
		FUZZ_CHECK(counted_for(TCP_REJECTED_DENIED, TCP_ACCEPT_ERRORS) ==
			   client->admission);
		return;
	}
	open_clients--;
	trouble = 0; /* what came free ends a pause */
	why = counted_for(TCP_CLOSED_CLIENT, TCP_CLOSED_REPLIED);
	if (client->lost)
		FUZZ_CHECK(client->why & BIT(why));
	else
		check_end(socket, client, why);
	/* A client never takes a part for the whole. */
	FUZZ_CHECK(left(client) == 0 || socket->reset);
}

/* The time by which it has ended if nothing happens. */
static int64_t end_of(const struct fake_socket *socket, const struct client *client)
{
	const struct listener_config *settings = service->settings;
	uint64_t timeout = LINGER_MS;

	if (socket->edge)
		timeout = 0;
	else if (!socket->shut)
		timeout = left(client) > 0 ? settings->stall_timeout : settings->idle_timeout;
	else if (client->why & BIT(TCP_CLOSED_SHUTDOWN))
		timeout = 0;
	return timeout > 0 ? client->since + (int64_t)timeout : INT64_MAX - LATE_MS;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Who has taken nothing from one look to the next is there no more. */
static void check_progress(const struct fake_socket *socket, struct client *client)
{
	int64_t looked = client->connection->looked;
	uint64_t timeout = patience(socket);

	if (looked != client->looked || socket->edge != client->flushing) {
		FUZZ_CHECK(!client->stuck || socket->edge);
		client->flushing = socket->edge;
		client->stuck = socket->unread > 0;
		client->looked = looked;
	}
	if (timeout > 0 && left(client) == 0)
		FUZZ_CHECK(fake_ms <
			   later(later(looked, client->since) + (int64_t)timeout, reloaded) +
				   LATE_MS);
}

/* One that is open, once the loop has turned. */
static void check_client(const struct fake_socket *socket, struct client *client)
{
	const struct connection *connection = client->connection;
	const struct stage *stage = left(client) > 0 ? &stage_writing : &stage_reading;

	if (socket->shut)
		stage = socket->edge ? &stage_flushing : &stage_lingering;
	FUZZ_CHECK(client->admission == TCP_ACCEPTED && connection);
	FUZZ_CHECK(!client->lost && !client->ended);
	FUZZ_CHECK(connection->stage == stage);
	FUZZ_CHECK(socket->interest ==
		   (stage == &stage_writing || stage == &stage_flushing ? EPOLLOUT : EPOLLIN));
	FUZZ_CHECK(socket->edge == (stage == &stage_flushing));
	if (stage == &stage_flushing)
		FUZZ_CHECK(socket->unread > 0 && !socket->broken && may_flush(client));
	check_progress(socket, client);
	FUZZ_CHECK((connection->rest != NULL) == (stage == &stage_writing));
	if (stage == &stage_writing)
		FUZZ_CHECK(connection->rest_size - connection->rest_at == left(client));
	FUZZ_CHECK(connection->received == client->read + client->thrown);
	FUZZ_CHECK(connection->sent == client->sent);
	FUZZ_CHECK(client->thrown < LINGER_BYTES || stage == &stage_flushing);
	FUZZ_CHECK(fake_ms < later(end_of(socket, client), reloaded) + LATE_MS);
	if (draining && stage != &stage_writing && empty(socket) &&
	    (stage == &stage_reading || client->why == BIT(TCP_CLOSED_SHUTDOWN)))
		FUZZ_CHECK(fake_ms < later(later(drained_since, reloaded),
					   later(client->since, client->quiet)) +
					     LATE_MS);
}
