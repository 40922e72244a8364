/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A second reading of a PROXY header, all of it at hand, by expressions and split texts: what it
 * says, and whether it is one. Part of fuzz_proxy.c, which compares.
 */

#pragma once

#include <arpa/inet.h>
#include <regex.h>
#include <stdbool.h>

#include "base/address.h"
#include "fuzz/fuzz.h"

enum reading {
	WHOLE,
	BAD,
	UNFINISHED,
	UNFINISHED_OR_BAD /* a line without an end: not looked into */
};

struct model {
	enum reading reading;
	size_t length;	       /* WHOLE */
	struct address source; /* WHOLE; none: its length is 0 */
};

#define OCTET "(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
#define QUAD OCTET "\\." OCTET "\\." OCTET "\\." OCTET
#define NUMBER "(0|[1-9][0-9]{0,4})"

static bool fits(const char *text, const char *pattern)
{
	static struct {
		const char *pattern;
		regex_t compiled;
	} known[8];
	size_t i = 0;

	while (known[i].pattern && known[i].pattern != pattern)
		i++;
	FUZZ_CHECK(i < 7);
	if (!known[i].pattern)
		FUZZ_CHECK(regcomp(&known[i].compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0);
	known[i].pattern = pattern;
	return regexec(&known[i].compiled, text, 0, NULL, 0) == 0;
}

static bool read_quad(const char *text, uint8_t ip[4])
{
	static const char pattern[] = "^" QUAD "$";
	unsigned octets[4];

	if (!fits(text, pattern))
		return false;
	FUZZ_CHECK(sscanf(text, "%u.%u.%u.%u", &octets[0], &octets[1], &octets[2], &octets[3]) ==
		   4);
	for (int i = 0; i < 4; i++)
		ip[i] = (uint8_t)octets[i];
	return true;
}

/* The groups between single colons; the size of what they say, or -1. A quad is the last of all. */
static int read_groups(const char *text, bool last, uint8_t ip[16])
{
	static const char pattern[] = "^[0-9a-fA-F]{1,4}$";
	char copy[64], *rest = copy, *group;
	unsigned value;
	int size = 0;

	if (*text == '\0')
		return 0;
	if (strlen(text) >= sizeof(copy))
		return -1;
	(void)strcpy(copy, text);
	while ((group = strsep(&rest, ":"))) {
		if (size <= 14 && fits(group, pattern)) {
			(void)sscanf(group, "%x", &value);
			ip[size++] = (uint8_t)(value >> 8);
			ip[size++] = (uint8_t)value;
		} else if (size <= 12 && last && !rest && read_quad(group, ip + size)) {
			size += 4;
		} else {
			return -1;
		}
	}
	return size;
}

static bool read_ipv6(const char *text, uint8_t ip[16])
{
	const char *gap = strstr(text, "::");
	char before[64];
	uint8_t behind[16];
	int first, second;

	memset(ip, 0, 16);
	if (!gap)
		return read_groups(text, true, ip) == 16;
	if (gap - text >= (long)sizeof(before))
		return false;
	(void)snprintf(before, sizeof(before), "%.*s", (int)(gap - text), text);
	first = read_groups(before, false, ip);
	second = read_groups(gap + 2, true, behind);
	if (first < 0 || second < 0 || first + second > 14)
		return false;
	memset(ip + first, 0, (size_t)(16 - first));
	memcpy(ip + 16 - second, behind, (size_t)second);
	return true;
}

static bool read_end(struct address *end, bool is_ipv6, const char *ip, const char *port)
{
	static const char pattern[] = "^" NUMBER "$";

	memset(end, 0, sizeof(*end));
	if (!fits(port, pattern) || atoi(port) > UINT16_MAX)
		return false;
	if (is_ipv6) {
		end->length = sizeof(end->in6);
		end->in6.sin6_family = AF_INET6;
		end->in6.sin6_port = htons((uint16_t)atoi(port));
		return read_ipv6(ip, end->in6.sin6_addr.s6_addr);
	}
	end->length = sizeof(end->in4);
	end->in4.sin_family = AF_INET;
	end->in4.sin_port = htons((uint16_t)atoi(port));
	return read_quad(ip, (uint8_t *)&end->in4.sin_addr);
}

/* A line without its end. */
static bool read_line(const char *line, size_t size, struct address *source)
{
	char copy[128], *rest = copy, *words[7];
	struct address destination;
	bool is_ipv6;
	int count = 0;

	source->length = 0;
	if (size >= 13 && memcmp(line, "PROXY UNKNOWN", 13) == 0)
		return !memchr(line, '\n', size) && !memchr(line, '\r', size);
	if (memchr(line, '\0', size))
		return false;
	(void)snprintf(copy, sizeof(copy), "%.*s", (int)size, line);
	while (count < 7 && (words[count] = strsep(&rest, " ")))
		count++;
	if (count != 6 || strcmp(words[0], "PROXY") != 0)
		return false;
	is_ipv6 = strcmp(words[1], "TCP6") == 0;
	if (!is_ipv6 && strcmp(words[1], "TCP4") != 0)
		return false;
	return read_end(&destination, is_ipv6, words[3], words[5]) &&
	       read_end(source, is_ipv6, words[2], words[4]);
}

static struct model read_v1(const char *data, size_t size)
{
	struct model model = {.reading = BAD};
	const char *end = memmem(data, size < 107 ? size : 107, "\r\n", 2);

	if (!end) {
		model.reading = size < 107 ? UNFINISHED_OR_BAD : BAD;
		return model;
	}
	model.length = (size_t)(end - data) + 2;
	if (read_line(data, model.length - 2, &model.source))
		model.reading = WHOLE;
	return model;
}

static uint32_t model_crc(const uint8_t *header, size_t length, size_t hole)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < length; i++) {
		crc ^= i >= hole && i < hole + 4 ? 0 : header[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static bool checksum_wrong(const uint8_t *header, size_t length, size_t at)
{
	for (size_t size; at + 3 <= length; at += 3 + size) {
		size = (size_t)(header[at + 1] * 256 + header[at + 2]);
		if (at + 3 + size > length)
			return false;
		if (header[at] != 3)
			continue;
		if (size != 4 ||
		    model_crc(header, length, at + 3) !=
			    ((uint32_t)header[at + 3] << 24 | (uint32_t)header[at + 4] << 16 |
			     (uint32_t)header[at + 5] << 8 | header[at + 6]))
			return true;
	}
	return false;
}

static struct model read_v2(const uint8_t *data, size_t size)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	static const char kinds[] = "\x11\x12\x21\x22\x31\x32";
	static const size_t addresses[] = {12, 12, 36, 36, 216, 216};
	struct model model = {.reading = BAD};
	const char *kind = size > 13 && data[13] ? strchr(kinds, data[13]) : NULL;
	size_t block = kind ? addresses[kind - kinds] : 0;

	if (memcmp(data, signature, size < 12 ? size : 12) != 0)
		return model;
	if (size > 12 && data[12] != 0x20 && data[12] != 0x21)
		return model;
	if (size > 13 && !kind && data[13] != 0)
		return model;
	if (size > 13 && data[12] == 0x21 && kind && *kind != 0x11 && *kind != 0x21)
		return model;
	model.reading = UNFINISHED;
	if (size < 16)
		return model;
	model.length = 16 + (size_t)(data[14] * 256 + data[15]);
	if (model.length > 4096 || (data[12] == 0x21 && model.length < 16 + block))
		model.reading = BAD;
	if (model.reading == BAD || size < model.length)
		return model;
	model.reading = checksum_wrong(data, model.length, 16 + block) ? BAD : WHOLE;
	if (data[12] == 0x20 || block == 0)
		return model;
	if (block == 12) {
		model.source.length = sizeof(model.source.in4);
		model.source.in4.sin_family = AF_INET;
		memcpy(&model.source.in4.sin_addr, data + 16, 4);
		memcpy(&model.source.in4.sin_port, data + 24, 2);
	} else {
		model.source.length = sizeof(model.source.in6);
		model.source.in6.sin6_family = AF_INET6;
		memcpy(&model.source.in6.sin6_addr, data + 16, 16);
		memcpy(&model.source.in6.sin6_port, data + 48, 2);
	}
	return model;
}

static struct model read_header(const uint8_t *data, size_t size)
{
	if (size == 0)
		return (struct model){.reading = UNFINISHED};
	return data[0] == '\r' ? read_v2(data, size) : read_v1((const char *)data, size);
}
