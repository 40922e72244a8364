/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See proxy_header.h. Each time all of what there is is read again: it is little, and no state has
 * to be kept. What a load balancer says beyond the source is skipped, except for a checksum.
 */

#include "config.h"

#include "echod/stream/proxy_header.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* With its CR LF. */
#define LINE_MAX_SIZE 107

#define FIXED_SIZE 16 /* of version 2, before the addresses */
#define VERSION_2_LOCAL 0x20
#define VERSION_2_PROXY 0x21
#define TLV_FIXED 3 /* type and length */
#define TLV_CRC32C 3

#define NO_HEADER "no PROXY header: does the load balancer send one? (proxy_from)"

/* What is left of a line. */
struct cursor {
	const char *at;
	const char *end;
};

static enum proxy_verdict invalid(struct proxy_header *header, const char *fault)
{
	header->fault = fault;
	return PROXY_INVALID;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static enum proxy_verdict match(struct cursor *cursor, const char *literal)
{
	size_t length = strlen(literal), there = (size_t)(cursor->end - cursor->at);

	if (memcmp(cursor->at, literal, least(length, there)) != 0)
		return PROXY_INVALID;
	if (there < length)
		return PROXY_MORE;
	cursor->at += length;
	return PROXY_COMPLETE;
}

static bool is_address_byte(char byte)
{
	return byte != '\0' && strchr("0123456789abcdefABCDEF.:", byte);
}

#define ENDING_MAX 8
#define ADDRESS_MAX (INET6_ADDRSTRLEN - 1)

/* Whether the LENGTH bytes of TEXT, which has room for an ending, can begin an address. */
static bool begins_address(int family, char *text, size_t length)
{
	static const char endings[][ENDING_MAX] = {"",	  "0",	  ".0",	   ":",	     "::",     ":0",
						   "0.0", ".0.0", "0.0.0", ".0.0.0", "0.0.0.0"};
	struct in6_addr ip;

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		memcpy(text + length, endings[i], ENDING_MAX);
		if (inet_pton(family, text, &ip) == 1)
			return true;
	}
	return false;
}

/* An address and the blank behind it. */
static enum proxy_verdict parse_ip(struct cursor *cursor, int family, void *ip)
{
	size_t there = (size_t)(cursor->end - cursor->at), length = 0;
	char text[ADDRESS_MAX + ENDING_MAX];

	while (length < least(there, ADDRESS_MAX) && is_address_byte(cursor->at[length])) {
		text[length] = cursor->at[length];
		length++;
	}
	if (length == there)
		return begins_address(family, text, length) ? PROXY_MORE : PROXY_INVALID;
	text[length] = '\0';
	if (cursor->at[length] != ' ' || inet_pton(family, text, ip) != 1)
		return PROXY_INVALID;
	cursor->at += length + 1;
	return PROXY_COMPLETE;
}

/* A port, as itself and no other way, and the byte behind it. */
static enum proxy_verdict parse_port(struct cursor *cursor, char behind, in_port_t *port)
{
	const char *first = cursor->at;
	unsigned number = 0;

	for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
		if (cursor->at > first && number == 0)
			return PROXY_INVALID;
		number = number * 10 + (unsigned)(*cursor->at - '0');
		if (number > UINT16_MAX)
			return PROXY_INVALID;
	}
	if (cursor->at == cursor->end)
		return PROXY_MORE;
	if (cursor->at == first || *cursor->at++ != behind)
		return PROXY_INVALID;
	*port = htons((uint16_t)number);
	return PROXY_COMPLETE;
}

/* Sets the family of SOURCE; returns where its address and port belong. */
static void *begin_source(struct address *source, int family, in_port_t **port)
{
	memset(source, 0, sizeof(*source));
	source->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		source->length = sizeof(source->in4);
		*port = &source->in4.sin_port;
		return &source->in4.sin_addr;
	}
	source->length = sizeof(source->in6);
	*port = &source->in6.sin6_port;
	return &source->in6.sin6_addr;
}

