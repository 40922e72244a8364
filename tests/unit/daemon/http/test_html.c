/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Numbers as people read them on the status page. */

#include "config.h"

#include "daemon/http/html.h"

#include "support/test.h"

static char page[64];

static const struct {
	double bytes;
	const char *text;
} sizes[] = {{0, "0 B"},
	     {1023, "1023 B"},
	     {1024, "1.0 KiB"},
	     {1536, "1.5 KiB"},
	     {1048575, "1.0 MiB"},
	     {3.5 * 1048576, "3.5 MiB"},
	     {18446744073709551615.0, "16.0 EiB"}};

TEST_EACH(bytes_are_told_in_the_largest_unit, ARRAY_SIZE(sizes))
{
	struct bounded_text out;

	bounded_text_begin(&out, page, sizeof(page));
	html_bytes(&out, sizes[_i].bytes);
	ck_assert_str_eq(page, sizes[_i].text);
}

static const struct {
	int64_t seconds;
	const char *text;
} durations[] = {{0, "0 s"},	    {59, "59 s"},	{60, "1 min"},
		 {61, "1 min 1 s"}, {3600, "1 h"},	{7384, "2 h 3 min"},
		 {86400, "1 d"},    {93600, "1 d 2 h"}, {86400 * 400, "400 d"}};

TEST_EACH(durations_are_told_in_two_units, ARRAY_SIZE(durations))
{
	struct bounded_text out;

	bounded_text_begin(&out, page, sizeof(page));
	html_duration(&out, durations[_i].seconds);
	ck_assert_str_eq(page, durations[_i].text);
}
