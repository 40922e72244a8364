/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One connection of a bench: what it may send now, over a link. Three kinds, TCP, UDP, and TCP with
 * a connection for each message, are a small table of functions each; a thread owns many.
 */

#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "probe/flow.h"
#include "probe/link.h"
#include "probe/schedule.h"

struct channel;
struct channel_kind;
struct datagram_batch;

/* What all channels of a thread share. */
struct lane {
	const struct channel_kind *kind;
	struct event_base *base;
	const struct target *target;
	uint64_t depth; /* closed loop: how many may be outstanding */
	bool scheduled; /* or by the schedule */
	bool sending;	/* until the end of the run */
	bool gso;
	uint64_t timeout;   /* how long a reply is awaited */
	uint64_t patience;  /* how long re-establishing a connection may take */
	uint64_t ticked;    /* the time of the latest tick; 0: none yet */
	uint64_t resumed;   /* after the latest stop of ours; 0: there was none */
	struct books books; /* since they were last handed in */
	uint64_t now;	    /* when what is being taken in came */
	uint64_t last_heard;
	int send_error;	   /* the last one, 0: none */
	int connect_error; /* likewise */
	unsigned char *in;
	size_t in_size;
	unsigned char *out;
	size_t out_size;
	struct datagram_batch *batch; /* UDP only */
	struct latency *connects;     /* channel_connect only: how long each took, owned */
	uint64_t in_order;	      /* how many more of its connections are closed in order */
	uint64_t answered;	      /* how many of its connections were */
};

/* A tick that late means that we were stopped. */
#define LANE_STOP_LEAST (250 * NS_PER_MS)

struct channel_kind {
	struct link_user user;
	int (*prepare)(struct lane *lane, size_t size);		 /* the lane's buffers, once */
	void (*prepare_socket)(const struct lane *lane, int fd); /* may be NULL */
	void (*fill)(struct channel *channel, uint64_t now);
	void (*tick)(struct channel *channel, uint64_t now);
	bool connects; /* when it sends, and not before */
};
extern const struct channel_kind channel_tcp; /* also unix: */
extern const struct channel_kind channel_udp; /* also unixgram: */
extern const struct channel_kind channel_connect;

struct channel {
	struct lane *lane; /* not owned */
	struct link link;
	struct flow flow;
	struct schedule schedule;
	uint64_t allotted;  /* of the messages that the schedule has for it */
	uint64_t handed_in; /* what was sent before it is settled, in books that are handed in */
	bool held;	    /* a failure: channel_connect waits until the next tick */
	uint32_t drops;	    /* datagrams: of the socket, as far as they are in the books */
};

/* What both kinds over TCP do with what came, a reply and a loss. False: nothing was taken in. */
bool channel_tcp_read(struct channel *channel);
void channel_tcp_reply(void *context, uint64_t sequence, const struct finding *finding,
		       size_t bytes);
void channel_tcp_lost(void *context, uint64_t sequence, const char *why);

/* Owns FD, if it is not -1, from then on, also when it fails. -1 without memory. */
int channel_init(struct channel *channel, struct lane *lane, int fd, uint64_t run, size_t size,
		 size_t window) WARN_UNUSED;
void channel_clear(struct channel *channel);

/* Begins up to MOST of the probes that may be sent now; how many. */
uint64_t channel_take(struct channel *channel, uint64_t now, uint64_t most);

/*
 * To be called before replies are judged, or probes given up. What a stop of ours held up, in the
 * socket or in the schedule, is not given up until it had the time for a round trip.
 */
void channel_set_timeout(struct channel *channel, uint64_t now);

/* The tick of a kind that stays connected. */
void channel_keep_connected(struct channel *channel, uint64_t now);

/* Sends what is due; nothing while it is not connected, unless its kind connects. */
void channel_fill(struct channel *channel, uint64_t now);

/* Ten times a second: gives up what waits too long, connects again, sends what is due. */
void channel_tick(struct channel *channel, uint64_t now);

/* Enters what our own socket dropped since the last time. */
void channel_count_drops(struct channel *channel);

/* The books are handed in: a loss in them does not concern the next ones. */
void channel_close_books(struct channel *channel);

/* Nothing is sent any more; what was due by END and has not been goes into the books. */
void channel_end_schedule(struct channel *channel, uint64_t end);

/* The run is over: whatever still waits is lost; the rest of the books is made. */
void channel_finish(struct channel *channel);
