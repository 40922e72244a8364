/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Any query: a parameter's value is what a second reading, part by part, says, or refused, and
 * never longer than the space for it.
 */

#include "config.h"

#include <ctype.h>

#include "daemon/http/query.h"
#include "fuzz/fuzz.h"

/* TEXT decoded in place; NULL if that is not possible. */
static char *decode_slowly(char *text)
{
	char *to = text, *from = text;

	for (; *from; from++) {
		char digits[3] = {0};

		*to = *from == '+' ? ' ' : *from;
		if (*from == '%') {
			if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2]))
				return NULL;
			memcpy(digits, from + 1, 2);
			*to = (char)strtoul(digits, NULL, 16);
			if (!*to)
				return NULL;
			from += 2;
		}
		to++;
	}
	*to = '\0';
	return text;
}

/* The first value of NAME in QUERY, which is taken apart, into *VALUE. */
static enum http_parameter read_slowly(char *query, const char *name, const char **value)
{
	char *part, *part_name;

	while ((part = strsep(&query, "&"))) {
		part_name = decode_slowly(strsep(&part, "="));
		if (!part_name || strcmp(part_name, name) != 0)
			continue;
		*value = part ? decode_slowly(part) : "";
		return *value ? PARAMETER_PRESENT : PARAMETER_MALFORMED;
	}
	return PARAMETER_ABSENT;
}

static void check(const uint8_t *data, size_t size, size_t space)
{
	char *query = fuzz_text(data, size), *copy = fuzz_text(data, size);
	char *value = malloc(space);
	const char *wanted = "";
	enum http_parameter state = read_slowly(copy, "n", &wanted);

	FUZZ_CHECK(value);
	if (state == PARAMETER_MALFORMED || strlen(wanted) >= space) {
		state = PARAMETER_MALFORMED;
		wanted = "";
	}
	FUZZ_CHECK(http_parameter(query, "n", value, space) == state);
	FUZZ_CHECK(strcmp(value, wanted) == 0);
	free(value);
	free(copy);
	free(query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, 1);
	check(data, size, 8);
	check(data, size, size + 1);
	return 0;
}
