/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Any bytes as replies to a STAMP sender, signed as a reflector would or not: what is read was
 * asked for and is in the packet, and no number on it makes the losses come out wrong.
 */

#include "config.h"

#include "base/big_endian.h"
#include "base/sha256.h"
#include "fuzz/fuzz.h"
#include "probe/directional_loss.h"
#include "probe/stamp_sender.h"

#define BASE 112 /* of an authenticated packet */

/* How an input starts; a reply follows. */
struct head {
	uint8_t flags;	 /* the options asked for, and */
	uint8_t padding; /* bytes of it */
	uint8_t lost;
	uint8_t replies; /* each with another number */
};

enum { KEY = 8, SIGN = 16, SIGN_OPTIONS = 32, DUPLICATE = 64 };

static void sign(const struct stamp_form *form, uint8_t *reply, size_t size, uint8_t flags)
{
	size_t hmac = stamp_least(form) - STAMP_HMAC_SIZE - STAMP_TLV_HEADER;

	if (flags & SIGN_OPTIONS && form->options != 0 && size >= stamp_least(form))
		stamp_tlv_hmac(form->key, reply, reply + BASE, reply + hmac,
			       reply + hmac + STAMP_TLV_HEADER);
	if (flags & SIGN && size >= BASE)
		stamp_packet_sign(reply, form->key);
}

static void check(const struct stamp_form *form, const struct stamp_answer *answer, size_t size)
{
	char text[ADDRESS_TEXT_MAX];

	FUZZ_CHECK((answer->options & ~form->options) == 0);
	FUZZ_CHECK(answer->options == 0 || size > (form->key ? BASE : 44));
	FUZZ_CHECK(answer->dscp < 64 && answer->ecn < 4);
	FUZZ_CHECK((answer->source.length > 0) == ((answer->options & STAMP_ASKS_LOCATION) != 0));
	FUZZ_CHECK(strlen(address_format(&answer->source, text)) < sizeof(text));
	FUZZ_CHECK(stamp_error_ns(answer->error) >= 0);
}

static void enter(const struct head *head, const struct stamp_answer *answer)
{
	struct directional_loss loss = {.base = 0};
	uint64_t there, back;

	for (unsigned i = 0; i < head->replies; i++) {
		const struct numbered_reply reply = {
			i * UINT64_C(1000000000), i % 5 == 2 ? i / 2 : i,
			answer->sequence + i * answer->request_sequence, head->flags & DUPLICATE};

		directional_loss_enter(&loss, &reply);
		if (!directional_loss_split(&loss, head->lost, &there, &back))
			FUZZ_CHECK(there == 0 && back == 0);
		FUZZ_CHECK(there + back <= head->lost);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t bytes[16] = "a key of 16 byte";
	struct stamp_answer answer;
	struct stamp_form form;
	struct hmac_key key;
	struct head head;
	uint8_t *reply;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	size -= sizeof(head);
	hmac_key_set(&key, bytes, sizeof(bytes));
	form = (struct stamp_form){.key = head.flags & KEY ? &key : NULL,
				   .options = head.flags & 7};
	form.size = stamp_least(&form) + head.padding;
	reply = (uint8_t *)fuzz_text(data + sizeof(head), size);
	reply = realloc(reply, size > 0 ? size : 1); /* so that any byte behind it is noticed */
	FUZZ_CHECK(reply);
	if (form.key)
		sign(&form, reply, size, head.flags);
	if (stamp_read(&form, reply, size, &answer) == 0) {
		check(&form, &answer, size);
		enter(&head, &answer);
	}
	free(reply);
	return 0;
}
