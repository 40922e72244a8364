/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One request at a time for the mode `stamp`, without sockets: what echo.c would fill in is made up
 * here, and each answer is compared with that of the model.
 */

#pragma once

#include "base/clock.h"
#include "base/netlist.h"
#include "base/stamp_format.h"
#include "echod/config/configuration.h"
#include "echod/datagram/modes/stamp.h"
#include "echod/datagram/modes/stamp_clock.h"
#include "support/hex_bytes.h"
#include "support/stamp_model.h"
#include "support/test.h"
#include "unit/sources.h"

#define STAMP_T1 "ec4e8c4580000000"
#define STAMP_T2 UINT64_C(0xec4e8c45a0000000)
#define STAMP_T3 UINT64_C(0xec4e8c45c0000000)

#define STALE 128

static struct listener_config settings_in_use;
static struct mode_state state;
static struct hmac_key known_key; /* 40 41 .. 4f */
static struct sessions *sessions;
static struct question question;
static struct model model;
static uint8_t packet[65536 + STALE];
static uint64_t sent_at; /* T3 of the last reply, CLOCK_REALTIME */

static uint64_t realtime_of(uint64_t ntp)
{
	return ((ntp >> 32) - 2208988800U) * NS_PER_S + ((ntp & UINT32_MAX) * NS_PER_S >> 32);
}

static struct timespec timespec_of(uint64_t realtime)
{
	return (struct timespec){.tv_sec = (time_t)(realtime / NS_PER_S),
				 .tv_nsec = (long)(realtime % NS_PER_S)};
}

static void set_addresses(const char *source, const char *destination)
{
	question.source = ip(source);
	question.notes.destination = ip(destination);
	memcpy(model.source, &question.source, 16);
	memcpy(model.destination, &question.notes.destination, 16);
}

/* The kernel is not asked for it meanwhile. */
static void set_estimate(uint16_t estimate)
{
	state = (struct mode_state){.estimated_at = INT64_MAX, .error_estimate = estimate};
	model.estimate = estimate;
}

static void set_tos(int tos)
{
	question.notes.tos = tos;
	model.tos = tos < 0 ? 0 : (uint8_t)tos;
}

static void use_key(void)
{
	settings_in_use.stamp_key.hmac = &known_key;
	model.key = &known_key;
}

static void use_sessions(void)
{
	sessions = sessions_new(16);
	ck_assert_ptr_nonnull(sessions);
	model.stateful = true;
}

static void stamp_begin(void)
{
	uint8_t bytes[16];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(0x40 + i);
	hmac_key_set(&known_key, bytes, sizeof(bytes));
	memset(&settings_in_use, 0, sizeof(settings_in_use));
	model = (struct model){.t2 = STAMP_T2, .t3 = STAMP_T3, .ttl = 64};
	question = (struct question){.source_port = 40000, .own_port = 862};
	question.notes.hops = 64;
	question.notes.received = timespec_of(realtime_of(STAMP_T2));
	model.source_port = 40000;
	model.destination_port = 862;
	set_addresses("::ffff:192.0.2.7", "::ffff:198.51.100.1");
	set_estimate(0x0001);
	set_tos(0);
	sessions = NULL;
	sent_at = 0;
}

static void stamp_end(void)
{
	sessions_release(sessions);
	netlist_clear(&settings_in_use.allow);
}

/* What the sender of an authenticated packet does last. */
static void sign(uint8_t *request)
{
	model_hmac(&known_key, request, 96, "", 0, request + 96);
}

/* Asks; an answer is in packet, complete, and counted as sent. */
static enum verdict ask(const uint8_t *request, size_t size)
{
	struct timespec now = timespec_of(realtime_of(model.t3));
	enum verdict verdict;

	if (size > 0)
		memcpy(packet, request, size);
	memset(packet + size, 0xa5, STALE); /* what others left in the buffer */
	question.payload = packet;
	question.size = size;
	question.settings = &settings_in_use;
	question.sessions = sessions;
	question.state = &state;
	question.session = NULL;
	question.reply_tos = -1;
	question.now = (int64_t)(model.t2 >> 32) * (int64_t)NS_PER_S;
	memset(question.marks, 0, sizeof(question.marks));
	verdict = stamp_answer(&question);
	if (verdict != ANSWER)
		return verdict;
	stamp_seal(&question, &now);
	if (question.session)
		session_count_transmitted(question.session, realtime_of(model.t3));
	return ANSWER;
}

static enum verdict expected_verdict(const uint8_t *request, size_t size)
{
	switch (model_answer(&model, request, size)) {
	case MODEL_SHORT:
		return TOO_SHORT;
	case MODEL_FORGED:
		return NOT_AUTHENTIC;
	case MODEL_REPLY:
		return IS_A_REPLY;
	default:
		return ANSWER;
	}
}

/* Each assertion of libcheck's is a system call: too much for each byte. */
static void assert_bytes(const uint8_t *expected, size_t size, const char *what)
{
	size_t at = 0;

	if (question.size != size)
		ck_abort_msg("%s: %zu bytes, not %zu", what, question.size, size);
	while (at < size && packet[at] == expected[at])
		at++;
	if (at < size)
		ck_abort_msg("%s: byte %zu is %02x, not %02x", what, at, packet[at], expected[at]);
}

/* Asks, and compares with the model, whose books of a session are kept here. */
static void ask_and_compare(const uint8_t *request, size_t size, const char *what)
{
	enum verdict expected, verdict;

	if (model.stateful && size >= 4 && memcmp(request, "\0\0\0", 4) == 0)
		model.received = model.sequence = 0, model.previous = 0;
	model.received++;
	expected = expected_verdict(request, size);
	verdict = ask(request, size);
	if (verdict != expected)
		ck_abort_msg("%s: %d, not %d", what, verdict, expected);
	if (verdict != ANSWER) {
		model.received--;
		return;
	}
	assert_bytes(model.reply, model.size, what);
	if (question.reply_tos != (model.dscp < 0 ? -1 : model.dscp * 4))
		ck_abort_msg("%s: TOS %d", what, question.reply_tos);
	model.sequence++;
	model.previous = model.t3;
}

static UNUSED void assert_packet(const char *hex)
{
	static uint8_t expected[65536];

	assert_bytes(expected, bytes_of(hex, expected), "reply");
}
