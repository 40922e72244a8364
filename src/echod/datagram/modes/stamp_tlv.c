/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stamp_tlv.h. A table has each type that is known, its length, and what answers it. */

#include "config.h"

#include "echod/datagram/modes/stamp_tlv.h"

#include <string.h>

#include "base/big_endian.h"
#include "base/compiler.h"
#include "base/stamp_format.h"
#include "echod/config/configuration.h"
#include "echod/datagram/modes/mode.h"

#define ADDRESS_SIZE 16
#define IPV4_SIZE 4
#define FOLLOW_UP_SIZE 16

/* A mark of a question: whether stamp_chain_complete() has anything to do. */
enum { COMPLETES = 0 };

/* Values of timestamp information. */
enum { SYNC_NTP = 1, SYNC_FREE_RUNNING = 5, METHOD_SOFTWARE = 2 };

/* A TLV, or a sub-TLV, where it is in the packet. */
struct tlv {
	uint8_t *at;
	uint8_t *value;
	uint8_t type;
	size_t length; /* of the value, as far as it is there */
	bool cut;      /* its length says that there is more */
};

/* Takes the TLV at *AT; false when too little is left for one. */
static bool take(uint8_t **at, const uint8_t *end, struct tlv *tlv)
{
	size_t left = (size_t)(end - *at);

	if (left < STAMP_TLV_HEADER)
		return false;
	left -= STAMP_TLV_HEADER;
	tlv->at = *at;
	tlv->value = *at + STAMP_TLV_HEADER;
	tlv->type = tlv->at[1];
	tlv->length = get16(tlv->at + 2);
	tlv->cut = tlv->length > left;
	if (tlv->cut)
		tlv->length = left;
	*at = tlv->value + tlv->length;
	return true;
}

/* Each of those that follow returns the flags of its TLV. */

static uint8_t copy(struct question *question UNUSED, struct tlv *tlv UNUSED)
{
	return 0;
}

/* An address of the request in place of the question for it; IPv4's is followed by zeros. */
static uint8_t put_address(struct tlv *sub, const struct in6_addr *ip, uint8_t type4, uint8_t type6)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(ip);

	if (sub->length != ADDRESS_SIZE)
		return STAMP_MALFORMED;
	sub->at[1] = v4 ? type4 : type6;
	memset(sub->value, 0, ADDRESS_SIZE);
	memcpy(sub->value, ip->s6_addr + (v4 ? ADDRESS_SIZE - IPV4_SIZE : 0),
	       v4 ? IPV4_SIZE : ADDRESS_SIZE);
	return 0;
}

/* The link is not ours to see: all zeros. */
static uint8_t put_mac(struct tlv *sub)
{
	if (sub->length != 8)
		return STAMP_MALFORMED;
	sub->at[1] = STAMP_SOURCE_EUI64;
	memset(sub->value, 0, sub->length);
	return 0;
}

static uint8_t locate(const struct question *question, struct tlv *sub)
{
	if (sub->cut)
		return STAMP_MALFORMED;
	switch (sub->type) {
	case STAMP_SOURCE_MAC:
		return put_mac(sub);
	case STAMP_DESTINATION_IP:
		return put_address(sub, &question->notes.destination, STAMP_DESTINATION_IPV4,
				   STAMP_DESTINATION_IPV6);
	case STAMP_SOURCE_IP:
		return put_address(sub, &question->source, STAMP_SOURCE_IPV4, STAMP_SOURCE_IPV6);
	default:
		return STAMP_UNRECOGNISED;
	}
}

static uint8_t answer_location(struct question *question, struct tlv *tlv)
{
	const uint8_t *end = tlv->value + tlv->length;
	uint8_t *at = tlv->value + 4;
	struct tlv sub;

	put16(tlv->value, question->own_port);
	put16(tlv->value + 2, question->source_port);
	while (take(&at, end, &sub))
		sub.at[0] = locate(question, &sub);
	return 0;
}

