/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Decodes and encodes escapes. The encoder escapes everything that would not be read back
 * unchanged: blanks at the ends, a semicolon that would start a comment, unprintable bytes.
 */

#include "config.h"

#include "daemon/settings/escaped_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The size of an escape with its NUL. */
#define ESCAPE_MAX 5

/* Escapes of one letter, and the bytes they represent. */
static const char escape_letters[] = "nrt\\";
static const char escape_bytes[] = "\n\r\t\\";

static int hex_digit(char digit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = digit == '\0' ? NULL : strchr(digits, digit);

	return at ? (int)((at - digits) % 16) : -1;
}

/*
 * Decodes the escape after a backslash; returns its length, 0 if it is invalid.
 */
static size_t decode_escape(const char *escape, char *byte)
{
	const char *letter = *escape == '\0' ? NULL : strchr(escape_letters, *escape);
	int high, low;

	if (letter) {
		*byte = escape_bytes[letter - escape_letters];
		return 1;
	}
	if (*escape != 'x')
		return 0;
	high = hex_digit(escape[1]);
	low = high < 0 ? -1 : hex_digit(escape[2]);
	if (low < 0)
		return 0;
	*byte = (char)(high * 16 + low);
	return 3;
}

int escaped_text_decode(struct text *text, const char *escaped, struct reason *reason)
{
	memset(text, 0, sizeof(*text));
	if (strlen(escaped) > sizeof(text->bytes))
		return reason_set(reason, "the text is longer than %zu bytes", sizeof(text->bytes));
	while (*escaped != '\0') {
		char byte = *escaped++;

		if (byte == '\\') {
			size_t taken = decode_escape(escaped, &byte);

			if (taken == 0)
				return reason_set(
					reason,
					"\"\\%.3s\" is not an escape: allowed are \\n \\r \\t "
					"\\\\ and \\xHH with two hexadecimal digits",
					escaped);
			escaped += taken;
		}
		text->bytes[text->length++] = byte;
	}
	return 0;
}

/* A byte and its context: whether it needs an escape depends on its neighbours. */
struct place {
	char byte;
	bool at_end; /* first or last of the text */
	bool after_blank;
	char next;
	bool compact;
};

static bool is_written_plain(const struct place *place)
{
	unsigned char byte = (unsigned char)place->byte;

	if (byte == ';')
		return !place->after_blank;
	if (byte == ' ')
		return !place->at_end;
	if (byte == '\t')
		return place->compact && !place->at_end && place->next != ';';
	if (byte >= 0x80)
		return place->compact;
	return byte > ' ' && byte != '\\' && byte != 0x7f;
}

static size_t encode_escape(char byte, char *out)
{
	const char *at = byte == '\0' ? NULL : strchr(escape_bytes, byte);

	if (at)
		return (size_t)snprintf(out, ESCAPE_MAX, "\\%c", escape_letters[at - escape_bytes]);
	return (size_t)snprintf(out, ESCAPE_MAX, "\\x%02x", (unsigned)(unsigned char)byte);
}

static size_t encode(const struct text *text, bool compact, char *out)
{
	struct place place = {.after_blank = true, .compact = compact};
	size_t used = 0;

	for (size_t i = 0; i < text->length; i++) {
		bool plain;

		place.byte = text->bytes[i];
		place.at_end = i == 0 || i + 1 == text->length;
		place.next = i + 1 < text->length ? text->bytes[i + 1] : '\0';
		plain = is_written_plain(&place);
		if (plain)
			out[used++] = place.byte;
		else
			used += encode_escape(place.byte, out + used);
		place.after_blank = plain && (place.byte == ' ' || place.byte == '\t');
	}
	out[used] = '\0';
	return used;
}

void escaped_text_encode(const struct text *text, size_t room,
			 char escaped[static ESCAPED_TEXT_MAX])
{
	if (encode(text, false, escaped) > room)
		(void)encode(text, true, escaped);
}
