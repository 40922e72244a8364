/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Parses whole numbers, durations, sizes and booleans. Owns nothing; called by the configuration
 * and both command lines.
 */

#include "config.h"

#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first: the first unit that divides a duration gives its shortest text. */
static const struct unit duration_units[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit short_duration_units[] = {
	{"s", 1000000},
	{"ms", 1000},
	{"us", 1},
};
static const struct unit rate_units[] = {
	{"k", 1000},
	{"m", 1000000},
};
static const struct unit size_units[] = {
	{"k", 1 << 10},
	{"m", 1 << 20},
	{"g", 1 << 30},
};

/* Consumes the digits at the start of *TEXT; false if there are none or too many. */
static bool take_digits(const char **text, uint64_t *value)
{
	const char *at = *text;
	uint64_t sum = 0;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(sum, (uint64_t)10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*at - '0'), &sum))
			return false;
	}
	if (at == *text)
		return false;
	*text = at;
	*value = sum;
	return true;
}

/* TEXT is one of UNITS, or empty, and BARE applies. */
static bool take_unit(const char *text, const struct unit *units, size_t count, uint64_t bare,
		      uint64_t *factor)
{
	size_t i = 0;

	*factor = bare;
	if (*text == '\0')
		return true;
	while (i < count && strcasecmp(text, units[i].name) != 0)
		i++;
	if (i == count)
		return false;
	*factor = units[i].factor;
	return true;
}

/* Digits and optionally one of UNITS, nothing else; without a unit, BARE applies. */
static bool take_quantity(const char *text, const struct unit *units, size_t count, uint64_t bare,
			  uint64_t *value)
{
	uint64_t factor;

	return take_digits(&text, value) && take_unit(text, units, count, bare, &factor) &&
	       !__builtin_mul_overflow(*value, factor, value);
}

#define FRACTION_DIGITS 9 /* times the largest factor, that is still a number */

/* Consumes a point and digits, if there are any; *VALUE is how many *SCALE-ths they are. */
static bool take_fraction(const char **text, uint64_t *value, uint64_t *scale)
{
	const char *digits = *text + 1;

	*value = 0;
	*scale = 1;
	if (**text != '.')
		return true;
	*text = digits;
	if (!take_digits(text, value) || *text - digits > FRACTION_DIGITS)
		return false;
	for (; digits < *text; digits++)
		*scale *= 10;
	return true;
}

/*
 * As take_quantity, but with a fraction, as in 0.2 or .2; rounded, and down where it is less than
 * 1.
 */
static bool take_decimal(const char *text, const struct unit *units, size_t count, uint64_t bare,
			 uint64_t *value)
{
	uint64_t fraction, scale, factor;

	*value = 0;
	if ((*text != '.' && !take_digits(&text, value)) ||
	    !take_fraction(&text, &fraction, &scale) ||
	    !take_unit(text, units, count, bare, &factor) ||
	    __builtin_mul_overflow(*value, factor, value))
		return false;
	if (*value == 0 && fraction * factor < scale)
		return true;
	return !__builtin_add_overflow(*value, (fraction * factor + scale / 2) / scale, value);
}

int parse_unsigned(const char *text, uint64_t min, uint64_t max, uint64_t *value,
		   struct reason *reason)
{
	uint64_t number;

	if (!take_quantity(text, NULL, 0, 1, &number) || number < min || number > max)
		return reason_set(reason,
				  "\"%s\" is not a whole number from %" PRIu64 " to %" PRIu64, text,
				  min, max);
	*value = number;
	return 0;
}

/* In the first UNIT, from the largest on, that divides it. */
static const char *format_in(const struct unit *unit, uint64_t value,
			     char text[static DURATION_TEXT_MAX])
{
	while (value % unit->factor != 0)
		unit++;
	(void)snprintf(text, DURATION_TEXT_MAX, "%" PRIu64 "%s", value / unit->factor,
		       value == 0 ? "" : unit->name);
	return text;
}

/* A way to write durations. */
struct duration_form {
	const struct unit *units;
	size_t unit_count;
	uint64_t bare; /* without a unit: seconds */
	const char *words;
	bool (*take)(const char *text, const struct unit *units, size_t count, uint64_t bare,
		     uint64_t *value);
};

static int parse_as(const struct duration_form *form, const char *text, uint64_t min, uint64_t max,
		    uint64_t *value, struct reason *reason)
{
	char min_text[DURATION_TEXT_MAX], max_text[DURATION_TEXT_MAX];
	uint64_t number;

	if (!form->take(text, form->units, form->unit_count, form->bare, &number) || number < min ||
	    number > max)
		return reason_set(reason, "\"%s\" is not a duration from %s to %s: %s", text,
				  format_in(form->units, min, min_text),
				  format_in(form->units, max, max_text), form->words);
	*value = number;
	return 0;
}

int parse_duration(const char *text, uint64_t min_ms, uint64_t max_ms, uint64_t *ms,
		   struct reason *reason)
{
	static const struct duration_form form = {
		duration_units, ARRAY_SIZE(duration_units), 1000,
		"a whole number with ms, s, m, h or d, or of seconds", take_quantity};

	return parse_as(&form, text, min_ms, max_ms, ms, reason);
}

int parse_short_duration(const char *text, uint64_t min_us, uint64_t max_us, uint64_t *us,
			 struct reason *reason)
{
	static const struct duration_form form = {
		short_duration_units, ARRAY_SIZE(short_duration_units), 1000000,
		"a whole number with us, ms or s, or of seconds", take_quantity};

	return parse_as(&form, text, min_us, max_us, us, reason);
}

int parse_decimal_duration(const char *text, uint64_t min_ms, uint64_t max_ms, uint64_t *ms,
			   struct reason *reason)
{
	static const struct duration_form form = {duration_units, ARRAY_SIZE(duration_units), 1000,
						  "a number with ms, s, m, h or d, or of seconds",
						  take_decimal};

	return parse_as(&form, text, min_ms, max_ms, ms, reason);
}

int parse_rate(const char *text, uint64_t min, uint64_t max, uint64_t *rate, struct reason *reason)
{
	uint64_t number;

	if (!take_decimal(text, rate_units, ARRAY_SIZE(rate_units), 1, &number) || number < min ||
	    number > max)
		return reason_set(reason,
				  "\"%s\" is not a rate from %" PRIu64 " to %" PRIu64
				  " per second: a number, or one with k or m",
				  text, min, max);
	*rate = number;
	return 0;
}

int parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes, struct reason *reason)
{
	uint64_t number;

	if (!take_quantity(text, size_units, ARRAY_SIZE(size_units), 1, &number) || number < min ||
	    number > max)
		return reason_set(reason,
				  "\"%s\" is not a size from %" PRIu64 " to %" PRIu64
				  ": a whole number of bytes, or with k, m or g",
				  text, min, max);
	*bytes = number;
	return 0;
}

int parse_boolean(const char *text, bool *value, struct reason *reason)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{"yes", true}, {"true", true},	 {"on", true},	 {"1", true},
		{"no", false}, {"false", false}, {"off", false}, {"0", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(text, words[i].word) == 0) {
			*value = words[i].value;
			return 0;
		}
	}
	return reason_set(reason, "\"%s\" is not yes or no (nor true, false, on, off, 1, 0)", text);
}

const char *format_duration(uint64_t ms, char text[static DURATION_TEXT_MAX])
{
	return format_in(duration_units, ms, text);
}

const char *format_short_duration(uint64_t us, char text[static DURATION_TEXT_MAX])
{
	return format_in(short_duration_units, us, text);
}