static enum proxy_verdict parse_ends(struct cursor *cursor, int family, struct proxy_header *header)
{
	struct in6_addr destination;
	in_port_t *port, destination_port;
	void *ip = begin_source(&header->source, family, &port);
	enum proxy_verdict verdict = parse_ip(cursor, family, ip);

	if (verdict == PROXY_COMPLETE)
		verdict = parse_ip(cursor, family, &destination);
	if (verdict == PROXY_COMPLETE)
		verdict = parse_port(cursor, ' ', port);
	if (verdict == PROXY_COMPLETE)
		verdict = parse_port(cursor, '\r', &destination_port);
	if (verdict == PROXY_COMPLETE)
		verdict = match(cursor, "\n");
	return verdict;
}

/* Behind UNKNOWN anything may come until the line ends. */
static enum proxy_verdict skip_line(struct cursor *cursor)
{
	while (cursor->at < cursor->end && *cursor->at != '\r') {
		if (*cursor->at++ == '\n')
			return PROXY_INVALID;
	}
	return match(cursor, "\r\n");
}

static enum proxy_verdict parse_line(struct cursor *cursor, struct proxy_header *header)
{
	enum proxy_verdict verdict = match(cursor, "PROXY ");

	if (verdict != PROXY_COMPLETE)
		return verdict == PROXY_MORE ? verdict : invalid(header, NO_HEADER);
	header->fault = "invalid PROXY header of version 1";
	if (cursor->at < cursor->end && *cursor->at == 'U') {
		verdict = match(cursor, "UNKNOWN");
		return verdict == PROXY_COMPLETE ? skip_line(cursor) : verdict;
	}
	verdict = match(cursor, "TCP");
	if (verdict != PROXY_COMPLETE || cursor->at == cursor->end)
		return verdict == PROXY_INVALID ? verdict : PROXY_MORE;
	if (*cursor->at == '4') {
		verdict = match(cursor, "4 ");
		return verdict == PROXY_COMPLETE ? parse_ends(cursor, AF_INET, header) : verdict;
	}
	verdict = match(cursor, "6 ");
	return verdict == PROXY_COMPLETE ? parse_ends(cursor, AF_INET6, header) : verdict;
}

static enum proxy_verdict parse_v1(const char *data, size_t size, struct proxy_header *header)
{
	struct cursor cursor = {data, data + least(size, LINE_MAX_SIZE)};
	enum proxy_verdict verdict = parse_line(&cursor, header);

	if (verdict == PROXY_MORE &&
	    (size >= LINE_MAX_SIZE || (size == LINE_MAX_SIZE - 1 && data[size - 1] != '\r')))
		return invalid(header, "PROXY header of version 1 longer than 107 bytes");
	header->length = (size_t)(cursor.at - data);
	return verdict;
}

/* The kinds of addresses of version 2. */
static const struct kind {
	uint8_t code; /* family and transport */
	uint8_t size;
	bool over_tcp;
	int family; /* of the source; AF_UNSPEC: none */
} kinds[] = {
	{0x00, 0, true, AF_UNSPEC},    {0x11, 12, true, AF_INET},    {0x12, 12, false, AF_UNSPEC},
	{0x21, 36, true, AF_INET6},    {0x22, 36, false, AF_UNSPEC}, {0x31, 216, false, AF_UNSPEC},
	{0x32, 216, false, AF_UNSPEC},
};

static const struct kind *find_kind(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].code == code)
			return &kinds[i];
	}
	return NULL;
}

