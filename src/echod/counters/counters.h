/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The counters for the log, the service manager and the metrics. Each worker owns one set and is
 * its only writer; control reads them all.
 */

#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum counter {
	TCP_ACCEPTED,
	TCP_REJECTED_DENIED,
	TCP_REJECTED_MAX_CLIENTS,
	TCP_REJECTED_PER_IP,
	TCP_REJECTED_PROXY,
	TCP_ACCEPT_ERRORS,
	TCP_CLOSED_CLIENT,
	TCP_CLOSED_IDLE,
	TCP_CLOSED_STALL,
	TCP_CLOSED_ERROR,
	TCP_CLOSED_SHUTDOWN,
	TCP_CLOSED_REPLIED,
	TCP_RECEIVED_BYTES,
	UDP_RECEIVED_BYTES,
	TCP_SENT_BYTES,
	UDP_SENT_BYTES,
	UDP_RECEIVED_DATAGRAMS,
	UDP_ECHOED_DATAGRAMS,
	UDP_DROPPED_DENIED,
	UDP_DROPPED_GUARD,
	UDP_DROPPED_TTL,
	UDP_DROPPED_RATE,
	UDP_DROPPED_LOOPED,
	UDP_DROPPED_SHORT,
	UDP_DROPPED_AUTH,
	UDP_DROPPED_SESSIONS,
	UDP_DROPPED_SEND,
	UDP_RECEIVE_ERRORS,
	COUNTER_COUNT, /* number of named counters */

	TCP_MESSAGES = COUNTER_COUNT, /* pieces received; only for the status page */
	DEAF_SOCKETS,		      /* gauge: datagram sockets that fail to receive */
	TCP_HEADERS_PENDING,	      /* gauge: connections whose PROXY header is not whole */
	COUNTER_SLOTS
};

struct counters {
	_Atomic uint64_t values[COUNTER_SLOTS];
} CACHE_ALIGNED;

/* One row per counter, in the order of the enum: its name, and the label if its family has one. */
struct counter_name {
	const char *family; /* "tcp_rejected": shown as echod_tcp_rejected_total */
	const char *label;  /* "reason", or NULL */
	const char *value;  /* "denied", or NULL */
	const char *help;   /* for people; NULL except on the first row of a family */
	const char *plain;  /* VALUE for people, or NULL */
};
extern const struct counter_name counter_names[COUNTER_COUNT];

/*
 * There is only one writer, so a relaxed load and store suffice, without a locked instruction;
 * other threads may read at any time.
 */
static inline void counter_add(struct counters *counters, enum counter which, uint64_t n)
{
	uint64_t value = atomic_load_explicit(&counters->values[which], memory_order_relaxed);

	atomic_store_explicit(&counters->values[which], value + n, memory_order_relaxed);
}

static inline uint64_t counter_read(const struct counters *counters, enum counter which)
{
	return atomic_load_explicit(&counters->values[which], memory_order_relaxed);
}
