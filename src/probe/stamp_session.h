/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The probes of a flow to a STAMP reflector (RFC 8762), which says when they arrived there and left
 * again. What identifies a reply is the time that it repeats, which nobody off the path can guess.
 * The flow may be sent from several ports in turn: to the reflector each of them is a session.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "probe/far_report.h"
#include "probe/flow.h"
#include "probe/receive.h"
#include "probe/stamp_sender.h"

struct stamp_session {
	struct stamp_form form;
	uint64_t first;	 /* its packet N, from 0, is sequence first + N * stride of the flow */
	uint64_t stride; /* 1: it has the whole flow */
	uint64_t offset; /* how far the wall clock was ahead of clock_ns() at the start */
	uint8_t ttl;	 /* that requests are sent with */
};

/* A request of the form's size; sequence and time of QUESTION come from the probe. */
void stamp_session_write(const struct stamp_session *session, const struct probe *probe,
			 struct stamp_question question, uint8_t *packet);

/* The sequence that packet NUMBER of the session is; the flow may not hold it. */
uint64_t stamp_session_sequence(const struct stamp_session *session, const struct flow *flow,
				uint32_t number);

/* The sequence that a datagram is the reply to, how it differs, and what it says; 0: of none. */
uint64_t stamp_session_judge(const struct stamp_session *session, const struct flow *flow,
			     const uint8_t *data, size_t length, struct finding *finding,
			     struct stamp_answer *answer);

/* Whether it is a request as it was sent: the other side is an echo server. */
bool stamp_session_is_echo(const struct stamp_session *session, const struct flow *flow,
			   const uint8_t *data, size_t length);

/*
 * What an answer that RECEIVER received at RECEPTION says about a probe sent at SENT; hops_back
 * stays unknown.
 */
struct far_report stamp_session_report(const struct stamp_session *session,
				       const struct stamp_answer *answer, uint64_t sent,
				       const struct receiver *receiver,
				       const struct reception *reception);
