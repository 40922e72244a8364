/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See query.h. */

#include "config.h"

#include "daemon/http/query.h"

#include <stdbool.h>
#include <string.h>

#define MALFORMED (-1)

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return MALFORMED;
}

/* The next byte of [*TEXT, END), which it moves past it; MALFORMED: none that a text can have. */
static int next_byte(const char **text, const char *end)
{
	const char *at = (*text)++;
	int high, low;

	if (*at != '%')
		return *at == '+' ? ' ' : (unsigned char)*at;
	if (end - at < 3)
		return MALFORMED;
	*text = at + 3;
	high = hex_digit(at[1]);
	low = hex_digit(at[2]);
	if (high < 0 || low < 0 || high + low == 0)
		return MALFORMED;
	return high * 16 + low;
}

static bool is_name(const char *text, const char *end, const char *name)
{
	while (text < end && *name) {
		if (next_byte(&text, end) != (unsigned char)*name++)
			return false;
	}
	return text == end && !*name;
}

static enum http_parameter decode(const char *text, const char *end, char *value, size_t size)
{
	size_t length = 0;

	while (text < end) {
		int byte = next_byte(&text, end);

		if (byte == MALFORMED || length + 1 == size) {
			value[0] = '\0';
			return PARAMETER_MALFORMED;
		}
		value[length++] = (char)byte;
	}
	value[length] = '\0';
	return PARAMETER_PRESENT;
}

enum http_parameter http_parameter(const char *query, const char *name, char *value, size_t size)
{
	value[0] = '\0';
	while (*query) {
		const char *end = query + strcspn(query, "&");
		const char *equals = memchr(query, '=', (size_t)(end - query));

		if (is_name(query, equals ? equals : end, name))
			return decode(equals ? equals + 1 : end, end, value, size);
		query = end + (*end != '\0');
	}
	return PARAMETER_ABSENT;
}
