/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the files of a watch share: watch.c owns all of this, exchange.c sends and receives. */

#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "echom/config/watchlist.h"
#include "echom/watching/counts.h"
#include "echom/watching/history.h"
#include "echom/watching/hops.h"
#include "echom/watching/lateness.h"
#include "echom/watching/port_losses.h"
#include "echom/watching/reflector.h"
#include "probe/flow.h"
#include "probe/link.h"
#include "probe/outages.h"
#include "probe/receive.h"
#include "probe/target.h"

struct name_request;
struct names;

/* What all watches of a loop share. */
struct watching {
	struct event_base *base;
	struct names *names;
	struct books books;	  /* of all of them together */
	struct lateness lateness; /* of their probes */
	unsigned char *buffer;	  /* for one message */
	size_t buffer_size;
};

/* One source port of a target; over TCP the only one. */
struct watch_port {
	struct watch *watch; /* whose it is */
	struct link link;
	struct receiver receiver;
	int ttl; /* of its probes; 0: not known */
};

/* Of a watch that ends: what is still to come, and who waits for it. */
struct watch_end {
	uint64_t left;	   /* probes to send */
	uint64_t refusals; /* nothing listens there */
	/* A probe was settled or refused. The watch may be looked at, but not freed. */
	void (*changed)(void *context);
	void *context;
};

struct watch {
	struct watching *shared; /* not owned */
	struct watchlist *list;	 /* held */
	const struct watch_settings *settings;
	struct label_text *labels; /* `target="...",address="...",protocol="..."` */
	struct target target;
	struct target *found; /* a newer one, not yet in use; NULL: there is none. Owned */
	uint64_t found_at;
	uint64_t lost_before; /* the address in use was chosen */
	struct name_request *request;
	bool name_failed;	  /* at the last look */
	struct watch_port *ports; /* probes leave from them in turn. Owned, as the next two */
	size_t port_count;
	struct reflector *reflector; /* NULL unless the protocol is STAMP */
	struct port_losses *losses;  /* NULL with one port */
	struct hops hops;	     /* of the first port: others may have another path */
	struct flow flow;	     /* of the probes of all ports */
	struct reception reception;  /* of what is being processed */
	uint64_t woken;	       /* it waited while we were stopped, until then; 0: it did not */
	struct event timer;    /* for whatever comes first */
	uint64_t due;	       /* the next probe */
	uint64_t resolve_due;  /* the next look at the name */
	struct watch_end *end; /* NULL: it has none. Not owned */
	bool was_connected;
	uint64_t heard; /* on this connection; at first when it was made */
	struct outages outages;
	bool up; /* a reply has come since two probes in a row were lost */
	struct counts counts;
	struct history history;
	uint64_t highest_at; /* when the reply to the highest of the flow arrived */
	uint64_t replied_at; /* the latest reply in time, on the wall clock; 0: never */
};

/* It is known to be down, not just unheard of. */
static inline bool watch_is_down(const struct watch *watch)
{
	return !watch->up && outages_is_down(&watch->outages);
}

/* The number of the port that a probe leaves from. */
static inline size_t watch_port_of(const struct watch *watch, uint64_t sequence)
{
	return (size_t)((sequence - 1) % watch->port_count);
}

/* And its number among those of the port, from 0. */
static inline uint64_t watch_number_of(const struct watch *watch, uint64_t sequence)
{
	return (sequence - 1) / watch->port_count;
}