static uint8_t answer_timestamp(struct question *question, struct tlv *tlv)
{
	bool synchronised = (question->state->error_estimate & STAMP_SYNCHRONISED) != 0;

	tlv->value[0] = tlv->value[2] = synchronised ? SYNC_NTP : SYNC_FREE_RUNNING;
	tlv->value[1] = tlv->value[3] = METHOD_SOFTWARE;
	return 0;
}

/* DSCP1 (6 bits, wished for the reply), DSCP2 (6) and ECN (2) as received, RP (2), reserved (16) */
static uint8_t answer_class(struct question *question, struct tlv *tlv)
{
	unsigned tos = question->notes.tos >= 0 ? (unsigned)question->notes.tos & 0xff : 0;
	unsigned wished = tlv->value[0] >> 2, received = tos >> 2, ecn = tos & 3;
	bool refused = question->settings->stamp_dscp == STAMP_DSCP_RECEIVED;

	question->reply_tos = (int)((refused ? received : wished) << 2);
	put16(tlv->value, (uint16_t)(wished << 10 | received << 4 | ecn << 2 | refused));
	put16(tlv->value + 2, 0);
	return 0;
}

/* The count of replies, this one included, follows when it is sent. */
static uint8_t answer_measurement(struct question *question, struct tlv *tlv)
{
	if (!question->session)
		return STAMP_UNRECOGNISED;
	put32(tlv->value + 4, session_received(question->session));
	question->marks[COMPLETES] = true;
	return 0;
}

/* About the reply before this one, which is known when this one is sent. */
static uint8_t answer_follow_up(struct question *question, struct tlv *tlv)
{
	memset(tlv->value, 0, tlv->length);
	if (question->session)
		question->marks[COMPLETES] = true;
	return 0;
}

/* It covers the sequence number and all before it. */
static uint8_t answer_hmac(struct question *question, struct tlv *tlv UNUSED)
{
	if (!question->settings->stamp_key.hmac)
		return STAMP_UNRECOGNISED;
	question->marks[COMPLETES] = true;
	return 0;
}

/* "Ours" is the address that the request came to: others of this host are nobody's business. */
static uint8_t answer_destination(struct question *question, struct tlv *tlv)
{
	const struct in6_addr *ip = &question->notes.destination;
	size_t size = IN6_IS_ADDR_V4MAPPED(ip) ? IPV4_SIZE : ADDRESS_SIZE;

	if (tlv->length != IPV4_SIZE && tlv->length != ADDRESS_SIZE)
		return STAMP_MALFORMED;
	if (tlv->length != size || memcmp(tlv->value, ip->s6_addr + ADDRESS_SIZE - size, size) != 0)
		return STAMP_UNRECOGNISED;
	return 0;
}

static const struct kind {
	uint16_t least, most; /* bytes of its value */
	uint8_t (*answer)(struct question *question, struct tlv *tlv);
} kinds[] = {
	[STAMP_EXTRA_PADDING] = {0, UINT16_MAX, copy},
	[STAMP_LOCATION] = {4, UINT16_MAX, answer_location},
	[STAMP_TIMESTAMP_INFORMATION] = {4, 4, answer_timestamp},
	[STAMP_CLASS_OF_SERVICE] = {4, 4, answer_class},
	[STAMP_DIRECT_MEASUREMENT] = {12, 12, answer_measurement},
	[STAMP_FOLLOW_UP_TELEMETRY] = {FOLLOW_UP_SIZE, FOLLOW_UP_SIZE, answer_follow_up},
	[STAMP_HMAC] = {STAMP_HMAC_SIZE, STAMP_HMAC_SIZE, answer_hmac},
	[STAMP_DESTINATION_NODE] = {IPV4_SIZE, ADDRESS_SIZE, answer_destination},
};

