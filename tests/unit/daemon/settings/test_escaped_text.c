/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Escapes: every byte can be written, and what was written is read back as the same. */

#include "config.h"

#include "daemon/settings/escaped_text.h"

#include "support/test.h"

TEST(escapes_stand_for_their_bytes)
{
	static const struct {
		const char *escaped;
		size_t length;
		const char *bytes;
	} cases[] = {
		{"", 0, ""},
		{"Hello, client", 13, "Hello, client"},
		{"a\\nb\\rc\\td\\\\e", 9, "a\nb\rc\td\\e"},
		{"\\x00\\xff\\xFf\\x3b", 4, "\0\xff\xff;"},
		{"\\x41\\x4a\\x4A1", 4, "AJJ1"},
		{"\xc3\xa9 = : # ;", 10, "\xc3\xa9 = : # ;"},
		{"\\\\x41", 4, "\\x41"},
	};
	struct text text;
	struct reason reason;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ck_assert_int_eq(escaped_text_decode(&text, cases[i].escaped, &reason), 0);
		ck_assert_uint_eq(text.length, cases[i].length);
		ck_assert_mem_eq(text.bytes, cases[i].bytes, cases[i].length);
	}
}

static const char *const other_escapes_texts[] = {
	"\\", "a\\", "\\0", "\\N", "\\x", "\\x4", "\\x4g", "\\xg4", "\\X41", "\\ ", "\\\"",
};

TEST_EACH(other_escapes_are_refused, ARRAY_SIZE(other_escapes_texts))
{
	struct text text;
	struct reason reason;

	ck_assert_int_eq(escaped_text_decode(&text, other_escapes_texts[_i], &reason), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "is not an escape: allowed are"));
}

TEST(no_more_is_taken_than_there_is_room_for)
{
	char escaped[LINE_MAX_LENGTH + 2];
	struct text text;
	struct reason reason;

	memset(escaped, 'x', sizeof(escaped));
	escaped[LINE_MAX_LENGTH] = '\0';
	ck_assert_int_eq(escaped_text_decode(&text, escaped, &reason), 0);
	ck_assert_uint_eq(text.length, LINE_MAX_LENGTH);
	escaped[LINE_MAX_LENGTH] = 'x';
	escaped[LINE_MAX_LENGTH + 1] = '\0';
	ck_assert_int_eq(escaped_text_decode(&text, escaped, &reason), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "longer than 190"));
}

TEST(what_a_file_would_read_differently_is_escaped)
{
	static const struct {
		size_t length;
		const char *bytes, *escaped, *compact;
	} cases[] = {
		{0, "", "", ""},
		{5, "a b;c", "a b;c", "a b;c"},
		{1, " ", "\\x20", "\\x20"},
		{4, " ab ", "\\x20ab\\x20", "\\x20ab\\x20"},
		{4, "a ;b", "a \\x3bb", "a \\x3bb"},
		{2, ";a", "\\x3ba", "\\x3ba"},
		{2, " ;", "\\x20;", "\\x20;"},
		{3, "\ta\t", "\\ta\\t", "\\ta\\t"},
		{3, "a\tb", "a\\tb", "a\tb"},
		{3, "a\t;", "a\\t;", "a\\t;"},
		{4, "a\t b", "a\\t b", "a\t b"},
		{4, "\n\r\\\0", "\\n\\r\\\\\\x00", "\\n\\r\\\\\\x00"},
		{3, "\x7f\x1f~", "\\x7f\\x1f~", "\\x7f\\x1f~"},
		{2, "\xc3\xa9", "\\xc3\\xa9", "\xc3\xa9"},
		{1, "\x80", "\\x80", "\x80"},
	};
	char escaped[ESCAPED_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text text = {.length = cases[i].length};

		memcpy(text.bytes, cases[i].bytes, text.length);
		escaped_text_encode(&text, ESCAPED_TEXT_MAX, escaped);
		ck_assert_str_eq(escaped, cases[i].escaped);
		escaped_text_encode(&text, 0, escaped);
		ck_assert_str_eq(escaped, cases[i].compact);
	}
}

TEST(every_text_comes_back_in_both_forms)
{
	char escaped[ESCAPED_TEXT_MAX];
	struct text text = {0}, back;
	struct reason reason;

	for (unsigned first = 0; first < 256; first++) {
		for (unsigned second = 0; second < 256; second++) {
			bool same;

			text.length = 3;
			text.bytes[0] = (char)first;
			text.bytes[1] = (char)second;
			text.bytes[2] = (char)(first ^ second);
			escaped_text_encode(&text, first % 2 == 0 ? 0 : SIZE_MAX, escaped);
			same = escaped_text_decode(&back, escaped, &reason) == 0 &&
			       memcmp(&back, &text, sizeof(text)) == 0;
			if (!same)
				ck_abort_msg("%s", escaped);
		}
	}
}
