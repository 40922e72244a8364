/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The sessions of one listener, for modes whose replies carry counts: a table of fixed size, 64
 * bytes each, shared by the workers. Finding one takes no lock; beginning one takes a short one and
 * bounded time. A session that was idle for a minute gives its place to the next; one source may
 * hold a sixteenth of the table, but at least 16. Made at start and at a reload, by session_tables.
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct session;
struct sessions;

/* Of COUNT sessions, at least 1; NULL: out of memory. The caller holds one reference. */
struct sessions *sessions_new(size_t count) WARN_UNUSED;
struct sessions *sessions_hold(struct sessions *sessions);
void sessions_release(struct sessions *sessions);

/* Those that are not idle. Not for the path of a message. */
uint64_t sessions_count(struct sessions *sessions, int64_t now);

/* Whose session it is; addresses in canonical form. */
struct session_key {
	struct in6_addr own;
	struct in6_addr source;
	uint32_t scope; /* of a link-local source; 0: none */
	uint16_t own_port;
	uint16_t source_port;
	uint16_t ssid;
};

/*
 * At NOW (CLOCK_MONOTONIC, nanoseconds). Its books are empty if it begins here, or after a minute
 * of silence. ANEW: the counts of questions begin anew; those of replies do when
 * session_begin_replies() says so, for replies to earlier questions may not have left yet. NULL:
 * there is none and none can begin: the table is full, or its source holds all that it may.
 */
struct session *sessions_enter(struct sessions *sessions, const struct session_key *whose,
			       bool anew, int64_t now) WARN_UNUSED;

/* Only finds; NULL: there is none. */
struct session *sessions_find(struct sessions *sessions, const struct session_key *whose,
			      int64_t now) WARN_UNUSED;

/* The books of a session. All counts wrap at 32 bits. */
uint32_t session_received(const struct session *session);    /* questions that were entered */
uint32_t session_transmitted(const struct session *session); /* replies that were sent */
uint32_t session_unanswered(const struct session *session);  /* questions that were refused */
uint64_t session_sent_at(const struct session *session);     /* the last reply; 0: none yet */

void session_begin_replies(struct session *session);
void session_count_unanswered(struct session *session);

/*
 * Counts a reply that is being sent at NOW (CLOCK_REALTIME, nanoseconds), or takes the last one
 * back: it was not sent after all, and the one before it was sent at BEFORE.
 */
void session_count_transmitted(struct session *session, uint64_t now);
void session_take_back(struct session *session, uint64_t before);
