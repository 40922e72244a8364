/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Any bytes as a request of STAMP, asked twice, signed as a sender would or not: each reply is the
 * model's, byte for byte, or there is none where the model has none.
 */

#include "config.h"

#include "base/clock.h"
#include "base/stamp_format.h"
#include "echod/config/configuration.h"
#include "echod/datagram/modes/stamp.h"
#include "fuzz/fuzz.h"
#include "support/stamp_model.h"

#define ROUNDS 2
#define REALTIME (UINT64_C(1700000000) * NS_PER_S)

/* How an input starts; the request follows. */
struct head {
	uint8_t flags;
	uint8_t tos;
	uint8_t ttl;
	uint8_t estimate;
};

enum { KEY = 1, SIGN = 2, SIGN_CHAIN = 4, SESSIONS = 8, LISTED = 16, IPV6 = 32, KEEPS = 64 };

static struct listener_config settings_in_use;
static struct hmac_key key;
static struct mode_state state;
static struct model model;
static uint8_t packet[MODEL_SIZE], request[MODEL_SIZE];

static void set_addresses(struct question *question, uint8_t flags)
{
	uint8_t source[16] = {[10] = 0xff, 0xff, 192, 0, 2, 7};
	uint8_t destination[16] = {[10] = 0xff, 0xff, 198, 51, 100, 1};

	if (flags & IPV6) {
		source[0] = 0x20;
		destination[0] = 0x20;
	}
	memcpy(&question->source, source, 16);
	memcpy(&question->notes.destination, destination, 16);
	memcpy(model.source, source, 16);
	memcpy(model.destination, destination, 16);
}

static void set_listener(uint8_t flags)
{
	static const uint8_t bytes[16] = "a key of 16 byte";
	struct reason reason;

	hmac_key_set(&key, bytes, sizeof(bytes));
	settings_in_use.stamp_key.hmac = flags & KEY ? &key : NULL;
	settings_in_use.stamp_dscp = flags & KEEPS ? STAMP_DSCP_RECEIVED : STAMP_DSCP_ANY;
	if (flags & LISTED)
		FUZZ_CHECK(netlist_add(&settings_in_use.allow, "::/0", &reason) == 0);
	model.key = settings_in_use.stamp_key.hmac;
	model.keeps_dscp = (flags & KEEPS) != 0;
	model.listed = (flags & LISTED) != 0;
	model.stateful = (flags & SESSIONS) != 0;
}

/* An HMAC TLV that is there gets its value, wherever it is: a wrong place stays wrong. */
static void sign(size_t size, uint8_t flags)
{
	static struct model_chain chain;

	model_split(request, 112, size > 112 ? size : 112, &chain);
	for (size_t i = 0; i < chain.count && flags & SIGN_CHAIN; i++) {
		const struct model_tlv *tlv = &chain.items[i];

		if (tlv->type == 8 && tlv->whole && tlv->length >= 16)
			model_hmac(&key, request, 4, request + 112, tlv->at - 112,
				   request + tlv->at + 4);
	}
	if (flags & SIGN && size >= 112)
		model_hmac(&key, request, 96, "", 0, request + 96);
}

static enum verdict expected(size_t size)
{
	static const enum verdict verdicts[] = {[MODEL_ANSWERED] = ANSWER,
						[MODEL_SHORT] = TOO_SHORT,
						[MODEL_FORGED] = NOT_AUTHENTIC,
						[MODEL_REPLY] = IS_A_REPLY};

	return verdicts[model_answer(&model, request, size)];
}

static void ask(struct question *question, size_t size)
{
	uint64_t realtime = REALTIME + model.sequence;
	struct timespec now = {.tv_sec = (time_t)(realtime / NS_PER_S),
			       .tv_nsec = (long)(realtime % NS_PER_S)};
	enum verdict verdict;

	if (memcmp(request, "\0\0\0", 4) == 0) {
		model.received = model.sequence = 0;
		model.previous = 0;
		now = (struct timespec){.tv_sec = (time_t)(REALTIME / NS_PER_S)};
		realtime = REALTIME;
	}
	model.received++;
	model.t3 = stamp_time_of(realtime);
	memcpy(packet, request, size);
	memset(packet + size, 0xa5, sizeof(packet) - size < 256 ? sizeof(packet) - size : 256);
	question->payload = packet;
	question->size = size;
	question->session = NULL;
	question->reply_tos = -1;
	memset(question->marks, 0, sizeof(question->marks));
	state.estimated_at = INT64_MAX; /* so that nobody asks for it meanwhile */
	verdict = stamp_answer(question);
	FUZZ_CHECK(verdict == expected(size));
	if (verdict != ANSWER)
		return;
	stamp_seal(question, &now);
	if (question->session)
		session_count_transmitted(question->session, realtime);
	FUZZ_CHECK(question->size == model.size);
	FUZZ_CHECK(memcmp(packet, model.reply, model.size) == 0);
	FUZZ_CHECK(question->reply_tos == (model.dscp < 0 ? -1 : model.dscp * 4));
	model.sequence++;
	model.previous = model.t3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct question question = {.settings = &settings_in_use,
				    .state = &state,
				    .source_port = 40000,
				    .own_port = 862,
				    .now = (int64_t)(100 * NS_PER_S)};
	struct head head;

	if (size < sizeof(head) || size - sizeof(head) > 65507)
		return 0;
	memcpy(&head, data, sizeof(head));
	size -= sizeof(head);
	memset(request, 0, 256);
	memcpy(request, data + sizeof(head), size);
	model.received = model.sequence = 0;
	model.previous = 0;
	set_listener(head.flags);
	set_addresses(&question, head.flags);
	if (head.flags & KEY)
		sign(size, head.flags);
	if (head.flags & SESSIONS) {
		question.sessions = sessions_new(16);
		FUZZ_CHECK(question.sessions);
	}
	question.notes.tos = head.tos;
	question.notes.hops = head.ttl;
	question.notes.received = (struct timespec){.tv_sec = (time_t)(REALTIME / NS_PER_S)};
	state.error_estimate = (uint16_t)(head.estimate << 8 | 1);
	model.tos = head.tos;
	model.ttl = head.ttl;
	model.estimate = state.error_estimate;
	model.t2 = stamp_time_of(REALTIME);
	model.source_port = 40000;
	model.destination_port = 862;
	for (int i = 0; i < ROUNDS; i++)
		ask(&question, size);
	sessions_release(question.sessions);
	netlist_clear(&settings_in_use.allow);
	return 0;
}
