/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Parameters of a request: decoded, bounded, and nothing invented. */

#include "config.h"

#include "daemon/http/query.h"
#include "support/test.h"

static const struct {
	const char *query;
	const char *value; /* of "name" */
} present[] = {
	{"name=a", "a"},
	{"name=", ""},
	{"name", ""},
	{"x=1&name=a&y=2", "a"},
	{"name=a&name=b", "a"},
	{"names=b&nam=c&name=a", "a"},
	{"&&=x&name=a", "a"},
	{"x=name=b&name=a=b", "a=b"},
	{"name=a%20b+c", "a b c"},
	{"name=%5b2001%3Adb8::1%5D%3a7", "[2001:db8::1]:7"},
	{"name=%2B%26%3d%25", "+&=%"},
	{"name=%ff%0A", "\xff\n"},
	{"n%61m%65=a", "a"},
	{"x=%zz&name=a", "a"}, /* other parameters are none of our business */
	{"%zz=x&na%00me=b&name=a", "a"},
	{"name=123456789012345", "123456789012345"},
	{"name=12345678901234%35", "123456789012345"},
};

static const char *const absent[] = {"",       "x",	"Name=a",  "x=name",   "name2=a",
				     "nam=ea", "=name", "na+me=a", "name%00=a"};

static const char *const malformed[] = {
	"name=%",   "name=%4",	   "name=%4&x=1",     "name=%g1",
	"name=%1g", "name=a%00b",  "name=%-1",	      "name=1234567890123456",
	"name=% 1", "name=%&41=x", "name=%zz&name=a",
};

TEST_CASE("query");

TEST_EACH(the_first_value_is_decoded, ARRAY_SIZE(present))
{
	char value[16];

	ck_assert_int_eq(http_parameter(present[_i].query, "name", value, sizeof(value)),
			 PARAMETER_PRESENT);
	ck_assert_str_eq(value, present[_i].value);
}

TEST_EACH(what_is_not_there_is_absent, ARRAY_SIZE(absent))
{
	char value[16] = "before";

	ck_assert_int_eq(http_parameter(absent[_i], "name", value, sizeof(value)),
			 PARAMETER_ABSENT);
	ck_assert_str_eq(value, "");
}

TEST_EACH(what_is_no_text_or_too_long_is_malformed, ARRAY_SIZE(malformed))
{
	char value[16] = "before";

	ck_assert_int_eq(http_parameter(malformed[_i], "name", value, sizeof(value)),
			 PARAMETER_MALFORMED);
	ck_assert_str_eq(value, "");
}
