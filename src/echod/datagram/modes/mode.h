/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a mode of datagrams is, a word of the setting `mode`: how a question becomes an answer. The
 * table of modes is in modes.h; echo.c calls what is in it, for datagrams that the guard, the rate
 * and the detector of repeats have let through.
 */

#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/compiler.h"
#include "echod/guard/guard.h"
#include "echod/guard/sessions.h"
#include "echod/sockets/udp_control.h"

struct listener_config;

/* What a worker keeps for its modes, from batch to batch; zero at first. */
struct mode_state {
	int64_t estimated_at; /* stamp: when the error of our clock was looked up; 0: never */
	uint16_t error_estimate;
};

/* Offsets in the payload that answer() notes for seal(). */
#define QUESTION_MARKS 4

/* One datagram of a batch, from its arrival until the answer has left. */
struct question {
	/*
	 * The answer is written over it, in place; there is room for a whole datagram, and what
	 * lies behind SIZE is of former ones.
	 */
	uint8_t *payload;
	size_t size;

	struct udp_notes notes; /* with the time of arrival and the traffic class */
	struct in6_addr source; /* in canonical form, as notes.destination */
	uint32_t scope;		/* of a link-local source; 0: none */
	uint16_t source_port;
	uint16_t own_port;
	int64_t now; /* CLOCK_MONOTONIC, nanoseconds: of the batch */

	const struct listener_config *settings;
	struct sessions *sessions; /* of the listener; NULL: the mode keeps none */
	struct mode_state *state;  /* of the worker */

	/* What answer() may set besides payload and size. */
	struct session *session;	/* NULL: none */
	int reply_tos;			/* TOS or traffic class of the answer; -1: the kernel's */
	uint16_t marks[QUESTION_MARKS]; /* zero at first */

	uint64_t session_sent_at; /* before this answer: the sender's, to take it back */
};

struct datagram_mode {
	unsigned needs;	 /* NEEDS_ bits: what its sockets must deliver */
	unsigned waives; /* WAIVES_ bits: rules of the guard that would be in its way */

	/*
	 * Turns the question into the answer, or returns why there is none: TOO_SHORT,
	 * NOT_AUTHENTIC, IS_A_REPLY, NO_SESSION. The answer may be larger by a few bytes. NULL: the
	 * answer is what came, and nothing of a question is filled in.
	 */
	enum verdict (*answer)(struct question *question);

	/*
	 * Completes the answer right before it is sent: NOW is CLOCK_REALTIME, read once for at
	 * most ANSWERS_SEALED of them. Called again, with a later time, for one that could not be
	 * sent with the others. The session does not count this answer yet: session_transmitted()
	 * is its sequence number, session_sent_at() when the one before it was sent.
	 */
	void (*seal)(struct question *question, const struct timespec *now);

	/* May be NULL. This question was valid, but by rate or by the kernel gets no answer. */
	void (*unanswered)(struct question *question);
};

#define ANSWERS_SEALED 8

/*
 * Finds or begins the session of a question, and counts it there: ANSWER, or NO_SESSION. ANEW: see
 * sessions_enter(). In a mode without sessions there is none to find: ANSWER.
 */
enum verdict question_enter_session(struct question *question, uint16_t ssid,
				    bool anew) WARN_UNUSED;

/* The one it has entered, or would enter if that existed; NULL: none. */
struct session *question_find_session(const struct question *question, uint16_t ssid);
