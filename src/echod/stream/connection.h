/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The state of one connection and its only constructor and destructor: what the one counts in, the
 * other counts out. Used by the stages.
 */

#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "echod/counters/counters.h"
#include "echod/serving/wheel.h"
#include "echod/stream/peer.h"

struct refusal;
struct service;

/* As a mark: no progress to wait for. */
#define NOTHING_UNREAD UINT64_MAX

struct connection;

/*
 * What a connection waits for, and what becomes of it. Its stages are constants of the files that
 * work in them: proxy.c has the one before a connection is accepted, echo.c those in which it
 * echoes, ending.c the last ones.
 */
struct stage {
	short events;		 /* of its socket */
	event_callback_fn ready; /* one of them has come; ARG is the connection */

	/* When its time in this stage is over (clock_ms); INT64_MAX: never. */
	int64_t (*deadline)(const struct connection *connection);
	bool (*expire)(
		struct connection *connection); /* it is: whether that ended the connection */

	void (*drain)(struct connection *connection); /* we begin to stop; NULL: it goes on */
	void (*abort)(struct connection *connection); /* all end at once; NULL: as any other */
	/* Whether it ends as soon as the client has taken everything; NULL: it does not. */
	bool (*may_drain)(const struct connection *connection);

	uint64_t stall_timeout; /* in place of a setting that is 0; 0: then none applies */
	bool is_strict; /* the deadline is that of a stall: what the kernel holds is not watched */
	bool is_over;	/* nothing more is echoed, and connection->ending is settled */
};

struct connection {
	struct event event;
	struct wheel_item item;
	struct service *service;
	const struct stage *stage; /* NULL before the first one */
	char *rest; /* writing: what the client has not taken yet; of a header: what has come */
	uint32_t rest_at;
	uint32_t rest_size;
	int64_t since;	/* reading: last active; writing: last steady; else: in this stage */
	int64_t opened; /* accepted by the kernel, and then by us */
	int64_t looked; /* when the wheel last looked for progress of the client */
	uint64_t mark;	/* what it saw then */
	uint64_t received;
	uint64_t sent;
	enum counter ending; /* once is_over: what it will be counted as closed for */
	uint32_t lingered;   /* after our FIN: bytes discarded */
	struct peer peer;    /* whom it speaks for: that of the socket, or whom the proxy names */
	bool accepted;	     /* counted and logged as opened; before that it may be refused */
	bool source_counted; /* in the client table, beside the total */
	bool small;	     /* the last read was */
	bool is_proxied;     /* the proxy has named whom it speaks for */
	struct peer proxy[]; /* its socket's peer: only if that is a proxy */
};

/*
 * Of a client that was admitted, PEER itself or the proxy in front of it; in no stage and on no
 * wheel yet. NULL when there is no memory: FD and the admission are then still the caller's.
 */
struct connection *connection_new(struct service *service, int fd, const struct peer *peer,
				  bool is_proxy) WARN_UNUSED;

/* It is accepted: counts and logs it, and its times begin. */
void connection_open(struct connection *connection);

/* In place of connection_open: counts, logs and resets it. */
void connection_refuse(struct connection *connection, const struct refusal *refusal);

/* Copies what the client has not taken, or has sent of a header. -1: no memory. */
int connection_keep(struct connection *connection, const char *data, size_t size) WARN_UNUSED;
void connection_release_rest(struct connection *connection);

/* Frees it and everything it holds. Its last use: only event callbacks and visits end with this. */
void connection_close(struct connection *connection, enum counter why);

/* The same by a reset: the peer learns that bytes were lost, and the kernel forgets them. */
void connection_reset(struct connection *connection, enum counter why);
