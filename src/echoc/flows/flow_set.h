/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What the files of flows share. flows.c owns it and has the schedule; ports.c creates the flows,
 * connecting.c connects those over TCP, exchange.c sends and receives, and the reports print what
 * findings.c concludes.
 */

#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/reason.h"
#include "echoc/command/arguments.h"
#include "probe/books.h"
#include "probe/flow.h"
#include "probe/icmp_error.h"
#include "probe/link.h"
#include "probe/receive.h"
#include "probe/schedule.h"
#include "probe/target.h"

#define FLOWS_SIGNALS 3

struct flows;
struct findings;

/* One flow: what is sent from one port of ours. */
struct source_port {
	struct flows *flows;  /* not owned */
	struct target target; /* that of all, from this port */
	struct link link;
	struct flow flow;
	struct books books;
	struct receiver receiver;
	struct reception reception; /* of what is being processed */
	uint64_t last_heard;	    /* TCP: on this connection */
	int connect_error;	    /* TCP: the last one; 0: none */
	uint64_t least_rtt;	    /* TCP; 0: none yet */
	uint64_t delayed;	    /* TCP: replies that took a retransmission longer */
	uint64_t retransmits;	    /* TCP: of the kernel, in all connections */
	uint16_t number;
	uint8_t ttl_least; /* received; 0: none was */
	uint8_t ttl_most;
};

struct flows {
	const struct arguments *arguments;
	struct target *target;
	struct event_base *base;
	struct event due_timer;
	struct event tick_timer;
	struct event connect_timer;
	struct event signals[FLOWS_SIGNALS];
	struct source_port *ports;
	size_t count;
	size_t begun;				/* TCP: how many have begun to connect */
	void (*connected)(struct flows *flows); /* all have, or had the time to */
	uint32_t *order; /* in which they send: those before the place in the round have sent */
	uint64_t random;
	struct schedule schedule;
	uint64_t fired;	  /* probes that were due */
	uint64_t skipped; /* of them, while we were stopped */
	uint64_t stopped; /* when a signal ended the sending; 0: none did */
	uint64_t turned;  /* the latest turn of the loop */
	uint64_t resumed; /* after the latest stop of ours, */
	uint64_t held_up; /* which took that long */
	uint64_t run;
	int send_error; /* the last one that kept a probe from being sent; 0: none */
	char icmp[ICMP_ERROR_TEXT_MAX]; /* the last one */
	bool broken;			/* could not wait for events */
	uint64_t drawn;			/* when the live line was; 0: there is none */
	unsigned char *buffer;
	size_t buffer_size;
};

static inline uint64_t flows_timeout(const struct flows *flows)
{
	return flows->arguments->timeout_ms * NS_PER_MS;
}

/* Less than COUNT, which is at most 2^32. */
static inline uint64_t flows_random(struct flows *flows, uint64_t count)
{
	flows->random = flows->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (flows->random >> 32) * count >> 32;
}

/* ports.c: opens them all; -1 with a reason. */
int flows_open(struct flows *flows, struct reason *reason) WARN_UNUSED;
void flows_close(struct flows *flows);

/* exchange.c: a socket of the port is connected. */
void source_port_prepare(struct source_port *port);

/* Sends one probe now. */
void source_port_send(struct source_port *port, uint64_t now);

/* Reads what is there, then gives up what waits too long. */
void source_port_tick(struct source_port *port, uint64_t now);

/* To be called before replies are judged: whether we were stopped. */
void flows_note_turn(struct flows *flows, uint64_t now);

extern const struct link_user flows_link_user;

/* connecting.c: begins to connect them over TCP, a few at a time; -1 without memory. */
int flows_connect(struct flows *flows) WARN_UNUSED;

/* report_text.c, report_json.c: the beginning and the end. */
void flows_print_start(const struct flows *flows);
void flows_draw_live(const struct flows *flows, uint64_t now);
void flows_print_end(const struct flows *flows, const struct findings *findings);
void flows_put_start(const struct flows *flows);
void flows_put_end(const struct flows *flows, const struct findings *findings);
