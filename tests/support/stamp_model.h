/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a STAMP reflector must answer, written from RFC 8762 and RFC 8972 with their errata, without
 * a look at ours: slow, and from the request as a whole to the reply as a whole.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/sha256.h"

#define MODEL_SIZE 65536

enum model_result { MODEL_ANSWERED, MODEL_SHORT, MODEL_FORGED, MODEL_REPLY };

/* All that a reply depends on, besides the bytes of the request. */
struct model {
	const struct hmac_key *key;	     /* NULL: unauthenticated */
	bool listed;			     /* the source is in a list of those allowed */
	uint8_t source[16], destination[16]; /* IPv4 as v4-mapped */
	uint16_t source_port, destination_port;
	uint8_t ttl, tos;
	bool keeps_dscp;
	uint16_t estimate;
	uint64_t t2, t3;

	bool stateful;
	uint32_t received; /* with this one */
	uint32_t sequence; /* of this reply */
	uint64_t previous; /* when the one before it was sent; 0: there was none */

	/* The answer. */
	uint8_t reply[MODEL_SIZE];
	size_t size;
	int dscp; /* -1: as usual */
};

static inline void model_number(uint8_t *at, uint64_t value, unsigned size)
{
	while (size-- > 0) {
		at[size] = (uint8_t)value;
		value >>= 8;
	}
}

/* The digest of up to two pieces, 16 bytes of it. */
static inline void model_hmac(const struct hmac_key *key, const void *one, size_t one_size,
			      const void *two, size_t two_size, uint8_t code[16])
{
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;

	hmac_begin(&hash, key);
	sha256_add(&hash, one, one_size);
	sha256_add(&hash, two, two_size);
	hmac_end(&hash, key, digest);
	memcpy(code, digest, 16);
}

struct model_tlv {
	size_t at, length; /* of the value, as it says */
	bool whole;
	uint8_t type;
};

struct model_chain {
	struct model_tlv items[MODEL_SIZE / 4];
	size_t count;
};

/* The TLVs that lie from AT to END. */
static inline void model_split(const uint8_t *bytes, size_t at, size_t end,
			       struct model_chain *chain)
{
	chain->count = 0;
	while (end - at >= 4) {
		struct model_tlv *tlv = &chain->items[chain->count++];

		tlv->at = at;
		tlv->type = bytes[at + 1];
		tlv->length = (size_t)bytes[at + 2] * 256 + bytes[at + 3];
		tlv->whole = at + 4 + tlv->length <= end;
		at = tlv->whole ? at + 4 + tlv->length : end;
	}
}

