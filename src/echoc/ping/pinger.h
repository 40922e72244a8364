/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The inside of ping, shared by its files: ping.c owns all of this and decides when; its
 * connection, in link.c, sends and receives; connect.c makes a lost one again;
 * books.c knows what has become of each probe.
 */

#ifndef ECHOC_PING_PINGER_H
#define ECHOC_PING_PINGER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "echoc/ping/output.h"
#include "probe/books.h"
#include "probe/flow.h"
#include "probe/receive.h"
#include "probe/stream.h"
#include "probe/writer.h"

#define PING_ATTEMPTS 8
#define PING_BEHIND_MAX (100 * NS_PER_MS) /* later than that we were stopped, not just busy */

/* A connect that is on its way. */
struct attempt {
	struct pinger *pinger;
	struct event *event;
	uint64_t begun;
	int fd; /* -1: none */
};

struct pinger {
	const struct arguments *arguments;
	struct target *target;
	struct ping_output output;
	struct event_base *base;
	struct event *send_timer;
	struct event *expiry_timer;
	struct event *report_timer;
	struct event *end_timer;
	struct event *signals[3];
	struct event *readable;
	struct event *writable;
	int fd;					/* -1: not connected */
	bool heard;				/* something came on this connection */
	struct attempt attempts[PING_ATTEMPTS]; /* at another one, over TCP */
	uint64_t tried;				/* when the latest of them began */
	struct receiver receiver;
	struct flow flow;
	struct stream stream; /* TCP only, as the writer */
	struct writer writer;
	struct reception reception; /* of what is being taken in */
	uint64_t woken;		    /* it waited while we were stopped, until then; 0: it did not */
	uint64_t last_heard;	    /* on this connection; at first when it was made */
	struct books books;	    /* since the last report */
	struct books total;	    /* before that */
	uint64_t run;
	uint64_t started;
	uint64_t paced_from; /* probe N is due N intervals after it */
	uint64_t reported;
	uint64_t fired; /* probes that were due */
	uint64_t replies;
	uint64_t by_kernel; /* of them with the kernel's time */
	uint32_t drops;	    /* of our own socket, as far as they are in the books */
	uint64_t summed_up; /* what was lost before this sequence is in the total */
	uint64_t stopped;   /* when: nothing more is sent, replies are waited for; 0: not yet */
	unsigned char *buffer;
	size_t buffer_size;
};

/* From ping.c. */
bool pinger_has_sent_all(const struct pinger *pinger);
void pinger_end_if_done(struct pinger *pinger); /* everything sent has been settled */

/* From books.c: settle a probe, in the books and on the screen. */
void pinger_settle_reply(struct pinger *pinger, uint64_t sequence, const struct finding *finding,
			 size_t bytes);
void pinger_settle_lost(struct pinger *pinger, uint64_t sequence, const char *why);

/* One line on standard error; an interval; the end. */
void pinger_say_so_far(const struct pinger *pinger);
void pinger_report(struct pinger *pinger);
enum echoc_status pinger_sum_up(struct pinger *pinger);

/* From link.c. Takes over a connected socket. -1 without memory. */
int ping_link_open(struct pinger *pinger, int fd) WARN_UNUSED;
void ping_link_close(struct pinger *pinger);

/* Sends the next probe, or says why it cannot be sent. */
void ping_link_send(struct pinger *pinger);

/* Takes in what came until UNTIL, which may have waited since we were stopped. */
void ping_link_read(struct pinger *pinger, uint64_t until);

/* Ends a TCP connection on which nothing came for the timeout, though something was to. */
void ping_link_end_silent(struct pinger *pinger, uint64_t now);

/* For connect.c. The first takes over the socket; ERROR 0 is none. */
void ping_link_reconnected(struct pinger *pinger, int fd);
void ping_link_lose_waiting(struct pinger *pinger, const char *why);
void ping_link_say(const struct pinger *pinger, const char *what, int error);

/* From connect.c. */
void ping_connect_init(struct pinger *pinger);
void ping_connect_clear(struct pinger *pinger);
bool ping_connect_waits(const struct pinger *pinger);

/* One more attempt, unless the latest is too young. */
void ping_connect_begin(struct pinger *pinger, uint64_t now);

#endif
