/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Every code point is read as it was written, and nothing else is one. */

#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "support/test.h"

static const struct {
	const char *bytes;
	size_t length; /* 0: invalid */
	size_t printable;
} characters[] = {
	{"", 1, 0},
	{"a", 1, 1},
	{" ", 1, 1},
	{"\n", 1, 0},
	{"\x1f", 1, 0},
	{"\x7f", 1, 0},
	{"\x80", 0, 0},
	{"\xbf", 0, 0},
	{"\xc1\xbf", 0, 0},
	{"\xc2\x80", 2, 0},
	{"\xc2\x9f", 2, 0},
	{"\xc2\xa0", 2, 2},
	{"\xc2", 0, 0},
	{"\xc2z", 0, 0},
	{"\xc2\xc2", 0, 0},
	{"\xdf\xbf", 2, 2},
	{"\xe0\x9f\xbf", 0, 0},
	{"\xe0\xa0\x80", 3, 3},
	{"\xe0\xa0", 0, 0},
	{"\xe2\x82z", 0, 0},
	{"\xed\x9f\xbf", 3, 3},
	{"\xed\xa0\x80", 0, 0},
	{"\xef\xbf\xbf", 3, 3},
	{"\xf0\x8f\xbf\xbf", 0, 0},
	{"\xf0\x90\x80\x80", 4, 4},
	{"\xf0\x90\x80", 0, 0},
	{"\xf4\x8f\xbf\xbf", 4, 4},
	{"\xf4\x90\x80\x80", 0, 0},
	{"\xf5\x80\x80\x80", 0, 0},
	{"\xff", 0, 0},
};

TEST_EACH(only_the_shortest_form_of_a_character_is_valid, ARRAY_SIZE(characters))
{
	const char *bytes = characters[_i].bytes;

	ck_assert_uint_eq(utf8_length(bytes, strlen(bytes) + 1), characters[_i].length);
	ck_assert_uint_eq(utf8_printable(bytes), characters[_i].printable);
	if (characters[_i].length > 0)
		ck_assert_uint_eq(utf8_length(bytes, characters[_i].length - 1), 0);
}

TEST(each_code_point_is_read_as_it_was_written)
{
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		char bytes[UTF8_MAX];
		size_t length;
		uint32_t read;

		if (code == 0xd800)
			code = 0xe000;
		length = utf8_write(code, bytes);
		ck_assert_uint_eq(utf8_length(bytes, length), length);
		read = (unsigned char)bytes[0] & (length == 1 ? 0x7f : 0x7fu >> length);
		for (size_t i = 1; i < length; i++)
			read = read << 6 | (bytes[i] & 0x3f);
		ck_assert_uint_eq(read, code);
	}
}
