/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The socket of one flow; over TCP also what happens to its probes when the connection is lost, and
 * how it is re-established. Its user reads and writes; the link reports replies, losses and
 * incidents.
 */

#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "probe/flow.h"
#include "probe/stream.h"
#include "probe/target.h"
#include "probe/tcp_figures.h"
#include "probe/writer.h"

/* The callbacks of a link's user; CONTEXT is the link's. */
struct link_user {
	event_callback_fn readable;
	event_callback_fn writable;
	void (*reconnected)(void *context);
	stream_message *reply;
	/* Has to call flow_lose(). */
	void (*lost)(void *context, uint64_t sequence, const char *why);
	/* May be NULL; ERROR 0 is none. */
	void (*note)(void *context, const char *what, int error);
};

/* A connect that is on its way. */
struct link_attempt {
	struct link *link;
	struct event *event;
	uint64_t begun;
	int fd; /* -1: none */
};

struct link {
	const struct link_user *user; /* not owned, as all that follows */
	void *context;
	struct event_base *base;
	const struct target *target;
	struct flow *flow;
	int fd;	     /* -1: not connected */
	bool wanted; /* to be re-established when it is lost */
	bool was_open;
	bool heard; /* something was received on it */
	struct event readable;
	struct event writable;
	struct stream stream; /* TCP only */
	struct writer writer;
	struct link_attempt *attempts; /* owned */
	unsigned max_attempts;	       /* at a time */
	uint64_t patience;	       /* how long each may take */
	uint64_t tried;		       /* when the latest began */
	struct tcp_figures ended;      /* of connections that are no more, */
	bool unread;		       /* without those closed while this is set */
};

/* The caller has set what is above fd, max_attempts and patience. -1 without memory. */
int link_init(struct link *link) WARN_UNUSED;
void link_clear(struct link *link); /* also of one that was not made */

/* Takes over a connected socket. -1 without memory; it is closed then. */
int link_open(struct link *link, int fd) WARN_UNUSED;
void link_close(struct link *link);

/* One more attempt to connect, unless the latest is too young. */
void link_connect(struct link *link, uint64_t now);
bool link_is_connecting(const struct link *link);
void link_stop_connecting(struct link *link);

/* TCP: processes received bytes. */
static inline void link_feed(struct link *link, const unsigned char *data, size_t length)
{
	link->heard = true;
	stream_feed(&link->stream, data, length, link->user->reply, link->context);
}

/*
 * TCP: hands over what was sent on the flow, made in SCRATCH. False when the rest has to wait until
 * the socket is writable.
 */
static inline bool link_flush(struct link *link, unsigned char *scratch, size_t size)
{
	writer_flush(&link->writer, link->flow, link->fd, scratch, size);
	if (!writer_pending(&link->writer, link->flow))
		return true;
	event_add(&link->writable, NULL);
	return false;
}

/* TCP: the other side closed it; ERROR 0 is an orderly close. What waited is lost. */
void link_lost(struct link *link, int error, uint64_t now);

/* TCP: silent for too long. Closes it with a reset and connects again. */
void link_give_up(struct link *link, uint64_t now);

/* TCP: what the kernel knows of all connections that it had and has. */
struct tcp_figures link_tcp_figures(const struct link *link);

/* Reports all that waits as lost. */
void link_lose_waiting(struct link *link, const char *why);
