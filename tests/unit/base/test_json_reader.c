/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * JSON as RFC 8259 has it, and nothing else. Each text is read as an array of strings, which are
 * compared joined by bars.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/bounded_text.h"
#include "base/json_reader.h"
#include "support/test.h"

#define STRING_SIZE 9

static char joined[256];
static struct reason reason;

static int read_strings(const char *bytes, size_t length)
{
	struct bounded_text text;
	struct json_reader reader;
	int more;

	bounded_text_begin(&text, joined, sizeof(joined));
	json_reader_begin(&reader, bytes, length, &reason);
	if (json_reader_enter(&reader, '[', "\"[\"") < 0)
		return -1;
	while ((more = json_reader_next(&reader, ']')) > 0) {
		char string[STRING_SIZE];

		if (json_reader_null(&reader)) {
			bounded_text_add(&text, "null|");
			continue;
		}
		if (json_reader_string(&reader, "a string", string, sizeof(string)) < 0)
			return -1;
		bounded_text_add(&text, "%s|", string);
	}
	return more < 0 ? -1 : json_reader_end(&reader);
}

/* In memory of its own, so that reading beyond the end is noticed. */
static int read_copy(const char *bytes, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);
	int result;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, length);
	result = read_strings(copy, length);
	free(copy);
	return result;
}

static const struct {
	const char *text, *strings;
} good[] = {
	{"[]", ""},
	{" [ ] ", ""},
	{"\t\r\n[\"a\"\n]\r\n", "a|"},
	{"[\"\"]", "|"},
	{"[\"a\" , \"b\"]", "a|b|"},
	{"[null]", "null|"},
	{"[\"a\",null,\"b\"]", "a|null|b|"},
	{"[\"\\\"\\\\\\/\"]", "\"\\/|"},
	{"[\"\\b\\f\\n\\r\\t\"]", "\b\f\n\r\t|"},
	{"[\"\\u0041\\u00e9\\u00E9\"]", "A\xc3\xa9\xc3\xa9|"},
	{"[\"\\u20ac\\uFFFF\"]", "\xe2\x82\xac\xef\xbf\xbf|"},
	{"[\"\\uD834\\udd1e\"]", "\xf0\x9d\x84\x9e|"},
	{"[\"\\uDBFF\\uDFFF\"]", "\xf4\x8f\xbf\xbf|"},
	{"[\"\\u001f\"]", "\x1f|"},
	{"[\"\\\\u0041\"]", "\\u0041|"},
	{"[\"\xc3\xa9\xe2\x82\xac\"]", "\xc3\xa9\xe2\x82\xac|"},
	{"[\"\xf0\x9d\x84\x9e\"]", "\xf0\x9d\x84\x9e|"},
	{"[\"\x7f\"]", "\x7f|"},
	{"[\"\xe2\x80\xa8\"]", "\xe2\x80\xa8|"},
	{"[\"/*#*/ //\"]", "/*#*/ //|"},
	{"[\"12345678\"]", "12345678|"},
};

TEST_EACH(what_is_json_is_read, ARRAY_SIZE(good))
{
	ck_assert_msg(read_copy(good[_i].text, strlen(good[_i].text)) == 0, "%s", reason.text);
	ck_assert_str_eq(joined, good[_i].strings);
}

