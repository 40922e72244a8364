/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* PROXY headers of version 1: lines, read byte by byte. */

#include "config.h"

#include "echod/stream/proxy_header.h"

#include "unit/proxy_bytes.h"

#define FF7 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:"
#define FF8 FF7 "ffff"

/* With the length, because of a NUL. */
#define LINE(text, source)                                                                         \
	{                                                                                          \
		text, sizeof(text) - 1, source                                                     \
	}

static const struct {
	const char *text;
	size_t size;
	const char *source;
} good_lines[] = {
	LINE("PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n", "192.0.2.1:123"),
	LINE("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535"),
	LINE("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0"),
	LINE("PROXY TCP4 1.20.199.250 10.0.0.1 1 2\r\n", "1.20.199.250:1"),
	LINE("PROXY TCP6 2001:db8::1 2001:db8::2 123 5678\r\n", "[2001:db8::1]:123"),
	LINE("PROXY TCP6 2001:DB8:0:0:0:0:0:1 :: 1 2\r\n", "[2001:db8::1]:1"),
	LINE("PROXY TCP6 2001:0db8::0001 ::1 1 2\r\n", "[2001:db8::1]:1"),
	LINE("PROXY TCP6 1:2:3:4:5:6:7:: ::8 1 2\r\n", "[1:2:3:4:5:6:7:0]:1"),
	LINE("PROXY TCP6 1:2:3:4:5:6:7:8 1::8 1 2\r\n", "[1:2:3:4:5:6:7:8]:1"),
	LINE("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n", "[::ffff:192.0.2.1]:1"),
	LINE("PROXY TCP6 1:2:3:4:5:6:192.0.2.1 ::1 1 2\r\n", "[1:2:3:4:5:6:c000:201]:1"),
	LINE("PROXY TCP6 " FF8 " " FF8 " 65535 65535\r\n", "[" FF8 "]:65535"),
	LINE("PROXY UNKNOWN\r\n", NULL),
	LINE("PROXY UNKNOWN " FF8 " " FF8 " 65535 65535\r\n", NULL),
	LINE("PROXY UNKNOWN TCP4 \0 \t\xff\r\n", NULL),
	LINE("PROXY UNKNOWNS\r\n", NULL),
	LINE("PROXY UNKNOWN 23456789 123456789 123456789 123456789 123456789 123456789 123456789 "
	     "123456789 123456789 12\r\n",
	     NULL), /* 107 bytes */
};

TEST_EACH(a_line_is_taken_with_its_last_byte, ARRAY_SIZE(good_lines))
{
	struct bytes bytes = {.size = 0};

	add(&bytes, good_lines[_i].text, good_lines[_i].size);
	ck_assert_uint_le(bytes.size, 107);
	expect_complete(&bytes, good_lines[_i].source);
}

#define ENDS "PROXY TCP4 192.0.2.1 192.0.2.2 "
#define HUNDRED_AND_THREE                                                                          \
	"PROXY UNKNOWN 23456789 123456789 123456789 123456789 123456789 123456789 123456789 "      \
	"123456789 123456789 "

