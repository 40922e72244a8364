/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The books: what became of every probe. One rule for all modes, in text and in JSON:
 *
 *	sent = received + lost
 *	received: a first reply came within the timeout, intact or not
 *	corrupt, truncated: disjoint parts of received
 *	late: part of lost, a reply came after the timeout
 *	duplicates: further replies to a probe that had one, beyond all of these
 *
 * A probe is entered when its fate is known, so the rule holds at any time and for any interval.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "probe/latency.h"
#include "probe/spread.h"

struct books {
	uint64_t sent;
	uint64_t received;
	uint64_t lost;
	uint64_t late;
	uint64_t duplicates;
	uint64_t out_of_order;
	uint64_t corrupt;
	uint64_t truncated;
	uint64_t unexpected; /* pieces of the server's own that belong to no probe */
	uint64_t reconnects;
	uint64_t refused; /* how often the other side refused: nothing listens there */
	uint64_t unsent;  /* due by the schedule, but too much was outstanding */
	uint64_t skipped; /* due while we were stopped: never sent, and not made up for */
	uint64_t bytes;	  /* came back as replies */
	/* Late as well, but the loss is in books that were handed in before. */
	uint64_t late_before;
	/* Parts of received and bytes that came when a bench sent no more: no part of its rate. */
	uint64_t received_after;
	uint64_t bytes_after;
	/* Datagrams that reached us when our own socket had no room for them. */
	uint64_t own_drops;
	uint64_t icmp_errors;  /* of routers, and of the other host but for refused ports */
	struct spread connect; /* how long connections took to be made */
	double jitter_sum;
	uint64_t jitter_flows;
	struct latency latency;
};

void books_clear(struct books *books);
void books_merge(struct books *into, const struct books *from);

/* Every flow adds its jitter once, at its end. */
void books_add_jitter(struct books *books, const struct jitter *jitter);

double books_loss_percent(const struct books *books); /* NaN while nothing was sent */
double books_jitter(const struct books *books);	      /* nanoseconds; NaN while not measured */

/* How many of the lost did not even reach us. */
uint64_t books_lost_on_path(const struct books *books);

/* The identities above; false is a bug of ours. */
bool books_balance(const struct books *books);

/* Everything due was sent and came back, in time and intact, and nothing else came. */
bool books_clean(const struct books *books);
