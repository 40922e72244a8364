/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The state of one connection and its only constructor and destructor: what the one counts in, the
 * other counts out. Used by echo.c alone.
 */

#ifndef ECHOD_STREAM_CONNECTION_H
#define ECHOD_STREAM_CONNECTION_H

#include <event2/event_struct.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "echod/counters/counters.h"
#include "echod/serving/wheel.h"

struct service;

/* The peer of a stream; a unix one has no name worth keeping. */
union peer {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* As a mark: no progress to wait for. */
#define NOTHING_UNREAD UINT64_MAX

enum connection_state {
	READING,   /* waiting for the client to send; nothing is pending */
	WRITING,   /* waiting for the client to read what is kept */
	LINGERING, /* our FIN is out: what still arrives is thrown away, for a bounded time */
	FLUSHING   /* both ways are over, but the client has not taken all that the kernel holds */
};

struct connection {
	struct event event;
	struct wheel_item item;
	struct service *service;
	char *rest; /* what the client has not taken yet; NULL unless WRITING */
	uint32_t rest_at;
	uint32_t rest_size;
	int64_t since; /* READING: last active; WRITING: last steady; else: in this state */
	int64_t opened;
	int64_t looked; /* when the wheel last looked for progress of the client */
	uint64_t mark;	/* what it saw then */
	uint64_t received;
	uint64_t sent;
	enum connection_state state;
	enum counter ending; /* LINGERING, FLUSHING: what it will be counted as closed for */
	uint32_t lingered;   /* LINGERING: bytes thrown away */
	bool small;	     /* the last read was */
	union peer peer;
};

/*
 * The wheel visits it at DUE. NULL when there is no memory; FD and the place in the client table
 * are then still the caller's.
 */
struct connection *connection_new(struct service *service, int fd, const struct address *peer,
				  int64_t due) WARN_UNUSED;

/* Copies what the client has not taken. -1: no memory. */
int connection_keep(struct connection *connection, const char *data, size_t size) WARN_UNUSED;
void connection_release_rest(struct connection *connection);

/* Frees it and everything it holds. Its last use: only event callbacks and visits end with this. */
void connection_close(struct connection *connection, enum counter why);

/* The same, but the peer is told that bytes were lost, and the kernel forgets them at once. */
void connection_reset(struct connection *connection, enum counter why);

#endif
