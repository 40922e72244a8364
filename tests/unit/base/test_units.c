/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Numbers, durations, sizes and booleans: what is taken, what is refused, and what is said then. */

#include "config.h"

#include "base/units.h"

#include <inttypes.h>

#include "support/test.h"

#define DAY UINT64_C(86400000)

TEST(whole_numbers_are_taken_up_to_their_limits)
{
	static const struct {
		const char *text;
		uint64_t min, max, value;
	} cases[] = {
		{"0", 0, 9, 0},
		{"9", 0, 9, 9},
		{"1", 1, 1, 1},
		{"007", 0, 9, 7},
		{"18446744073709551615", 0, UINT64_MAX, UINT64_MAX},
	};
	struct reason reason;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 4711;

		ck_assert_int_eq(
			parse_unsigned(cases[i].text, cases[i].min, cases[i].max, &value, &reason),
			0);
		ck_assert_uint_eq(value, cases[i].value);
	}
}

static const char *const whole_number_texts[] = {
	"",	"-1",  "+1",	      " 1",  "1 ",
	"0x1",	"1.0", "1e3",	      "one", "100",
	"1000", "4",   "99999999999", "1k",  "18446744073709551616",
	"5s",
};

TEST_EACH(what_is_no_whole_number_is_refused_and_changes_nothing, ARRAY_SIZE(whole_number_texts))
{
	struct reason reason;
	uint64_t value = 4711;

	ck_assert_int_eq(parse_unsigned(whole_number_texts[_i], 5, 99, &value, &reason), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "from 5 to 99"));
	ck_assert_uint_eq(value, 4711);
}

TEST(durations_have_units_and_mean_seconds_without_one)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {
		{"0", 0},
		{"0ms", 0},
		{"5", 5000},
		{"1ms", 1},
		{"1500ms", 1500},
		{"90s", 90000},
		{"2m", 120000},
		{"1h", 3600000},
		{"7d", 7 * DAY},
		{"2M", 120000},
		{"3MS", 3},
		{"365d", 365 * DAY},
		{"8760h", 365 * DAY},
	};
	struct reason reason;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t ms = 4711;

		ck_assert_int_eq(parse_duration(cases[i].text, 0, 365 * DAY, &ms, &reason), 0);
		ck_assert_uint_eq(ms, cases[i].ms);
	}
}

static const char *const duration_refused_texts[] = {
	"",   "s",   "ms",    "1.5s", "-1s", "1 s",   "1s ", "1sec",
	"1w", "1hm", "10m1s", "11m",  "601", "999ms", "0",   "18446744073709551615d",
};

TEST_EACH(what_is_no_duration_is_refused_with_the_limits_in_words,
	  ARRAY_SIZE(duration_refused_texts))
{
	struct reason reason;
	uint64_t ms = 4711;

	ck_assert_int_eq(parse_duration(duration_refused_texts[_i], 1000, 600000, &ms, &reason),
			 -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "from 1s to 10m"));
	ck_assert_uint_eq(ms, 4711);
}

TEST(durations_are_written_in_their_shortest_exact_form)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{0, "0"},
		{1, "1ms"},
		{999, "999ms"},
		{1000, "1s"},
		{1001, "1001ms"},
		{60000, "1m"},
		{90000, "90s"},
		{3600000, "1h"},
		{DAY, "1d"},
		{36 * 3600000, "36h"},
		{365 * DAY, "365d"},
		{UINT64_MAX, "18446744073709551615ms"},
	};
	char text[DURATION_TEXT_MAX];
	struct reason reason;
	uint64_t ms;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_str_eq(format_duration(cases[i].ms, text), cases[i].text);
		ck_assert_int_eq(parse_duration(text, 0, UINT64_MAX, &ms, &reason), 0);
		ck_assert_uint_eq(ms, cases[i].ms);
	}
}

TEST(short_durations_go_down_to_microseconds)
{
	static const struct {
		const char *text, *shortest;
		uint64_t us;
	} cases[] = {
		{"0", "0", 0},
		{"0us", "0", 0},
		{"1us", "1us", 1},
		{"100US", "100us", 100},
		{"1000us", "1ms", 1000},
		{"1ms", "1ms", 1000},
		{"1500us", "1500us", 1500},
		{"1", "1s", 1000000},
		{"1000ms", "1s", 1000000},
		{"1s", "1s", 1000000},
	};
	static const char *const refused[] = {
		"",   "us", "1.5ms", "-1us",   "1 us",	    "1ns",
		"1m", "1h", "2",     "1001ms", "1000001us", "18446744073709551615s",
	};
	char text[DURATION_TEXT_MAX];
	struct reason reason;
	uint64_t us = 4711;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		ck_assert_int_eq(parse_short_duration(refused[i], 0, 1000000, &us, &reason), -1);
		ck_assert_ptr_nonnull(
			strstr(reason.text, "from 0 to 1s: a whole number with us, "));
		ck_assert_uint_eq(us, 4711);
	}
	ck_assert_int_eq(parse_short_duration("9us", 10, 1000000, &us, &reason), -1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_eq(parse_short_duration(cases[i].text, 0, 1000000, &us, &reason), 0);
		ck_assert_uint_eq(us, cases[i].us);
		ck_assert_str_eq(format_short_duration(us, text), cases[i].shortest);
	}
}

