/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See stamp_sender.h. TLVs of a reply are read only where the request had them: a chain that
 * someone else wrote is never followed.
 */

#include "config.h"

#include "probe/stamp_sender.h"

#include <math.h>
#include <string.h>

#include "base/big_endian.h"
#include "base/sha256.h"

#define ADDRESS_SIZE 16
#define IPV4_SIZE 4
#define CLASS_SIZE 4
#define COUNTS_SIZE 12
#define LOCATION_SIZE (4 + STAMP_TLV_HEADER + ADDRESS_SIZE) /* the ports, and one address */

#define UNIX_EPOCH INT64_C(2208988800)
#define NTP_ERA (INT64_C(1) << 32)
#define NS INT64_C(1000000000)

/* Where the TLVs are in a packet; 0: nowhere. */
struct places {
	size_t class_of_service, location, counts, hmac, padding;
	size_t least;
};

static const struct stamp_layout *layout_of(const struct stamp_form *form)
{
	return form->key ? &stamp_authenticated : &stamp_unauthenticated;
}

static size_t place(size_t *end, bool wanted, size_t length)
{
	size_t at = *end;

	if (!wanted)
		return 0;
	*end += STAMP_TLV_HEADER + length;
	return at;
}

/* The HMAC covers all that is before it; only padding may follow. */
static struct places places_of(const struct stamp_form *form)
{
	size_t end = layout_of(form)->size;
	struct places places;

	places.class_of_service = place(&end, form->options & STAMP_ASKS_CLASS, CLASS_SIZE);
	places.location = place(&end, form->options & STAMP_ASKS_LOCATION, LOCATION_SIZE);
	places.counts = place(&end, form->options & STAMP_ASKS_COUNTS, COUNTS_SIZE);
	places.hmac = place(&end, form->key && form->options != 0, STAMP_HMAC_SIZE);
	places.least = end;
	places.padding = form->options != 0 && form->size >= end + STAMP_TLV_HEADER ? end : 0;
	return places;
}

size_t stamp_base(const struct stamp_form *form)
{
	return layout_of(form)->size;
}

size_t stamp_least(const struct stamp_form *form)
{
	return places_of(form).least;
}

/* Without a TLV around it, which only has to be zero: RFC 8762 has its reflectors copy it. */
size_t stamp_padding(const struct stamp_form *form, size_t *length)
{
	struct places places = places_of(form);

	*length = places.padding != 0 ? form->size - places.padding - STAMP_TLV_HEADER : 0;
	return places.padding + STAMP_TLV_HEADER;
}

static uint8_t *put_header(uint8_t *at, enum stamp_tlv_type type, size_t length)
{
	at[0] = STAMP_UNRECOGNISED; /* which the reflector clears if it knows better */
	at[1] = (uint8_t)type;
	put16(at + 2, (uint16_t)length);
	return at + STAMP_TLV_HEADER;
}

static void put_location(uint8_t *value)
{
	value[4 + 1] = STAMP_SOURCE_IP;
	put16(value + 4 + 2, ADDRESS_SIZE);
}

static void write_options(const struct stamp_form *form, const struct stamp_question *question,
			  uint8_t *packet)
{
	const struct places places = places_of(form);

	if (places.class_of_service != 0)
		put_header(packet + places.class_of_service, STAMP_CLASS_OF_SERVICE,
			   CLASS_SIZE)[0] = (uint8_t)(question->dscp << 2);
	if (places.location != 0)
		put_location(put_header(packet + places.location, STAMP_LOCATION, LOCATION_SIZE));
	if (places.counts != 0)
		put32(put_header(packet + places.counts, STAMP_DIRECT_MEASUREMENT, COUNTS_SIZE),
		      question->sequence + 1);
	if (places.hmac != 0)
		stamp_tlv_hmac(form->key, packet, packet + layout_of(form)->size,
			       packet + places.hmac,
			       put_header(packet + places.hmac, STAMP_HMAC, STAMP_HMAC_SIZE));
	if (places.padding != 0)
		(void)put_header(packet + places.padding, STAMP_EXTRA_PADDING,
				 form->size - places.padding - STAMP_TLV_HEADER);
}

void stamp_write(const struct stamp_form *form, const struct stamp_question *question,
		 uint8_t *packet)
{
	const struct stamp_layout *layout = layout_of(form);

	memset(packet, 0, form->size);
	put32(packet, question->sequence);
	put64(packet + layout->time, question->time);
	put16(packet + layout->error, question->error);
	put16(packet + layout->ssid, form->ssid);
	if (form->key)
		stamp_packet_sign(packet, form->key);
	write_options(form, question, packet);
}

