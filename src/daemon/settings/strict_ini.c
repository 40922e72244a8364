/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Checks the syntax of each line. When inih reads a line, it gets the line if it is well-formed,
 * and an empty one otherwise. Owns nothing; reader.c interprets the result.
 */

#include "config.h"

#include "daemon/settings/strict_ini.h"

#include <assert.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

_Static_assert(LINE_MAX_LENGTH == 190, "find_fault has the number in its text");

#define BLANKS " \t"

struct ini_text {
	const char *rest;
	size_t length;
	int line;
	const struct ini_events *events;
	void *context;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Removes blanks at the end of the line. */
static void trim_end(char *line)
{
	size_t length = strlen(line);

	while (length > 0 && is_blank(line[length - 1]))
		length--;
	line[length] = '\0';
}

/* The next line, as a pointer into the text, without its line break. */
static const char *next_line(struct ini_text *text, size_t *length)
{
	const char *line = text->rest;
	const char *end = memchr(line, '\n', text->length);
	size_t taken = end ? (size_t)(end - line) + 1 : text->length;

	text->rest += taken;
	text->length -= taken;
	text->line++;
	*length = end ? taken - 1 : taken;
	if (*length > 0 && line[*length - 1] == '\r')
		--*length;
	return line;
}

/* An error that applies to every line, including comments; NULL if there is none. */
static const char *find_fault(const char *line, size_t length)
{
	if (length > LINE_MAX_LENGTH)
		return "the line has more than 190 bytes, the maximum";
	if (memchr(line, '\0', length))
		return "a NUL byte: only text is allowed";
	if (memchr(line, '\r', length))
		return "a carriage return inside the line: lines end with LF or CRLF";
	for (size_t i = 0; i < length; i++) {
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
			return "a control character: only text is allowed, in values as \\xHH";
	}
	return NULL;
}

/* "[name]" in the first column. Sets the name as far as possible even if there is an error. */
static const char *check_header(char *line, char **name)
{
	char *open = line + strspn(line, BLANKS);
	char *close = strchr(open, ']');
	const char *why = NULL;

	if (!close)
		why = "missing ] after the section name";
	else if (close[1 + strspn(close + 1, BLANKS)] != '\0')
		why = "text after the ]: sections and comments go on lines of their own";
	else if (open != line)
		why = "a blank before the [: sections begin in the first column";
	if (close)
		*close = '\0';
	*name = open + 1 + strspn(open + 1, BLANKS);
	trim_end(*name);
	return why;
}

/* To inih, a blank and a semicolon start a comment. */
static bool has_comment(const char *value)
{
	if (*value == ';')
		return true;
	for (; *value != '\0'; value++) {
		if (is_blank(value[0]) && value[1] == ';')
			return true;
	}
	return false;
}

/* "key = value" in the first column. */
static const char *check_setting(const char *line)
{
	size_t at = strcspn(line, "=:");
	const char *value = line + at + 1;
	size_t key_length = at;

	if (is_blank(line[0]))
		return "a blank before the key: keys begin in the first column";
	if (line[at] == '\0')
		return "neither key = value, nor [section], nor a comment";
	if (line[at] == ':')
		return "a : instead of the =: write key = value";
	if (at == 0)
		return "no key before the =: write key = value";
	while (is_blank(line[key_length - 1]))
		key_length--;
	if (strcspn(line, BLANKS) < key_length)
		return "more than one word before the =: write key = value";
	value += strspn(value, BLANKS);
	if (*value == '\0')
		return "no value after the =: give one, or remove the line";
	if (has_comment(value))
		return "a ; after a blank would begin a comment: put comments on lines of their "
		       "own, and write \\x3b in values";
	return NULL;
}

/* Leaves in LINE what inih may read. */
static const char *check_line(struct ini_text *text, char *line)
{
	const char *start = line + strspn(line, BLANKS);
	char header[LINE_MAX_LENGTH + 1], *name;
	const char *why;

	if (*start == '\0' || *start == '#' || *start == ';') {
		line[0] = '\0';
		return NULL;
	}
	if (*start != '[')
		return check_setting(line);
	memcpy(header, line, strlen(line) + 1);
	why = check_header(header, &name);
	text->events->section(text->context, text->line, name);
	return why;
}

/* Called by inih in place of fgets. */
static char *read_line(char *buffer, int size, void *stream)
{
	struct ini_text *text = stream;
	const char *line, *why;
	size_t length;

	assert(size > LINE_MAX_LENGTH + 1);
	if (text->length == 0)
		return NULL;
	line = next_line(text, &length);
	why = find_fault(line, length);
	if (why && line[0] == '[')
		text->events->section(text->context, text->line, NULL);
	if (!why) {
		memcpy(buffer, line, length);
		buffer[length] = '\0';
		why = check_line(text, buffer);
	}
	if (why) {
		text->events->refused(text->context, text->line, why);
		buffer[0] = '\0';
	}
	length = strlen(buffer);
	memcpy(buffer + length, "\n", 2);
	return buffer;
}

static int take_setting(void *user, const char *section UNUSED, const char *key, const char *value)
{
	struct ini_text *text = user;

	text->events->setting(text->context, text->line, key, value);
	return 1;
}

void strict_ini_read(const char *text, size_t length, const struct ini_events *events,
		     void *context)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct ini_text ini = {text, length, 0, events, context};

	if (length >= strlen(bom) && memcmp(text, bom, strlen(bom)) == 0) {
		ini.rest += strlen(bom);
		ini.length -= strlen(bom);
	}
	/*
	 * inih gets only valid lines; if it reports an error all the same, do not ignore it.
	 */
	if (ini_parse_stream(read_line, &ini, take_setting, &ini) != 0)
		events->refused(context, ini.line, "the INI library gave up");
}
