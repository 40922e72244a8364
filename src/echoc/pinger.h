/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The inside of ping, shared by its two files: ping.c owns all of this and decides when; its
 * connection, in ping_link.c, sends and receives.
 */

#ifndef ECHOC_PINGER_H
#define ECHOC_PINGER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "books.h"
#include "flow.h"
#include "ping_output.h"
#include "stream.h"
#include "writer.h"

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
	int fd;		 /* -1: not connected */
	bool connecting; /* fd is there, but not yet through */
	uint64_t begun;	 /* connecting: since when */
	bool heard;	 /* something came on this connection */
	struct flow flow;
	struct stream stream; /* TCP only, as the writer */
	struct writer writer;
	struct reception reception; /* of what is being taken in */
	uint64_t last_heard;
	struct books books; /* since the last report */
	struct books total; /* before that */
	uint64_t run;
	uint64_t started;
	uint64_t paced_from; /* probe N is due N intervals after it */
	uint64_t reported;
	uint64_t fired; /* probes that were due */
	uint64_t replies;
	uint64_t by_kernel; /* of them with the kernel's time */
	bool stopping;	    /* nothing more is sent, replies are waited for */
	unsigned char *buffer;
	size_t buffer_size;
};

/* From ping.c: settle a probe, in the books and on the screen. */
void pinger_settle_reply(struct pinger *pinger, uint64_t sequence, const struct finding *finding,
			 size_t bytes);
void pinger_settle_lost(struct pinger *pinger, uint64_t sequence, const char *why);

/* From ping_link.c. Takes over a connected socket. -1 without memory. */
int ping_link_open(struct pinger *pinger, int fd) WARN_UNUSED;
void ping_link_close(struct pinger *pinger);

/* Sends the next probe, or says why it cannot be sent. */
void ping_link_send(struct pinger *pinger);

/* Part of a TCP reply came and nothing more since: it was cut. */
bool ping_link_is_cut(const struct pinger *pinger, uint64_t sequence, uint64_t now,
		      struct finding *finding, size_t *bytes);

#endif
