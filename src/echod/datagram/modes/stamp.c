/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See stamp.h. What a request costs and reveals rises step by step: its length, its HMAC, whether
 * it is a reply itself, and only then its session.
 */

#include "config.h"

#include "echod/datagram/modes/stamp.h"

#include <string.h>

#include "base/big_endian.h"
#include "base/clock.h"
#include "base/stamp_format.h"
#include "echod/config/configuration.h"
#include "echod/datagram/modes/stamp_clock.h"
#include "echod/datagram/modes/stamp_packet.h"
#include "echod/datagram/modes/stamp_tlv.h"

/* What a request must have to be answered with a whole reply, which is larger: see SECURITY.md. */
#define SHORTEST_FOR_ALL 41    /* a common sender's default */
#define SHORTEST_FOR_LISTED 14 /* its fields up to the error estimate */

static const struct hmac_key *key_of(const struct question *question)
{
	return question->settings->stamp_key.hmac;
}

static const struct stamp_layout *layout_of(const struct question *question)
{
	return key_of(question) ? &stamp_authenticated : &stamp_unauthenticated;
}

static size_t shortest(const struct question *question)
{
	if (key_of(question))
		return stamp_authenticated.size;
	return question->settings->allow.count > 0 ? SHORTEST_FOR_LISTED : SHORTEST_FOR_ALL;
}

/* The rest of a short request counts as zeros. */
static void extend(struct question *question, size_t size)
{
	if (question->size >= size)
		return;
	memset(question->payload + question->size, 0, size - question->size);
	question->size = size;
}

enum verdict stamp_answer(struct question *question)
{
	const struct stamp_layout *layout = layout_of(question);
	const struct hmac_key *key = key_of(question);
	struct stamp_request request;
	struct stamp_reply reply;
	enum verdict verdict;

	if (question->size < shortest(question))
		return TOO_SHORT;
	extend(question, layout->size);
	if (key && !stamp_packet_is_authentic(question->payload, key))
		return NOT_AUTHENTIC;
	if (stamp_packet_is_reply(question->payload, layout))
		return IS_A_REPLY;
	stamp_packet_read(question->payload, layout, &request);
	verdict = question_enter_session(question, request.ssid, request.sequence == 0);
	if (verdict != ANSWER)
		return verdict;
	reply = (struct stamp_reply){
		.received = stamp_time_of(timespec_ns(&question->notes.received)),
		.error = stamp_clock_estimate(question->state),
		.ttl = (uint8_t)(question->notes.hops > 0 ? question->notes.hops : 0),
	};
	stamp_chain_answer(question, layout->size);
	stamp_packet_write(question->payload, layout, &request, &reply);
	return ANSWER;
}

/* The sender has restarted; earlier requests of the same batch keep the old numbers. */
static void begin_anew(const struct question *question)
{
	const uint8_t *reply = question->payload;

	if (get32(reply + layout_of(question)->request_sequence) == 0)
		session_begin_replies(question->session);
}

void stamp_seal(struct question *question, const struct timespec *now)
{
	const struct stamp_layout *layout = layout_of(question);
	const struct hmac_key *key = key_of(question);

	if (question->session) {
		begin_anew(question);
		put32(question->payload, session_transmitted(question->session));
	}
	put64(question->payload + layout->time, stamp_time_of(timespec_ns(now)));
	stamp_chain_complete(question, layout->size);
	if (key)
		stamp_packet_sign(question->payload, key);
}

/* One that was not answered has entered no session. */
void stamp_unanswered(struct question *question)
{
	if (question->session)
		begin_anew(question);
}
