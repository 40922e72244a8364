/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What the files of ping share: ping.c owns all of this and decides when; exchange.c sends and
 * receives, as one of the wires has it; settle.c enters the fate of each probe, outage.c and
 * summary.c report them.
 */

#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/sha256.h"
#include "echoc/ping/far_side.h"
#include "echoc/ping/output.h"
#include "echoc/ping/own_faults.h"
#include "echoc/ping/patterns.h"
#include "echoc/say/json.h"
#include "probe/books.h"
#include "probe/flow.h"
#include "probe/link.h"
#include "probe/outages.h"
#include "probe/receive.h"
#include "probe/stamp_session.h"

#define PING_SIGNALS 3

/* What wire_stamp.c keeps. */
struct ping_stamp {
	struct stamp_session session;
	struct hmac_key key;
	uint16_t error;	    /* the estimate of our clock's, */
	uint64_t estimated; /* and when it was asked for; 0: never */
	bool echoed;	    /* a request came back as it was */
};

/* What wire_plus.c keeps. */
struct ping_plus {
	bool begun;
	uint32_t first; /* the far side's count at its first answer */
	uint32_t clock; /* how far its clock was ahead of ours then, microseconds */
};

struct pinger {
	const struct arguments *arguments;
	struct target *target;
	struct ping_output output;
	struct event_base *base;
	struct event send_timer;
	struct event expiry_timer;
	struct event report_timer;
	struct event end_timer;
	struct event deadline_timer;
	struct event signals[PING_SIGNALS];
	const struct ping_wire *wire;
	struct ping_stamp stamp;
	struct ping_plus plus;
	struct link link;
	struct receiver receiver;
	struct flow flow;
	struct outages outages;
	struct patterns patterns;	   /* of the whole run */
	struct patterns interval_patterns; /* since the last report */
	struct reception reception;	   /* of what is being processed, */
	struct far_report report;	   /* and what it says */
	struct far_side far;		   /* of the whole run */
	struct far_side far_interval;	   /* since the last report */
	uint64_t woken;	     /* it waited while we were stopped, until then; 0: it did not */
	uint64_t last_heard; /* on this connection; at first when it was made */
	struct books books;  /* since the last report */
	struct books total;  /* before that */
	uint64_t run;
	uint64_t started;
	uint64_t paced_from; /* probe N is due N intervals after it */
	uint64_t reported;
	uint64_t fired; /* probes that were due */
	uint64_t replies;
	uint64_t by_kernel; /* of them with the kernel's time */
	struct own_faults own;
	uint64_t summed_up; /* what was lost before this sequence is in the total */
	uint64_t stopped;   /* when sending was stopped; replies are still awaited. 0: not yet */
	unsigned char *buffer;
	size_t buffer_size;
};

/* exchange.c: sets up a new socket of the link. */
void ping_prepare(struct pinger *pinger);

/* Sends the next probe, or reports why it cannot be sent. */
void ping_send(struct pinger *pinger);

/* TCP: sends what is pending. */
void ping_flush(struct pinger *pinger);

/* Processes what arrived until UNTIL; it may have waited while we were stopped. */
void ping_read(struct pinger *pinger, uint64_t until);

/* Gives up a TCP connection that was silent for the timeout. */
void ping_end_silent(struct pinger *pinger, uint64_t now);

/* settle.c: enters the fate of a probe in the books and on the screen. */
void pinger_settle_reply(struct pinger *pinger, uint64_t sequence, const struct finding *finding,
			 size_t bytes);
void pinger_settle_lost(struct pinger *pinger, uint64_t sequence, const char *why);

/* One for which nothing came in time, which may be our own fault. */
void pinger_settle_overdue(struct pinger *pinger, uint64_t sequence);

/* What our own socket dropped until now, in the books. */
void pinger_count_own_drops(struct pinger *pinger);

/* We have not sent for STOPPED nanoseconds, or slept: no part of an outage. */
void pinger_enter_pause(struct pinger *pinger, uint64_t stopped);

/* outage.c: reports those that began and ended; at the end also one that has not. */
void pinger_follow_outages(struct pinger *pinger);
void pinger_end_outages(struct pinger *pinger);

/* Their part of the summary. */
void pinger_put_outages(const struct pinger *pinger, struct json *json);
void pinger_print_outages(const struct pinger *pinger);

/* connection.c: TCP's part of the summary and of an interval; what is odd about it, in words. */
void pinger_put_connection(const struct pinger *pinger, struct json *json,
			   const struct books *books);
void pinger_print_connection(const struct pinger *pinger, const struct books *books);
void pinger_print_connection_hint(FILE *out, const struct books *books);

/* summary.c: one line on standard error; an interval; the end. */
void pinger_print_progress(const struct pinger *pinger);
void pinger_report(struct pinger *pinger);
enum echoc_status pinger_sum_up(struct pinger *pinger);
