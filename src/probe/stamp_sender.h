/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The packets of a STAMP sender (RFC 8762, options RFC 8972), unauthenticated and authenticated:
 * requests written, replies read. A reply may come from anyone: whatever its length and content,
 * nothing beyond its end is read, and nothing is accepted that is not where it was asked for. Owns
 * nothing.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/stamp_format.h"

/* What a request may ask for, in TLVs. */
enum stamp_option {
	STAMP_ASKS_CLASS = 1,	 /* the DSCP and ECN it came with; and a DSCP for the reply */
	STAMP_ASKS_LOCATION = 2, /* the address it came from */
	STAMP_ASKS_COUNTS = 4,	 /* what the session received and sent */
};

/* What the requests of a session have in common. */
struct stamp_form {
	const struct hmac_key *key; /* NULL: unauthenticated; not owned */
	uint16_t ssid;
	unsigned options; /* STAMP_ASKS_ bits */
	size_t size;	  /* of each, with padding; at least stamp_least() */
};

struct stamp_question {
	uint32_t sequence;
	uint64_t time; /* in NTP's format */
	uint16_t error;
	uint8_t dscp; /* wanted for the reply */
};

struct stamp_answer {
	uint32_t sequence;	   /* the reflector's */
	uint32_t request_sequence; /* ours, and what else it repeats of the request */
	uint64_t request_time;
	uint16_t request_error;
	uint16_t ssid;
	uint16_t error;
	int64_t received, sent; /* nanoseconds since 1970 by the reflector's clock */
	uint8_t ttl;		/* of the request, as it was received */
	unsigned options;	/* those that were answered */
	uint8_t dscp, ecn;	/* of the request, as they were received */
	bool dscp_refused;	/* the wish for the reply was */
	struct address source;	/* of the request, as it was seen */
	uint32_t far_received, far_sent;
};

/* The size of a packet without any options. */
size_t stamp_base(const struct stamp_form *form);

/* What the base packet and the options take; more is padding. */
size_t stamp_least(const struct stamp_form *form);

#define STAMP_LEAST_MAX 256 /* with a key and all options */

/* Where in a request padding is that may have any content; the reply repeats it. */
size_t stamp_padding(const struct stamp_form *form, size_t *length);

/* Writes a request of the form's size, with padding of zeros. */
void stamp_write(const struct stamp_form *form, const struct stamp_question *question,
		 uint8_t *packet);

/* -1: too short for a reply, or not authentic. */
int stamp_read(const struct stamp_form *form, const uint8_t *data, size_t size,
	       struct stamp_answer *answer) WARN_UNUSED;

/*
 * Whether a reply repeats the time of a request, which nobody off the path knows. Reflectors that
 * keep times as floating-point numbers repeat it to within a microsecond.
 */
static inline bool stamp_repeats(uint64_t time, uint64_t sent)
{
	const uint64_t microsecond = (UINT64_C(1) << 32) / 1000000;

	return time - sent + microsecond <= 2 * microsecond;
}

/* How many nanoseconds a clock may be off by, according to its error estimate. */
double stamp_error_ns(uint16_t estimate);
