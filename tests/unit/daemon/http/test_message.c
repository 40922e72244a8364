/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The headers of a request, by name. */

#include "config.h"

#include "daemon/http/message.h"
#include "support/test.h"

static const char headers[] = "Host: a\r\n"
			      "X-Name-2: no\r\n"
			      "x-NAME: \t 0.5\t \r\n"
			      "Empty:\r\n"
			      "Folded: X-Deep: no\r\n"
			      "X-Name: second\n"
			      "Last:z";

static const struct {
	const char *name;
	const char *value;
} values[] = {{"Host", "a"},	  {"X-Name", "0.5"},	    {"Empty", ""},
	      {"x-name-2", "no"}, {"Folded", "X-Deep: no"}, {"Last", "z"}};

static const struct http_request request = {.headers = headers};

TEST_CASE("message");

TEST_EACH(a_header_is_found_by_its_name_and_trimmed, ARRAY_SIZE(values))
{
	char value[16] = "before";

	ck_assert(http_header(&request, values[_i].name, value, sizeof(value)));
	ck_assert_str_eq(value, values[_i].value);
}

TEST_EACH(a_header_that_is_not_there_or_too_long_is_none, 4)
{
	static const char *const names[] = {"X-Deep", "X", "Host: a", "Folded"};
	char value[10] = "before";

	ck_assert(!http_header(&request, names[_i], value, sizeof(value)));
	ck_assert_str_eq(value, "");
}

TEST(headers_of_one_name_are_found_one_after_the_other)
{
	size_t length;
	const char *value = http_header_find(headers, "X-Name", &length);

	ck_assert_str_eq(value + length, strstr(headers, "\t \r\nEmpty"));
	value = http_header_find(value + length, "X-Name", &length);
	ck_assert_uint_eq(length, strlen("second"));
	ck_assert(strncmp(value, "second", length) == 0);
	ck_assert_ptr_null(http_header_find(value + length, "X-Name", &length));
}