#define BYTES(text) text, sizeof(text) - 1
static const struct {
	const char *text;
	size_t length;
	const char *reason;
} bad[] = {
	{BYTES(""), "1:1: expected \"[\", found the end of the file"},
	{BYTES(" \n "), "2:2: expected \"[\", found the end of the file"},
	{BYTES("["), "1:2: expected a string, found the end of the file"},
	{BYTES("]"), "1:1: expected \"[\", found \"]\""},
	{BYTES("{}"), "1:1: expected \"[\", found an object"},
	{BYTES("\"a\""), "1:1: expected \"[\", found a string"},
	{BYTES("null"), "1:1: expected \"[\", found \"n\""},
	{BYTES("[\"a\""), "1:5: expected \",\" or \"]\", found the end of the file"},
	{BYTES("[\"a\","), "1:6: expected a string, found the end of the file"},
	{BYTES("[\"a\",]"), "1:6: expected a string, found \"]\""},
	{BYTES("[,\"a\"]"), "1:2: expected a string, found \",\""},
	{BYTES("[\"a\",,\"b\"]"), "1:6: expected a string, found \",\""},
	{BYTES("[\"a\" \"b\"]"), "1:6: expected \",\" or \"]\", found a string"},
	{BYTES("[\"a\";\"b\"]"), "1:5: expected \",\" or \"]\", found \";\""},
	{BYTES("[\"a\":\"b\"]"), "1:5: expected \",\" or \"]\", found \":\""},
	{BYTES("[\"a\"}"), "1:5: expected \",\" or \"]\", found \"}\""},
	{BYTES("[\"a\"]]"), "1:6: expected the end of the file, found \"]\""},
	{BYTES("[] x"), "1:4: expected the end of the file, found \"x\""},
	{BYTES("[]\n[]"), "2:1: expected the end of the file, found an array"},
	{BYTES("[]\0"), "1:3: expected the end of the file, found byte 0x00"},
	{BYTES("\0[]"), "1:1: expected \"[\", found byte 0x00"},
	{BYTES("[\0]"), "1:2: expected a string, found byte 0x00"},
	{BYTES("['a']"), "1:2: expected a string, found \"'\""},
	{BYTES("[a]"), "1:2: expected a string, found \"a\""},
	{BYTES("[1]"), "1:2: expected a string, found a number"},
	{BYTES("[-1]"), "1:2: expected a string, found a number"},
	{BYTES("[true]"), "1:2: expected a string, found \"t\""},
	{BYTES("[nul]"), "1:2: expected a string, found \"n\""},
	{BYTES("[nul"), "1:2: expected a string, found \"n\""},
	{BYTES("[Null]"), "1:2: expected a string, found \"N\""},
	{BYTES("[nullx]"), "1:6: expected \",\" or \"]\", found \"x\""},
	{BYTES("[{}]"), "1:2: expected a string, found an object"},
	{BYTES("[[]]"), "1:2: expected a string, found an array"},
	{BYTES("[/**/]"), "1:2: expected a string, found \"/\""},
	{BYTES("#\n[]"), "1:1: expected \"[\", found \"#\""},
	{BYTES("\f[]"), "1:1: expected \"[\", found byte 0x0c"},
	{BYTES("\v[]"), "1:1: expected \"[\", found byte 0x0b"},
	{BYTES("\xc2\xa0[]"), "1:1: expected \"[\", found byte 0xc2"},
	{BYTES("\xe2\x81\xa0[]"), "1:1: expected \"[\", found byte 0xe2"},
	{BYTES("\xef\xbb\xbf[]"), "1:1: a byte order mark: save the file without it"},
	{BYTES("\xef\xbb"), "1:1: expected \"[\", found byte 0xef"},
	{BYTES("\xff\xfe[\0]\0"), "1:1: expected \"[\", found byte 0xff"},
	{BYTES("[\\u000a\"\"]"), "1:2: expected a string, found \"\\\""},
	{BYTES("[\"a]"), "1:2: a string without its closing quote"},
	{BYTES("[\""), "1:2: a string without its closing quote"},
	{BYTES("[\"a\\\"]"), "1:2: a string without its closing quote"},
	{BYTES("[\"\\"), "1:3: not an escape: "},
	{BYTES("[\"\\x00\"]"), "1:3: not an escape: "},
	{BYTES("[\"\\a\"]"), "1:3: not an escape: "},
	{BYTES("[\"\\'\"]"), "1:3: not an escape: "},
	{BYTES("[\"\\\0\"]"), "1:3: not an escape: "},
	{BYTES("[\"\\U0041\"]"), "1:3: not an escape: "},
	{BYTES("[\"a\\\xc3\xa9\"]"), "1:4: not an escape: "},
	{BYTES("[\"\\u"), "1:3: \\u needs four hexadecimal digits"},
	{BYTES("[\"\\u12\"]"), "1:3: \\u needs four hexadecimal digits"},
	{BYTES("[\"\\u12g4\"]"), "1:3: \\u needs four hexadecimal digits"},
	{BYTES("[\"\\u+123\"]"), "1:3: \\u needs four hexadecimal digits"},
	{BYTES("[\"\\u 123\"]"), "1:3: \\u needs four hexadecimal digits"},
	{BYTES("[\"\\u123\0\"]"), "1:3: \\u needs four hexadecimal digits"},
	{BYTES("[\"\\u0000\"]"), "1:3: \\u0000: text has no NUL"},
	{BYTES("[\"\\ud800\"]"), "1:3: \\ud800 is half of a character"},
	{BYTES("[\"\\uD834"), "1:3: \\ud834 is half of a character"},
	{BYTES("[\"\\uD834\\"), "1:3: \\ud834 is half of a character"},
	{BYTES("[\"\\uD834\\u"), "1:3: \\ud834 is half of a character"},
	{BYTES("[\"\\uD834\\uD"), "1:3: \\ud834 is half of a character"},
	{BYTES("[\"\\uD834\\n\"]"), "1:3: \\ud834 is half of a character"},
	{BYTES("[\"\\uD834\\u0041\"]"), "1:3: \\ud834 is half of a character"},
	{BYTES("[\"\\uD834\\uD834\"]"), "1:3: \\ud834 is half of a character"},
	{BYTES("[\"\\uD834\\ue000\"]"), "1:3: \\ud834 is half of a character"},
	{BYTES("[\"\\uDBFFx\"]"), "1:3: \\udbff is half of a character"},
	{BYTES("[\"\\udc00\"]"), "1:3: \\udc00 is half of a character"},
	{BYTES("[\"\\uDFFF\\uD834\"]"), "1:3: \\udfff is half of a character"},
	{BYTES("[\"a\tb\"]"), "1:4: a control character in a string: write \\u0009"},
	{BYTES("[\"\n\"]"), "1:3: a control character in a string: write \\u000a"},
	{BYTES("[\"\0\"]"), "1:3: a control character in a string: write \\u0000"},
	{BYTES("[\"\x1f\"]"), "1:3: a control character in a string: write \\u001f"},
	{BYTES("[\"\xff\"]"), "1:3: byte 0xff is not UTF-8"},
	{BYTES("[\"\x80\"]"), "1:3: byte 0x80 is not UTF-8"},
	{BYTES("[\"\xe9\"]"), "1:3: byte 0xe9 is not UTF-8"},
	{BYTES("[\"\xc0\xaf\"]"), "1:3: byte 0xc0 is not UTF-8"},
	{BYTES("[\"\xe0\x80\x80\"]"), "1:3: byte 0xe0 is not UTF-8"},
	{BYTES("[\"\xed\xa0\x80\"]"), "1:3: byte 0xed is not UTF-8"},
	{BYTES("[\"\xf0\x80\x80\x80\"]"), "1:3: byte 0xf0 is not UTF-8"},
	{BYTES("[\"\xf4\x90\x80\x80\"]"), "1:3: byte 0xf4 is not UTF-8"},
	{BYTES("[\"\xe2\x82"), "1:3: byte 0xe2 is not UTF-8"},
	{BYTES("[\"\xe2\x82\"]"), "1:3: byte 0xe2 is not UTF-8"},
	{BYTES("\n[\"\xc3\xa9\xe2\x82\xac\",\n \"\xc3\xa9\xff\"]"), "3:4: byte 0xff is not UTF-8"},
	{BYTES("[\"123456789\"]"), "1:11: the string is longer than 8 bytes"},
	{BYTES("[\"1234567\xc3\xa9\"]"), "1:10: the string is longer than 8 bytes"},
	{BYTES("[\"1234567\\u00e9\"]"), "1:10: the string is longer than 8 bytes"},
};

