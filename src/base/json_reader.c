/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See json_reader.h. Neither allocates nor recurses. */

#include "config.h"

#include "base/json_reader.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define FOUND_MAX 32
#define CODE_DIGITS 4

/* Where the bytes of a string go. */
struct sink {
	char *text; /* NULL: nowhere */
	size_t size;
	size_t used;
};

struct json_position json_position(const char *text, size_t offset)
{
	struct json_position position = {1, 1};

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n')
			position = (struct json_position){position.line + 1, 1};
		else if ((text[i] & 0xc0) != 0x80) /* a character, or the first byte of one */
			position.column++;
	}
	return position;
}

int json_reader_fail(struct json_reader *reader, const char *format, ...)
{
	struct json_position position = json_position(reader->text, reader->place);
	struct reason what;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what.text, sizeof(what.text), format, args);
	va_end(args);
	return reason_set(reader->reason, "%zu:%zu: %s", position.line, position.column, what.text);
}

static void skip_blanks(struct json_reader *reader)
{
	while (reader->at < reader->length && reader->text[reader->at] != '\0' &&
	       strchr(" \t\r\n", reader->text[reader->at]))
		reader->at++;
}

/* 0 at the end: a NUL of the text is wrong wherever it is. */
static char peek(struct json_reader *reader)
{
	skip_blanks(reader);
	reader->place = reader->at;
	return reader->at < reader->length ? reader->text[reader->at] : '\0';
}

static const char *describe_next(const struct json_reader *reader, char found[static FOUND_MAX])
{
	char next = reader->at < reader->length ? reader->text[reader->at] : '\0';

	if (reader->at == reader->length)
		return "the end of the file";
	if (next == '"')
		return "a string";
	if (next == '[')
		return "an array";
	if (next == '{')
		return "an object";
	if (next == '-' || (next >= '0' && next <= '9'))
		return "a number";
	if (next > ' ' && next < 0x7f)
		(void)snprintf(found, FOUND_MAX, "\"%c\"", next);
	else
		(void)snprintf(found, FOUND_MAX, "byte 0x%02x", (unsigned)(unsigned char)next);
	return found;
}

static int fail_expected(struct json_reader *reader, const char *what)
{
	char found[FOUND_MAX];

	return json_reader_fail(reader, "expected %s, found %s", what,
				describe_next(reader, found));
}

void json_reader_begin(struct json_reader *reader, const char *text, size_t length,
		       struct reason *reason)
{
	*reader = (struct json_reader){.text = text, .length = length, .reason = reason};
}

int json_reader_enter(struct json_reader *reader, char open, const char *what)
{
	size_t mark = strlen(BYTE_ORDER_MARK);

	if (peek(reader) != open && reader->at == 0 && reader->length >= mark &&
	    memcmp(reader->text, BYTE_ORDER_MARK, mark) == 0)
		return json_reader_fail(reader, "a byte order mark: save the file without it");
	if (peek(reader) != open)
		return fail_expected(reader, what);
	reader->at++;
	reader->begun = false;
	return 0;
}

int json_reader_next(struct json_reader *reader, char close)
{
	bool begun = reader->begun;
	char next = peek(reader);

	reader->begun = true; /* also the one around it, if this one ends */
	if (next == close) {
		reader->at++;
		return 0;
	}
	if (!begun)
		return 1;
	if (next != ',')
		return fail_expected(reader, close == ']' ? "\",\" or \"]\"" : "\",\" or \"}\"");
	reader->at++;
	return 1;
}

static int put(struct json_reader *reader, struct sink *sink, const char *bytes, size_t length)
{
	if (!sink->text)
		return 0;
	if (length >= sink->size - sink->used)
		return json_reader_fail(reader, "the string is longer than %zu bytes",
					sink->size - 1);
	memcpy(sink->text + sink->used, bytes, length);
	sink->used += length;
	return 0;
}

/* The four digits of \uXXXX; -1: they are not. */
static long code_unit(const struct json_reader *reader, size_t at)
{
	long code = 0;

	for (size_t i = at; i < at + CODE_DIGITS; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = i < reader->length && reader->text[i] != '\0'
					    ? strchr(digits, reader->text[i])
					    : NULL;

		if (!digit)
			return -1;
		code = code * 16 + (digit - digits) % 16;
	}
	return code;
}