static uint8_t answer_tlv(struct question *question, struct tlv *tlv)
{
	const struct kind *kind = tlv->type < ARRAY_SIZE(kinds) ? &kinds[tlv->type] : NULL;

	if (tlv->cut)
		return STAMP_MALFORMED;
	if (!kind || !kind->answer)
		return STAMP_UNRECOGNISED;
	if (tlv->length >= kind->least && tlv->length <= kind->most)
		return kind->answer(question, tlv);
	/* The standard's one exception to copying what has a wrong length. */
	if (tlv->type == STAMP_FOLLOW_UP_TELEMETRY)
		memset(tlv->value, 0, tlv->length);
	return STAMP_MALFORMED;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Padding in the manner of TWAMP is no chain: it is copied as it is. */
static bool is_chain(const uint8_t *at, const uint8_t *end)
{
	size_t size = (size_t)(end - at);

	return size >= STAMP_TLV_HEADER && (at[0] & ~STAMP_UNRECOGNISED) == 0 &&
	       !all_zero(at, size);
}

/*
 * An HMAC is needed unless the only TLV is padding. Nothing but padding may follow it, for it does
 * not cover that.
 */
static bool is_authentic(const uint8_t *packet, uint8_t *start, const uint8_t *end,
			 const struct hmac_key *key)
{
	uint8_t *at = start, code[STAMP_HMAC_SIZE];
	const uint8_t *hmac = NULL;
	unsigned count = 0;
	struct tlv tlv;

	for (; take(&at, end, &tlv); count++) {
		if (hmac && tlv.type != STAMP_EXTRA_PADDING)
			return false;
		if (tlv.type != STAMP_HMAC)
			continue;
		if (tlv.cut || tlv.length != STAMP_HMAC_SIZE)
			return false;
		hmac = tlv.at;
	}
	if (!hmac)
		return count == 1 && tlv.type == STAMP_EXTRA_PADDING;
	stamp_tlv_hmac(key, packet, start, hmac, code);
	return digests_equal(code, hmac + STAMP_TLV_HEADER, STAMP_HMAC_SIZE);
}

void stamp_chain_answer(struct question *question, size_t base)
{
	const struct hmac_key *key = question->settings->stamp_key.hmac;
	const uint8_t *end = question->payload + question->size;
	uint8_t *at = question->payload + base;
	struct tlv tlv;
	bool authentic;

	if (!is_chain(at, end))
		return;
	authentic = !key || is_authentic(question->payload, at, end, key);
	while (take(&at, end, &tlv)) {
		if (authentic)
			tlv.at[0] = answer_tlv(question, &tlv);
		else
			tlv.at[0] = STAMP_INTEGRITY_FAILED | (tlv.cut ? STAMP_MALFORMED : 0);
	}
}

static void follow_up(const struct session *session, uint8_t *value)
{
	uint64_t sent_at = session_sent_at(session);

	memset(value, 0, FOLLOW_UP_SIZE);
	if (sent_at == 0)
		return;
	put32(value, session_transmitted(session) - 1);
	put64(value + 4, stamp_time_of(sent_at));
	value[12] = METHOD_SOFTWARE;
}

void stamp_chain_complete(struct question *question, size_t base)
{
	const struct session *session = question->session;
	uint8_t *start = question->payload + base, *at = start;
	struct tlv tlv;

	if (!question->marks[COMPLETES])
		return;
	while (take(&at, question->payload + question->size, &tlv)) {
		if (tlv.at[0] != 0)
			continue;
		if (tlv.type == STAMP_DIRECT_MEASUREMENT) {
			put32(tlv.value + 8, session_transmitted(session) + 1);
		} else if (tlv.type == STAMP_FOLLOW_UP_TELEMETRY && session) {
			follow_up(session, tlv.value);
		} else if (tlv.type == STAMP_HMAC) {
			stamp_tlv_hmac(question->settings->stamp_key.hmac, question->payload, start,
				       tlv.at, tlv.value);
		}
	}
}