TEST_EACH(what_is_not_json_is_refused_with_its_place, ARRAY_SIZE(bad))
{
	ck_assert_int_eq(read_copy(bad[_i].text, bad[_i].length), -1);
	ck_assert_msg(strncmp(reason.text, bad[_i].reason, strlen(bad[_i].reason)) == 0, "%s",
		      reason.text);
}

TEST(every_beginning_of_a_good_text_is_refused)
{
	static const char text[] = "[\"a\\u00e9\\uD834\\uDD1E\", null, \"\xe2\x82\xac\"]";

	ck_assert_int_eq(read_copy(text, strlen(text)), 0);
	for (size_t length = 0; length < strlen(text); length++)
		ck_assert_int_eq(read_copy(text, length), -1);
}

static int read_object(const char *text)
{
	struct bounded_text pairs;
	struct json_reader reader;
	int more;

	bounded_text_begin(&pairs, joined, sizeof(joined));
	json_reader_begin(&reader, text, strlen(text), &reason);
	if (json_reader_enter(&reader, '{', "\"{\"") < 0)
		return -1;
	while ((more = json_reader_next(&reader, '}')) > 0) {
		char key[STRING_SIZE], value[STRING_SIZE];

		if (json_reader_key(&reader, key, sizeof(key)) < 0)
			return -1;
		if (strcmp(key, "skip") == 0) {
			if (json_reader_string(&reader, "a string", NULL, 0) < 0)
				return -1;
			continue;
		}
		if (strcmp(key, "fail") == 0)
			return json_reader_fail(&reader, "no %s", key);
		if (json_reader_string(&reader, "a string", value, sizeof(value)) < 0)
			return -1;
		bounded_text_add(&pairs, "%s=%s|", key, value);
	}
	return more < 0 ? -1 : json_reader_end(&reader);
}

