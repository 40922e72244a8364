/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What --json writes is JSON, whatever is put in; and the bars and numbers of the terminal. */

#include "config.h"

#include <math.h>

#include "echoc/say/json.h"
#include "echoc/say/report.h"
#include "echoc/say/terminal.h"
#include "support/test.h"

static char text[4096];
static struct json json;
static FILE *out;

static void open_json(void)
{
	memset(text, 0, sizeof(text));
	out = fmemopen(text, sizeof(text), "w");
	ck_assert_ptr_nonnull(out);
	json_begin(&json, out, "test");
}

#define TIME ",\"time\":\""

/* Without the time, which is tested with the clock. */
static const char *finished(void)
{
	static const char start[] = "{\"type\":\"test\"" TIME;
	const char *end;

	json_end(&json);
	fclose(out);
	ck_assert_int_eq(strncmp(text, start, strlen(start)), 0);
	end = strchr(text + strlen(start), '"');
	ck_assert_ptr_nonnull(end);
	memmove(strstr(text, TIME), end + 1, strlen(end));
	return text;
}

TEST_CASE("json", open_json);

TEST(an_object_is_one_line)
{
	json_unsigned(&json, "a", UINT64_MAX);
	json_open(&json, "b");
	json_number(&json, "c", 1.25, 3);
	json_bool(&json, "d", true);
	json_close(&json);
	json_string(&json, "e", NULL);
	ck_assert_str_eq(finished(), "{\"type\":\"test\",\"a\":18446744073709551615,"
				     "\"b\":{\"c\":1.250,\"d\":true},\"e\":null}\n");
}

TEST(what_was_not_measured_is_null)
{
	json_number(&json, "a", (double)NAN, 1);
	json_number(&json, "b", (double)INFINITY, 1);
	json_number(&json, "c", -(double)INFINITY, 1);
	ck_assert_str_eq(finished(), "{\"type\":\"test\",\"a\":null,\"b\":null,\"c\":null}\n");
}

TEST(strings_are_escaped)
{
	json_string(&json, "a", "\"\\\n\t\x01 ok");
	ck_assert_str_eq(finished(),
			 "{\"type\":\"test\",\"a\":\"\\\"\\\\\\u000a\\u0009\\u0001 ok\"}\n");
}

/* The first and the last of each length, and what borders on the surrogates. */
static const char *const well_formed[] = {
	"z\303\274rich", "\302\200",	 "\337\277",	     "\340\240\200",	 "\355\237\277",
	"\356\200\200",	 "\357\277\277", "\360\220\200\200", "\364\217\277\277",
};

TEST_EACH(utf_8_is_kept, ARRAY_SIZE(well_formed))
{
	char expected[64];

	json_string(&json, "a", well_formed[_i]);
	snprintf(expected, sizeof(expected), "{\"type\":\"test\",\"a\":\"%s\"}\n", well_formed[_i]);
	ck_assert_str_eq(finished(), expected);
}

/* Cut off, overlong, a surrogate, beyond the last, bytes that are in no sequence. */
static const char *const not_well_formed[] = {
	"\303",
	"\342\202",
	"\360\237\230",
	"\300\200",
	"\301\277",
	"\340\237\277",
	"\360\217\277\277",
	"\355\240\200",
	"\355\277\277",
	"\364\220\200\200",
	"\200",
	"\371\200\200\200\200",
	"\377",
};

TEST_EACH(every_byte_of_what_is_no_utf_8_is_replaced, ARRAY_SIZE(not_well_formed))
{
	char name[8], expected[64];

	snprintf(name, sizeof(name), "%sx", not_well_formed[_i]);
	json_string(&json, "a", name);
	snprintf(expected, sizeof(expected), "{\"type\":\"test\",\"a\":\"%.*sx\"}\n",
		 (int)(6 * strlen(not_well_formed[_i])), "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd");
	ck_assert_str_eq(finished(), expected);
}

TEST(bytes_are_two_digits)
{
	json_byte(&json, "a", 0x5a);
	json_byte(&json, "b", 0);
	json_byte(&json, "c", -1);
	ck_assert_str_eq(finished(), "{\"type\":\"test\",\"a\":\"5a\",\"b\":\"00\",\"c\":null}\n");
}

TEST_CASE("terminal");

TEST(a_bar_is_as_long_as_its_part)
{
	char bar[BAR_TEXT_MAX];

	ck_assert_str_eq(terminal_bar(0.5, 8, false, false, bar), "####");
	ck_assert_str_eq(terminal_bar(0.5, 8, false, true, bar), "####    ");
	ck_assert_str_eq(terminal_bar(0.5, 4, true, false, bar), "\u2588\u2588");
	ck_assert_str_eq(terminal_bar(0.3125, 4, true, false, bar), "\u2588\u258e");
	ck_assert_str_eq(terminal_bar(0.001, 4, true, false, bar), "\u258f");
	ck_assert_str_eq(terminal_bar(0, 4, true, false, bar), "");
	ck_assert_str_eq(terminal_bar((double)NAN, 4, false, false, bar), "");
	ck_assert_str_eq(terminal_bar(7, 4, false, false, bar), "####");
	ck_assert_uint_eq(strlen(terminal_bar(1, 5000, true, true, bar)), 3 * BAR_COLUMNS_MAX);
}

TEST(numbers_are_as_people_write_them)
{
	char number[NUMBER_TEXT_MAX];

	ck_assert_str_eq(number_text(0, number), "0");
	ck_assert_str_eq(number_text(999, number), "999");
	ck_assert_str_eq(number_text(1234567, number), "1,234,567");
	ck_assert_str_eq(number_text(UINT64_MAX, number), "18,446,744,073,709,551,615");
	ck_assert_str_eq(duration_text(5, number), "5.00 ns");
	ck_assert_str_eq(duration_text(182400, number), "182 us");
	ck_assert_str_eq(duration_text(999499, number), "999 us");
	ck_assert_str_eq(duration_text(999600, number), "1.00 ms");
	ck_assert_str_eq(duration_text(1.5e9, number), "1.50 s");
	ck_assert_str_eq(duration_text(7200e9, number), "7200 s");
	ck_assert_str_eq(duration_text((double)NAN, number), "-");
	ck_assert_str_eq(ms_text(182400, number), "0.182");
}

TEST(the_client_is_the_limit_above_95_percent_of_its_cores)
{
	struct report_span span = {.seconds = 10, .cpu = 9.4, .threads = 1};

	ck_assert(!report_client_was_limit(&span));
	span.cpu = 9.6;
	ck_assert(report_client_was_limit(&span));
	span.seconds = 0;
	ck_assert(!report_client_was_limit(&span));
}