static bool is_surrogate(long code, long first)
{
	return code >= first && code < first + 0x400;
}

/* After \u, at the first digit. Two surrogates, each with its own \u, are one character. */
static int take_code(struct json_reader *reader, struct sink *sink)
{
	long code = code_unit(reader, reader->at), low = -1;
	char bytes[UTF8_MAX];

	if (code < 0)
		return json_reader_fail(reader, "\\u needs four hexadecimal digits");
	reader->at += CODE_DIGITS;
	if (code == 0)
		return json_reader_fail(reader, "\\u0000: text has no NUL");
	if (is_surrogate(code, 0xd800) && reader->length - reader->at >= 2 &&
	    memcmp(reader->text + reader->at, "\\u", 2) == 0)
		low = code_unit(reader, reader->at + 2);
	if (is_surrogate(low, 0xdc00)) {
		reader->at += 2 + CODE_DIGITS;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (is_surrogate(code, 0xd800) || is_surrogate(code, 0xdc00)) {
		return json_reader_fail(reader,
					"\\u%04lx is half of a character: a surrogate without the "
					"other",
					code);
	}
	return put(reader, sink, bytes, utf8_write((uint32_t)code, bytes));
}

/* At the backslash. */
static int take_escape(struct json_reader *reader, struct sink *sink)
{
	static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	char letter = reader->at + 1 < reader->length ? reader->text[reader->at + 1] : '\0';
	const char *known = letter != '\0' ? strchr(letters, letter) : NULL;

	if (letter != 'u' && !known)
		return json_reader_fail(reader,
					"not an escape: allowed are \\\" \\\\ \\/ \\b \\f \\n \\r "
					"\\t and \\uXXXX");
	reader->at += 2;
	return known ? put(reader, sink, bytes + (known - letters), 1) : take_code(reader, sink);
}

/* A character or an escape within a string. An error is about its place, not that of the string. */
static int take_character(struct json_reader *reader, struct sink *sink)
{
	const char *at = reader->text + reader->at;
	size_t length = utf8_length(at, reader->length - reader->at);

	if (*at == '\\')
		return take_escape(reader, sink);
	if (length == 0)
		return json_reader_fail(reader, "byte 0x%02x is not UTF-8",
					(unsigned)(unsigned char)*at);
	if ((unsigned char)*at < ' ')
		return json_reader_fail(reader, "a control character in a string: write \\u%04x",
					(unsigned)*at);
	reader->at += length;
	return put(reader, sink, at, length);
}

int json_reader_string(struct json_reader *reader, const char *what, char *text, size_t size)
{
	struct sink sink = {text, size, 0};
	size_t start;

	if (peek(reader) != '"')
		return fail_expected(reader, what);
	start = reader->at++;
	while (reader->at < reader->length && reader->text[reader->at] != '"') {
		reader->place = reader->at;
		if (take_character(reader, &sink) < 0)
			return -1;
	}
	reader->place = start;
	if (reader->at == reader->length)
		return json_reader_fail(reader, "a string without its closing quote");
	reader->at++;
	if (text)
		text[sink.used] = '\0';
	return 0;
}

int json_reader_key(struct json_reader *reader, char *text, size_t size)
{
	size_t start;

	if (json_reader_string(reader, "a key in quotes", text, size) < 0)
		return -1;
	start = reader->place;
	if (peek(reader) != ':')
		return fail_expected(reader, "\":\" after the key");
	reader->at++;
	reader->place = start;
	return 0;
}

bool json_reader_null(struct json_reader *reader)
{
	static const char null[] = "null";
	size_t length = strlen(null);

	if (peek(reader) != 'n' || reader->length - reader->at < length ||
	    memcmp(reader->text + reader->at, null, length) != 0)
		return false;
	reader->at += length;
	return true;
}

int json_reader_end(struct json_reader *reader)
{
	(void)peek(reader);
	return reader->at == reader->length ? 0 : fail_expected(reader, "the end of the file");
}