static const struct {
	const char *text, *pairs, *reason;
} objects[] = {
	{"{}", "", NULL},
	{"{\"a\":\"b\"}", "a=b|", NULL},
	{" { \"a\" : \"b\" , \"\" : \"\" } ", "a=b|=|", NULL},
	{"{\"skip\":\"of any length\",\"a\":\"b\"}", "a=b|", NULL},
	{"[]", NULL, "1:1: expected \"{\", found an array"},
	{"{", NULL, "1:2: expected a key in quotes, found the end of the file"},
	{"{a:\"b\"}", NULL, "1:2: expected a key in quotes, found \"a\""},
	{"{\"a\"}", NULL, "1:5: expected \":\" after the key, found \"}\""},
	{"{\"a\" \"b\"}", NULL, "1:6: expected \":\" after the key, found a string"},
	{"{\"a\":}", NULL, "1:6: expected a string, found \"}\""},
	{"{\"a\":\"b\"", NULL, "1:9: expected \",\" or \"}\", found the end of the file"},
	{"{\"a\":\"b\",}", NULL, "1:10: expected a key in quotes, found \"}\""},
	{"{\"a\":\"b\"]", NULL, "1:9: expected \",\" or \"}\", found \"]\""},
	{"{\"a\"::\"b\"}", NULL, "1:6: expected a string, found \":\""},
	{"{\"skip\":\"\xff\"}", NULL, "1:10: byte 0xff is not UTF-8"},
	{"{\"123456789\":\"\"}", NULL, "1:11: the string is longer than 8 bytes"},
	{"{\n \"fail\" : \"b\"}", NULL, "2:2: no fail"},
};

TEST_EACH(an_object_is_keys_with_values, ARRAY_SIZE(objects))
{
	if (!objects[_i].reason) {
		ck_assert_msg(read_object(objects[_i].text) == 0, "%s", reason.text);
		ck_assert_str_eq(joined, objects[_i].pairs);
		return;
	}
	ck_assert_int_eq(read_object(objects[_i].text), -1);
	ck_assert_str_eq(reason.text, objects[_i].reason);
}