static size_t number_at(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

static uint32_t crc32c_add(uint32_t crc, const uint8_t *bytes, size_t size)
{
	/* Half a byte at a time. */
	static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
					   0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
					   0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
					   0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

	for (size_t i = 0; i < size; i++) {
		crc = crc >> 4 ^ table[(crc ^ bytes[i]) & 0xf];
		crc = crc >> 4 ^ table[(crc ^ bytes[i] >> 4) & 0xf];
	}
	return crc;
}

/* The checksum at CRC is that of the header with four zeros in its place. */
static bool crc32c_fits(const uint8_t *header, size_t length, const uint8_t *crc)
{
	static const uint8_t zeros[4];
	uint32_t sum = crc32c_add(UINT32_MAX, header, (size_t)(crc - header));

	sum = crc32c_add(sum, zeros, sizeof(zeros));
	sum = crc32c_add(sum, crc + sizeof(zeros), length - (size_t)(crc - header) - sizeof(zeros));
	return ~sum == (uint32_t)(number_at(crc) << 16 | number_at(crc + 2));
}

/* A TLV that does not fit ends the list; like those of unknown types it is none of our business. */
static bool checksums_fit(const uint8_t *header, size_t length, size_t at)
{
	while (length - at >= TLV_FIXED) {
		const uint8_t *tlv = header + at;
		size_t size = number_at(tlv + 1);

		if (size > length - at - TLV_FIXED)
			break;
		if (tlv[0] == TLV_CRC32C &&
		    (size != 4 || !crc32c_fits(header, length, tlv + TLV_FIXED)))
			return false;
		at += TLV_FIXED + size;
	}
	return true;
}

static void read_source(const uint8_t *block, int family, struct address *source)
{
	size_t size = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	in_port_t *port;
	void *ip = begin_source(source, family, &port);

	memcpy(ip, block, size);
	memcpy(port, block + 2 * size, sizeof(*port));
}

/* The first 16 bytes, as far as they are there: a fault, or NULL. */
static const char *fault_of_fixed(const uint8_t *bytes, size_t size)
{
	static const uint8_t signature[] = {'\r', '\n', '\r', '\n', 0,	 '\r',
					    '\n', 'Q',	'U',  'I',  'T', '\n'};
	bool is_proxy = size > 12 && bytes[12] == VERSION_2_PROXY;
	const struct kind *kind = size > 13 ? find_kind(bytes[13]) : NULL;

	if (memcmp(bytes, signature, least(size, sizeof(signature))) != 0)
		return NO_HEADER;
	if (size > 12 && bytes[12] != VERSION_2_LOCAL && bytes[12] != VERSION_2_PROXY)
		return "PROXY header with a version or command that does not exist";
	if (size > 13 && !kind)
		return "PROXY header with a family or transport that does not exist";
	if (kind && is_proxy && !kind->over_tcp)
		return "PROXY header of a client that is not one of TCP";
	if (size >= FIXED_SIZE && FIXED_SIZE + number_at(bytes + 14) > PROXY_HEADER_MAX)
		return "PROXY header longer than 4096 bytes";
	if (size >= FIXED_SIZE && is_proxy && number_at(bytes + 14) < kind->size)
		return "PROXY header too short for its addresses";
	return NULL;
}

static enum proxy_verdict parse_v2(const uint8_t *bytes, size_t size, struct proxy_header *header)
{
	const char *fault = fault_of_fixed(bytes, size);
	const struct kind *kind;
	size_t addresses_end;

	if (fault)
		return invalid(header, fault);
	if (size < FIXED_SIZE || size < FIXED_SIZE + number_at(bytes + 14))
		return PROXY_MORE;
	header->length = FIXED_SIZE + number_at(bytes + 14);
	kind = find_kind(bytes[13]);
	addresses_end = FIXED_SIZE + (size_t)kind->size;
	if (header->length > addresses_end && !checksums_fit(bytes, header->length, addresses_end))
		return invalid(header, "PROXY header with a wrong checksum");
	if (bytes[12] == VERSION_2_PROXY && kind->family != AF_UNSPEC)
		read_source(bytes + FIXED_SIZE, kind->family, &header->source);
	return PROXY_COMPLETE;
}

enum proxy_verdict proxy_header_parse(const void *data, size_t size, struct proxy_header *header)
{
	const char *bytes = data;

	header->source.length = 0;
	if (size == 0)
		return PROXY_MORE;
	return bytes[0] == '\r' ? parse_v2(data, size, header) : parse_v1(bytes, size, header);
}
