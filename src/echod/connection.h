/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The state of one connection and its only constructor and destructor: what the one counts in, the
 * other counts out. Used by tcp_echo.c alone.
 */

#ifndef ECHOD_CONNECTION_H
#define ECHOD_CONNECTION_H

#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdint.h>

#include "common/address.h"
#include "counters.h"
#include "wheel.h"

struct service;

/* The peer of a stream; a unix one has no name worth keeping. */
union peer {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

enum connection_state {
	READING,  /* waiting for the client to send; nothing is pending */
	WRITING,  /* waiting for the client to read what is kept */
	LINGERING /* our FIN is out: what still arrives is thrown away, for a bounded time */
};

struct connection {
	struct event event;
	struct wheel_item item;
	struct service *service;
	char *rest; /* what the client has not taken yet; NULL unless WRITING */
	size_t rest_at;
	size_t rest_size;
	int64_t since; /* READING: last active; WRITING, LINGERING: since when (clock_ms) */
	int64_t opened;
	uint64_t received;
	uint64_t sent;
	enum connection_state state;
	enum counter ending; /* LINGERING: what it will be counted as closed for */
	uint32_t lingered;   /* LINGERING: bytes thrown away */
	union peer peer;
};

/*
 * NULL when there is no memory; FD and the place in the client table are then still the caller's.
 */
struct connection *connection_new(struct service *service, int fd,
				  const struct address *peer) WARN_UNUSED;

/* Frees it and everything it holds. Its last use: only event callbacks and visits end with this. */
void connection_close(struct connection *connection, enum counter why);

/* The same, but the peer is told that bytes were lost, and the kernel forgets them at once. */
void connection_reset(struct connection *connection, enum counter why);

#endif