struct decimal {
	const char *text;
	uint64_t value; /* UINT64_MAX: refused */
};

static const struct decimal decimal_durations[] = {
	{"0.2", 200},
	{"1", 1000},
	{"1.5s", 1500},
	{"2.5ms", 3},
	{"0.0014", 1},
	{"0.25m", 15000},
	{"0.5H", 1800000},
	{"1.000000001", 1000},
	{"1.999d", 172713600},
	{"007.50", 7500},
	{"0.000", 0},
	{".5", 500},
	{".25m", 15000},
	{".", UINT64_MAX},
	{".s", UINT64_MAX},
	{"..5", UINT64_MAX},
	{"1.", UINT64_MAX},
	{"1.2.3", UINT64_MAX},
	{"1.5x", UINT64_MAX},
	{"-0.5", UINT64_MAX},
	{"1.0000000001", UINT64_MAX},
	{"", UINT64_MAX},
	{"1,5", UINT64_MAX},
	{"1.5 s", UINT64_MAX},
	{"213503982334.7d", UINT64_MAX},
	{"400d", UINT64_MAX},
	{"18446744073709551616", UINT64_MAX},
};

TEST_EACH(durations_may_have_a_fraction, ARRAY_SIZE(decimal_durations))
{
	const struct decimal *row = &decimal_durations[_i];
	uint64_t ms = UINT64_MAX;
	struct reason reason;
	int result = parse_decimal_duration(row->text, 0, 365 * DAY, &ms, &reason);

	ck_assert_int_eq(result, row->value == UINT64_MAX ? -1 : 0);
	ck_assert_uint_eq(ms, row->value);
	if (result < 0)
		ck_assert_ptr_nonnull(
			strstr(reason.text, "is not a duration from 0 to 365d: a number"));
}

static const struct decimal rates[] = {
	{"1", 1},
	{"2.5k", 2500},
	{"10K", 10000},
	{"0.75m", 750000},
	{"1M", 1000000},
	{".5k", 500},
	{"0.4", UINT64_MAX},
	{"k", UINT64_MAX},
	{".k", UINT64_MAX},
	{"1g", UINT64_MAX},
	{"1.5kk", UINT64_MAX},
	{"101m", UINT64_MAX},
	{"1e3", UINT64_MAX},
};

TEST_EACH(rates_count_in_powers_of_1000, ARRAY_SIZE(rates))
{
	const struct decimal *row = &rates[_i];
	uint64_t rate = UINT64_MAX;
	struct reason reason;
	int result = parse_rate(row->text, 1, 100000000, &rate, &reason);

	ck_assert_int_eq(result, row->value == UINT64_MAX ? -1 : 0);
	ck_assert_uint_eq(rate, row->value);
	if (result < 0)
		ck_assert_ptr_nonnull(strstr(reason.text, "is not a rate from 1 to 100000000 per"));
}

TEST(sizes_count_in_powers_of_1024)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{"0", 0},	{"64", 64},	 {"1k", 1024},
		{"64K", 65536}, {"2m", 2097152}, {"1G", 1 << 30},
	};
	static const char *const refused[] = {
		"", "k", "1kb", "1 k", "-1", "2g", "17179869184g", "1073741825",
	};
	struct reason reason;
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_eq(parse_size(cases[i].text, 0, 1 << 30, &bytes, &reason), 0);
		ck_assert_uint_eq(bytes, cases[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		ck_assert_int_eq(parse_size(refused[i], 0, 1 << 30, &bytes, &reason), -1);
		ck_assert_ptr_nonnull(strstr(reason.text, "to 1073741824"));
	}
	ck_assert_int_eq(parse_size("9", 10, 20, &bytes, &reason), -1);
}

TEST(booleans_are_taken_in_any_letter_case)
{
	static const char *const words[][2] = {
		{"yes", "no"}, {"TRUE", "False"}, {"On", "oFF"}, {"1", "0"}, {"YES", "NO"},
	};
	static const char *const refused[] = {"", "y", "n", "2", "yes ", " no", "ye", "offf"};
	struct reason reason;
	bool value;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		value = false;
		ck_assert_int_eq(parse_boolean(words[i][0], &value, &reason), 0);
		ck_assert(value);
		ck_assert_int_eq(parse_boolean(words[i][1], &value, &reason), 0);
		ck_assert(!value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		ck_assert_int_eq(parse_boolean(refused[i], &value, &reason), -1);
		ck_assert_ptr_nonnull(strstr(reason.text, "yes or no"));
	}
}

TEST(a_reason_that_is_too_long_is_cut)
{
	struct reason reason;

	ck_assert_int_eq(reason_set(&reason, "%0*d", REASON_MAX * 2, 7), -1);
	ck_assert_uint_eq(strlen(reason.text), REASON_MAX - 1);
}
