/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Any text as a number with a unit: nothing outside of its range is accepted, nothing is misread.
 */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <strings.h>

#include "base/units.h"
#include "fuzz/fuzz.h"

static void check_unsigned(const char *text)
{
	uint64_t value, again;
	char decimal[32];
	struct reason reason;

	if (parse_unsigned(text, 1, 65535, &value, &reason) == 0)
		FUZZ_CHECK(value >= 1 && value <= 65535);
	if (parse_unsigned(text, 0, UINT64_MAX, &value, &reason) < 0)
		return;
	(void)snprintf(decimal, sizeof(decimal), "%" PRIu64, value);
	FUZZ_CHECK(strcmp(text + strspn(text, "0"), decimal) == 0 || value == 0);
	FUZZ_CHECK(parse_unsigned(decimal, value, value, &again, &reason) == 0 && again == value);
}

/* The value of TEXT, read by the C library; false when it has none, or more than fits. */
static bool read_slowly(const char *text, const char *const *units, const uint64_t *factors,
			uint64_t *value)
{
	size_t digits = strspn(text, "0123456789"), unit = 0;
	unsigned long long number;

	errno = 0;
	number = strtoull(text, NULL, 10);
	while (units[unit] && strcasecmp(units[unit], text + digits) != 0)
		unit++;
	if (digits == 0 || !units[unit] || errno == ERANGE || number > UINT64_MAX / factors[unit])
		return false;
	*value = number * factors[unit];
	return true;
}

static void check_duration(const char *text)
{
	static const char *const units[] = {"", "ms", "s", "m", "h", "d", NULL};
	static const uint64_t factors[] = {1000, 1, 1000, 60000, 3600000, 86400000};
	const uint64_t year = 365 * factors[5];
	uint64_t value, expected;
	struct reason reason;

	if (parse_duration(text, 1, year, &value, &reason) == 0)
		FUZZ_CHECK(value >= 1 && value <= year);
	if (parse_duration(text, 0, UINT64_MAX, &value, &reason) < 0)
		FUZZ_CHECK(!read_slowly(text, units, factors, &expected));
	else
		FUZZ_CHECK(read_slowly(text, units, factors, &expected) && value == expected);
}

static void check_size(const char *text)
{
	static const char *const units[] = {"", "k", "m", "g", NULL};
	static const uint64_t factors[] = {1, 1 << 10, 1 << 20, 1 << 30};
	uint64_t value, expected;
	struct reason reason;

	if (parse_size(text, 1, 1 << 30, &value, &reason) == 0)
		FUZZ_CHECK(value >= 1 && value <= 1 << 30);
	if (parse_size(text, 0, UINT64_MAX, &value, &reason) < 0)
		FUZZ_CHECK(!read_slowly(text, units, factors, &expected));
	else
		FUZZ_CHECK(read_slowly(text, units, factors, &expected) && value == expected);
}

static void check_boolean(const char *text)
{
	struct reason reason;
	bool value;

	if (parse_boolean(text, &value, &reason) == 0)
		FUZZ_CHECK(strlen(text) >= 1 && strlen(text) <= 5);
}

/* Eight bytes as a duration the other way round: every value has a text. */
static void check_value(const uint8_t *data)
{
	char text[DURATION_TEXT_MAX];
	uint64_t value, again;
	struct reason reason;

	memcpy(&value, data, sizeof(value));
	FUZZ_CHECK(strlen(format_duration(value, text)) < sizeof(text));
	FUZZ_CHECK(parse_duration(text, value, value, &again, &reason) == 0 && again == value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_unsigned(text);
	check_duration(text);
	check_size(text);
	check_boolean(text);
	if (size >= sizeof(uint64_t))
		check_value(data);
	free(text);
	return 0;
}