static inline bool model_is_v4(const uint8_t ip[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

/* Section 4.2: an address goes into 16 bytes, IPv4's with 12 of zeros behind it. */
static inline void model_sub_address(uint8_t *tlv, const uint8_t ip[16], uint8_t type4)
{
	if (model_is_v4(ip)) {
		tlv[1] = type4;
		memcpy(tlv + 4, ip + 12, 4);
		memset(tlv + 8, 0, 12);
	} else {
		tlv[1] = (uint8_t)(type4 + 1);
		memcpy(tlv + 4, ip, 16);
	}
}

static inline void model_location(const struct model *model, uint8_t *value, size_t length)
{
	static struct model_chain subs;

	model_number(value, model->destination_port, 2);
	model_number(value + 2, model->source_port, 2);
	model_split(value, 4, length, &subs);
	for (size_t i = 0; i < subs.count; i++) {
		const struct model_tlv *sub = &subs.items[i];
		uint8_t *tlv = value + sub->at;
		bool known = sub->type == 1 || sub->type == 4 || sub->type == 7;

		tlv[0] = 0;
		if (!sub->whole || (known && sub->length != (sub->type == 1 ? 8 : 16)))
			tlv[0] = 0x40;
		else if (!known)
			tlv[0] = 0x80;
		else if (sub->type == 4)
			model_sub_address(tlv, model->destination, 5);
		else if (sub->type == 7)
			model_sub_address(tlv, model->source, 8);
		else
			memcpy(tlv, (const uint8_t[12]){0, 3, 0, 8}, 12);
	}
}

/* Section 4.4 with erratum 8199. */
static inline void model_class(struct model *model, uint8_t *value)
{
	unsigned wished = value[0] / 4, received = model->tos / 4;

	model->dscp = (int)(model->keeps_dscp ? received : wished);
	value[0] = (uint8_t)(wished * 4 + received / 16);
	value[1] = (uint8_t)(received % 16 * 16 + model->tos % 4 * 4 + (model->keeps_dscp ? 1 : 0));
	value[2] = value[3] = 0;
}

/* RFC 9503, section 3. */
static inline bool model_is_destination(const struct model *model, const uint8_t *value,
					size_t length)
{
	bool v4 = model_is_v4(model->destination);

	return length == (v4 ? 4 : 16) &&
	       memcmp(value, model->destination + (v4 ? 12 : 0), length) == 0;
}

/* 0 for a type with a length of its own: any. */
static inline bool model_length_fits(uint8_t type, size_t length)
{
	switch (type) {
	case 2:
		return length >= 4;
	case 3:
	case 4:
		return length == 4;
	case 5:
		return length == 12;
	case 7:
	case 8:
		return length == 16;
	case 9:
		return length == 4 || length == 16;
	default:
		return true;
	}
}

static inline void model_tlv(struct model *model, const struct model_tlv *tlv, size_t base)
{
	uint8_t *at = model->reply + tlv->at, *value = at + 4;

	*at = 0;
	if (!tlv->whole || !model_length_fits(tlv->type, tlv->length)) {
		*at = 0x40;
		if (tlv->whole && tlv->type == 7) /* erratum 8339 */
			memset(value, 0, tlv->length);
		return;
	}
	if (tlv->type == 1) {
		return;
	} else if (tlv->type == 2) {
		model_location(model, value, tlv->length);
	} else if (tlv->type == 3) {
		value[0] = value[2] = model->estimate & 0x8000 ? 1 : 5;
		value[1] = value[3] = 2;
	} else if (tlv->type == 4) {
		model_class(model, value);
	} else if (tlv->type == 5 && model->stateful) {
		model_number(value + 4, model->received, 4);
		model_number(value + 8, model->sequence + 1, 4);
	} else if (tlv->type == 7) {
		memset(value, 0, 16);
		if (model->stateful && model->previous != 0) {
			model_number(value, model->sequence - 1, 4);
			model_number(value + 4, model->previous, 8);
			value[12] = 2;
		}
	} else if (tlv->type == 8 && model->key) {
		model_hmac(model->key, model->reply, 4, model->reply + base, tlv->at - base, value);
	} else if (tlv->type != 9 || !model_is_destination(model, value, tlv->length)) {
		*at = 0x80;
	}
}

/* Section 4.8: one HMAC, behind all but padding; none only where one padding is all. */
static inline bool model_trusts(const struct model *model, const uint8_t *request, size_t base,
				const struct model_chain *chain)
{
	const struct model_tlv *hmac = NULL;
	uint8_t code[16];
	size_t last = chain->count;

	if (!model->key || (chain->count == 1 && chain->items[0].type == 1))
		return true;
	while (last > 0 && chain->items[last - 1].type == 1)
		last--;
	for (size_t i = 0; i < chain->count; i++) {
		if (chain->items[i].type != 8)
			continue;
		if (hmac || i != last - 1 || !chain->items[i].whole || chain->items[i].length != 16)
			return false;
		hmac = &chain->items[i];
	}
	if (!hmac)
		return false;
	model_hmac(model->key, request, 4, request + base, hmac->at - base, code);
	return memcmp(code, request + hmac->at + 4, 16) == 0;
}

static inline void model_extension(struct model *model, const uint8_t *request, size_t size,
				   size_t base)
{
	static struct model_chain chain;
	static const uint8_t zeros[MODEL_SIZE];
	bool trusted;

	if (size < base + 4 || (request[base] != 0 && request[base] != 0x80) ||
	    memcmp(request + base, zeros, size - base) == 0)
		return;
	model_split(request, base, size, &chain);
	trusted = model_trusts(model, request, base, &chain);
	for (size_t i = 0; i < chain.count; i++) {
		if (trusted)
			model_tlv(model, &chain.items[i], base);
		else
			model->reply[chain.items[i].at] = chain.items[i].whole ? 0x20 : 0x60;
	}
}

/* Each field of the base packet: where it is, unauthenticated and authenticated, and its size. */
enum model_field { AT_TIME, AT_ERROR, AT_SSID, AT_T2, AT_SEQUENCE, AT_T1, AT_ERROR1, AT_TTL };
static const unsigned model_fields[][3] = {
	[AT_TIME] = {4, 16, 8},	   [AT_ERROR] = {12, 24, 2},	[AT_SSID] = {14, 26, 2},
	[AT_T2] = {16, 32, 8},	   [AT_SEQUENCE] = {24, 48, 4}, [AT_T1] = {28, 64, 8},
	[AT_ERROR1] = {36, 72, 2}, [AT_TTL] = {40, 80, 1},
};

static inline uint8_t *model_at(struct model *model, enum model_field field)
{
	return model->reply + model_fields[field][model->key ? 1 : 0];
}

static inline void model_copy(struct model *model, enum model_field to, const uint8_t *request,
			      enum model_field from)
{
	memcpy(model_at(model, to), request + model_fields[from][model->key ? 1 : 0],
	       model_fields[to][2]);
}

static inline void model_base(struct model *model, const uint8_t *request, size_t base)
{
	memset(model->reply, 0, base);
	if (model->stateful)
		model_number(model->reply, model->sequence, 4);
	else
		memcpy(model->reply, request, 4);
	model_number(model_at(model, AT_TIME), model->t3, 8);
	model_number(model_at(model, AT_ERROR), model->estimate, 2);
	model_copy(model, AT_SSID, request, AT_SSID);
	model_number(model_at(model, AT_T2), model->t2, 8);
	memcpy(model_at(model, AT_SEQUENCE), request, 4);
	model_copy(model, AT_T1, request, AT_TIME);
	model_copy(model, AT_ERROR1, request, AT_ERROR);
	*model_at(model, AT_TTL) = model->ttl;
	if (model->key)
		model_hmac(model->key, model->reply, 96, "", 0, model->reply + 96);
}

static inline enum model_result model_answer(struct model *model, const uint8_t *bytes, size_t size)
{
	static uint8_t request[MODEL_SIZE];
	size_t base = model->key ? 112 : 44, least = model->listed ? 14 : 41;
	unsigned column = model->key ? 1 : 0;
	uint8_t code[16];
	bool repeats, timed = false;

	if (size < (model->key ? 112 : least))
		return MODEL_SHORT;
	memset(request, 0, base);
	memcpy(request, bytes, size);
	model->size = size > base ? size : base;
	if (model->key) {
		model_hmac(model->key, request, 96, "", 0, code);
		if (memcmp(code, request + 96, sizeof(code)) != 0)
			return MODEL_FORGED;
	}
	repeats = memcmp(request, request + model_fields[AT_SEQUENCE][column], 4) == 0;
	for (unsigned i = 0; i < 8; i++)
		timed |= request[model_fields[AT_T1][column] + i] != 0 ||
			 request[model_fields[AT_T2][column] + i] != 0;
	if (repeats && timed)
		return MODEL_REPLY;
	memcpy(model->reply, request, model->size);
	model->dscp = -1;
	model_base(model, request, base);
	model_extension(model, request, size, base);
	return MODEL_ANSWERED;
}