/* The last byte of the text is the one that shows it; bytes behind it change nothing. */
static const struct {
	const char *text, *fault;
} bad_lines[] = {
	{"h", "no PROXY header: does the load balancer send one? (proxy_from)"},
	{"p", "no PROXY header"},
	{" ", "no PROXY header"},
	{"\n", "no PROXY header"},
	{"PR\r", "no PROXY header"},
	{"PO", "no PROXY header"},
	{"PROXY\r", "no PROXY header"},
	{"PROXYj", "no PROXY header"},
	{"PROXY\t", "no PROXY header"},
	{"PROXY \n", "version 1"},
	{"PROXY \r", "version 1"},
	{"PROXY  ", "version 1"},
	{"PROXY t", "version 1"},
	{"PROXY TCP5", "version 1"},
	{"PROXY TCP ", "version 1"},
	{"PROXY TCP4\r", "version 1"},
	{"PROXY TCP44", "version 1"},
	{"PROXY TCP6\t", "version 1"},
	{"PROXY UD", "version 1"},
	{"PROXY UNKNOW\r", "version 1"},
	{"PROXY UNKNOWN\n", "version 1"},
	{"PROXY UNKNOWN a\n", "version 1"},
	{"PROXY UNKNOWN a\rb", "version 1"},
	{"PROXY UNKNOWN a\r\r", "version 1"},
	{"PROXY TCP4  ", "version 1"},
	{"PROXY TCP4 .", "version 1"},
	{"PROXY TCP4 01", "version 1"},
	{"PROXY TCP4 00", "version 1"},
	{"PROXY TCP4 256", "version 1"},
	{"PROXY TCP4 1000", "version 1"},
	{"PROXY TCP4 1..", "version 1"},
	{"PROXY TCP4 192.0.02", "version 1"},
	{"PROXY TCP4 192.0.2 ", "version 1"},
	{"PROXY TCP4 192.0.2.1.", "version 1"},
	{"PROXY TCP4 192.0.2.1\r", "version 1"},
	{"PROXY TCP4 192.0.2.1/", "version 1"},
	{"PROXY TCP4 a", "version 1"},
	{"PROXY TCP4 :", "version 1"},
	{"PROXY TCP4 192.0.2.1 192.0.2.1.", "version 1"},
	{"PROXY TCP4 192.0.2.1 :", "version 1"},
	{"PROXY TCP6 192.", "version 1"},
	{"PROXY TCP6 1 ", "version 1"},
	{"PROXY TCP6 :1", "version 1"},
	{"PROXY TCP6 : ", "version 1"},
	{"PROXY TCP6 :::", "version 1"},
	{"PROXY TCP6 1::2::", "version 1"},
	{"PROXY TCP6 12345", "version 1"},
	{"PROXY TCP6 g", "version 1"},
	{"PROXY TCP6 1:2:3:4:5:6:7:8:", "version 1"},
	{"PROXY TCP6 1:2:3:4:5:6:7:8.", "version 1"},
	{"PROXY TCP6 ::192.0.2.256", "version 1"},
	{"PROXY TCP6 fe80::1%", "version 1"},
	{"PROXY TCP6 [", "version 1"},
	{"PROXY TCP6 ::1 192.", "version 1"},
	{ENDS " ", "version 1"},
	{ENDS "+", "version 1"},
	{ENDS "-", "version 1"},
	{ENDS "08", "version 1"},
	{ENDS "00", "version 1"},
	{ENDS "0x", "version 1"},
	{ENDS "65536", "version 1"},
	{ENDS "100000", "version 1"},
	{ENDS "80\t", "version 1"},
	{ENDS "80\r", "version 1"},
	{ENDS "80  ", "version 1"},
	{ENDS "80 \r", "version 1"},
	{ENDS "80 08", "version 1"},
	{ENDS "80 +", "version 1"},
	{ENDS "80 65536", "version 1"},
	{ENDS "80 80 ", "version 1"},
	{ENDS "80 80\n", "version 1"},
	{ENDS "80 80\r\r", "version 1"},
	{ENDS "80 80\r ", "version 1"},
	{HUNDRED_AND_THREE "456", "longer than 107 bytes"},
	{HUNDRED_AND_THREE "45\r\r", "version 1"},
};

TEST_EACH(a_bad_line_is_refused_at_the_byte_that_shows_it, ARRAY_SIZE(bad_lines))
{
	struct bytes bytes = {.size = 0};
	size_t at = strlen(bad_lines[_i].text);

	add(&bytes, bad_lines[_i].text, at);
	add(&bytes, "0 \r\n", 4);
	expect_invalid(&bytes, at, bad_lines[_i].fault);
}

TEST(an_address_too_long_for_one_is_refused)
{
	struct bytes bytes = {.size = 0};
	struct proxy_header header;

	add(&bytes, "PROXY TCP6 ", 11);
	for (int i = 0; i < 60; i++)
		add(&bytes, "0", 1);
	ck_assert_int_eq(verdict_at(&bytes, bytes.size, &header), PROXY_INVALID);
}

TEST(a_nul_ends_no_address)
{
	static const char *const before[] = {"PROXY TCP4 192.0.2.1", "PROXY TCP6 ::1",
					     "PROXY TCP4 192.0.2.1 192.0.2.2"};

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		struct bytes bytes = {.size = 0};

		add(&bytes, before[i], strlen(before[i]));
		add(&bytes, "\0 1 2\r\n", 7);
		expect_invalid(&bytes, strlen(before[i]) + 1, "version 1");
	}
}

TEST(nothing_is_the_beginning_of_both)
{
	struct proxy_header header;

	ck_assert_int_eq(proxy_header_parse("", 0, &header), PROXY_MORE);
}
