/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See utf8.h. */

#include "config.h"

#include "base/utf8.h"

#include <stdbool.h>

#define LAST_ASCII 0x7f
#define LAST_CONTROL 0x9f

/* By the first byte; 0: none begins with it. */
static size_t expected_length(unsigned char first)
{
	if (first <= LAST_ASCII)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The second byte rules out what has a shorter form, surrogates, and what is beyond Unicode. */
static bool may_follow(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

size_t utf8_length(const char *p, size_t left)
{
	const unsigned char *bytes = (const unsigned char *)p;
	size_t length = left > 0 ? expected_length(bytes[0]) : 0;

	if (length > left)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	}
	return length < 2 || may_follow(bytes[0], bytes[1]) ? length : 0;
}

size_t utf8_printable(const char *p)
{
	const unsigned char *bytes = (const unsigned char *)p;
	size_t length = utf8_length(p, UTF8_MAX); /* the NUL continues no character */

	if (bytes[0] < ' ' || bytes[0] == LAST_ASCII)
		return 0;
	return bytes[0] == 0xc2 && bytes[1] <= LAST_CONTROL ? 0 : length;
}

size_t utf8_write(uint32_t code, char out[static UTF8_MAX])
{
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t length = code <= LAST_ASCII ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = length; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(first[length] | code);
	return length;
}