/* A time before 1970 in NTP's format is one of the era that begins in 2036. */
static int64_t unix_time(uint64_t time, uint16_t error)
{
	int64_t seconds = (int64_t)(time >> 32);
	int64_t fraction = (int64_t)(time & UINT32_MAX);

	if ((error & STAMP_PTP_FORMAT) != 0)
		return seconds * NS + fraction;
	seconds += seconds < UNIX_EPOCH ? NTP_ERA - UNIX_EPOCH : -UNIX_EPOCH;
	return seconds * NS + (fraction * NS >> 32);
}

/* The value of the TLV that was asked for at AT; NULL unless the reply has an answer there. */
static const uint8_t *find_answer(const uint8_t *data, size_t size, size_t at,
				  enum stamp_tlv_type type, size_t length)
{
	if (at == 0 || size < at + STAMP_TLV_HEADER + length)
		return NULL;
	if (data[at] != 0 || data[at + 1] != type || get16(data + at + 2) != length)
		return NULL;
	return data + at + STAMP_TLV_HEADER;
}

static void read_class(const uint8_t *value, struct stamp_answer *answer)
{
	unsigned bits = get16(value);

	answer->options |= STAMP_ASKS_CLASS;
	answer->dscp = bits >> 4 & 0x3f;
	answer->ecn = bits >> 2 & 3;
	answer->dscp_refused = (bits & 3) != 0;
}

/* The address that the ports are followed by, if it is one. */
static void read_location(const uint8_t *value, struct stamp_answer *answer)
{
	const uint8_t *sub = value + 4, *ip = sub + STAMP_TLV_HEADER;
	uint16_t port = get16(value + 2);

	if (sub[0] != 0 || get16(sub + 2) != ADDRESS_SIZE)
		return;
	if (sub[1] == STAMP_SOURCE_IPV4) {
		answer->source.in4 = (struct sockaddr_in){.sin_family = AF_INET};
		memcpy(&answer->source.in4.sin_addr, ip, IPV4_SIZE);
		answer->source.length = sizeof(answer->source.in4);
	} else if (sub[1] == STAMP_SOURCE_IPV6) {
		answer->source.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6};
		memcpy(&answer->source.in6.sin6_addr, ip, ADDRESS_SIZE);
		answer->source.length = sizeof(answer->source.in6);
	} else {
		return;
	}
	address_set_port(&answer->source, port);
	answer->options |= STAMP_ASKS_LOCATION;
}

static void read_counts(const uint8_t *value, struct stamp_answer *answer)
{
	answer->options |= STAMP_ASKS_COUNTS;
	answer->far_received = get32(value + 4);
	answer->far_sent = get32(value + 8);
}

static bool options_are_authentic(const struct stamp_form *form, const struct places *places,
				  const uint8_t *data, size_t size)
{
	const uint8_t *code;
	uint8_t expected[STAMP_HMAC_SIZE];

	if (!form->key)
		return true;
	code = find_answer(data, size, places->hmac, STAMP_HMAC, STAMP_HMAC_SIZE);
	if (!code)
		return false;
	stamp_tlv_hmac(form->key, data, data + layout_of(form)->size, data + places->hmac,
		       expected);
	return digests_equal(code, expected, STAMP_HMAC_SIZE);
}

static void read_options(const struct stamp_form *form, const uint8_t *data, size_t size,
			 struct stamp_answer *answer)
{
	const struct places places = places_of(form);
	const uint8_t *value;

	if (!options_are_authentic(form, &places, data, size))
		return;
	value = find_answer(data, size, places.class_of_service, STAMP_CLASS_OF_SERVICE,
			    CLASS_SIZE);
	if (value)
		read_class(value, answer);
	value = find_answer(data, size, places.location, STAMP_LOCATION, LOCATION_SIZE);
	if (value)
		read_location(value, answer);
	value = find_answer(data, size, places.counts, STAMP_DIRECT_MEASUREMENT, COUNTS_SIZE);
	if (value)
		read_counts(value, answer);
}

int stamp_read(const struct stamp_form *form, const uint8_t *data, size_t size,
	       struct stamp_answer *answer)
{
	const struct stamp_layout *layout = layout_of(form);

	if (size < layout->size || (form->key && !stamp_packet_is_authentic(data, form->key)))
		return -1;
	*answer = (struct stamp_answer){
		.sequence = get32(data),
		.request_sequence = get32(data + layout->request_sequence),
		.request_time = get64(data + layout->request_time),
		.request_error = get16(data + layout->request_error),
		.ssid = get16(data + layout->ssid),
		.error = get16(data + layout->error),
		.ttl = data[layout->request_ttl],
	};
	answer->received = unix_time(get64(data + layout->received), answer->error);
	answer->sent = unix_time(get64(data + layout->time), answer->error);
	read_options(form, data, size, answer);
	return 0;
}

double stamp_error_ns(uint16_t estimate)
{
	int scale = estimate >> 8 & 0x3f;

	return ldexp(estimate & 0xff, scale - 32) * (double)NS;
}
