/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See json_lines.h. A line becomes a flat list of names and values; nested names are dotted. */

#include "config.h"

#include "integration/json_lines.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "integration/json_schemas.h"

#define VALUES_MAX 96
#define TEXT_MAX 160
#define LINE_MAX_LENGTH 65536

struct value {
	char name[TEXT_MAX];
	char text[TEXT_MAX]; /* as it stands there, quotes included */
};

struct json_line {
	const char *at;
	const char *line;
	struct value values[VALUES_MAX];
	size_t count;
};

static void expect_char(struct json_line *json, char wanted)
{
	ck_assert_msg(*json->at == wanted, "'%c' expected at \"%s\" of %s", wanted, json->at,
		      json->line);
	json->at++;
}

static void read_string(struct json_line *json, char out[static TEXT_MAX])
{
	size_t length = 0;

	expect_char(json, '"');
	while (*json->at != '"') {
		ck_assert_msg((unsigned char)*json->at >= 0x20, "open string in %s", json->line);
		ck_assert_uint_lt(length, TEXT_MAX - 1);
		if (*json->at == '\\')
			out[length++] = *json->at++;
		out[length++] = *json->at++;
	}
	out[length] = '\0';
	json->at++;
}

/* -?digits(.digits)? and nothing else: neither NaN nor an exponent. */
static void check_number(const char *text)
{
	const char *at = text + (*text == '-');

	ck_assert_msg(isdigit((unsigned char)*at), "no number: %s", text);
	ck_assert_msg(*at != '0' || !isdigit((unsigned char)at[1]), "leading zero: %s", text);
	while (isdigit((unsigned char)*at))
		at++;
	if (*at == '.') {
		ck_assert_msg(isdigit((unsigned char)at[1]), "no digits: %s", text);
		at++;
	}
	while (isdigit((unsigned char)*at))
		at++;
	ck_assert_msg(*at == '\0', "no number: %s", text);
}

static void read_plain(struct json_line *json, char out[static TEXT_MAX])
{
	size_t length = strcspn(json->at, ",}");

	ck_assert_uint_lt(length, TEXT_MAX);
	memcpy(out, json->at, length);
	out[length] = '\0';
	json->at += length;
	if (strcmp(out, "true") != 0 && strcmp(out, "false") != 0 && strcmp(out, "null") != 0)
		check_number(out);
}

static void read_object(struct json_line *json, const char *path);

#define BUCKETS "rtt_buckets_ns"

/* Lower bounds that rise, and how many; to the reader of the line it is the sum of these. */
static void read_buckets(struct json_line *json, char out[static TEXT_MAX])
{
	unsigned long long bound, before = 0, count, sum = 0;
	int length;

	for (expect_char(json, '{'); *json->at != '}'; sum += count, before = bound) {
		json->at += *json->at == ',';
		ck_assert_int_eq(sscanf(json->at, "\"%llu\":%llu%n", &bound, &count, &length), 2);
		ck_assert_msg(sum == 0 || bound > before, "bounds do not rise: %s", json->line);
		json->at += length;
	}
	json->at++;
	snprintf(out, TEXT_MAX, "%llu", sum);
}

static void read_value(struct json_line *json, const char *name)
{
	struct value *value;
	char text[TEXT_MAX];

	if (*json->at == '{' && strcmp(name, BUCKETS) != 0) {
		read_object(json, name);
		return;
	}
	ck_assert_uint_lt(json->count, VALUES_MAX);
	value = &json->values[json->count++];
	memcpy(value->name, name, strlen(name) + 1);
	if (*json->at == '{') {
		read_buckets(json, value->text);
		return;
	}
	if (*json->at == '"') {
		read_string(json, text);
		ck_assert_int_lt(snprintf(value->text, TEXT_MAX, "\"%s\"", text), TEXT_MAX);
	} else {
		read_plain(json, value->text);
	}
}

static void read_object(struct json_line *json, const char *path)
{
	expect_char(json, '{');
	for (;;) {
		char name[TEXT_MAX], full[TEXT_MAX];

		read_string(json, name);
		expect_char(json, ':');
		ck_assert_int_lt(snprintf(full, sizeof(full), "%s%s%s", path,
					  *path != '\0' ? "." : "", name),
				 TEXT_MAX);
		read_value(json, full);
		if (*json->at != ',')
			break;
		json->at++;
	}
	expect_char(json, '}');
}

static const struct value *find(const struct json_line *json, const char *name)
{
	const struct value *found = NULL;

	for (size_t i = 0; i < json->count; i++) {
		if (strcmp(json->values[i].name, name) != 0)
			continue;
		ck_assert_msg(!found, "%s twice in %s", name, json->line);
		found = &json->values[i];
	}
	return found;
}

static bool is_kind(char kind, const char *text)
{
	if (isupper((unsigned char)kind) && strcmp(text, "null") == 0)
		return true;
	switch (tolower((unsigned char)kind)) {
	case 'n':
		return *text == '-' || isdigit((unsigned char)*text);
	case 's':
		return *text == '"';
	case 'b':
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
	case 'x':
		return strlen(text) == 4 && strspn(text + 1, "0123456789abcdef") == 2;
	default:
		return false;
	}
}

/* The second value of each line: UTC with microseconds. */
static bool is_time(const struct value *value)
{
	static const char shape[] = "\"0000-00-00T00:00:00.000000Z\"";
	size_t i = 0;

	for (; shape[i] != '\0'; i++) {
		bool same = shape[i] == '0' ? isdigit((unsigned char)value->text[i]) != 0
					    : value->text[i] == shape[i];

		if (!same)
			return false;
	}
	return value->text[i] == '\0' && strcmp(value->name, "time") == 0;
}

static bool fits(const struct json_line *json, const struct schema *schema)
{
	const struct value *type = find(json, "type");
	const struct value *mode = find(json, "mode");
	char quoted[TEXT_MAX];
	size_t count = 2;

	snprintf(quoted, sizeof(quoted), "\"%s\"", schema->type);
	if (!type || strcmp(type->text, quoted) != 0)
		return false;
	if (json->count < 2 || type != json->values || !is_time(&json->values[1]))
		return false;
	if (schema->variant && (!mode || strcmp(mode->text, schema->variant) != 0))
		return false;
	for (const struct field *field = schema->fields; field->name; field++, count++) {
		const struct value *value = find(json, field->name);

		if (!value || !is_kind(field->kind, value->text))
			return false;
	}
	return count == json->count;
}

/* The next line of TEXT, read and checked; NULL at the end. */
static const char *next_line(const char *text, struct json_line *json)
{
	static char line[LINE_MAX_LENGTH];
	const char *end = strchr(text, '\n');
	bool known = false;

	if (*text == '\0')
		return NULL;
	ck_assert_msg(end && end - text < LINE_MAX_LENGTH, "no whole line: %s", text);
	memcpy(line, text, (size_t)(end - text));
	line[end - text] = '\0';
	*json = (struct json_line){.at = line, .line = line};
	read_object(json, "");
	ck_assert_msg(*json->at == '\0', "more than an object: %s", line);
	for (size_t i = 0; i < ARRAY_SIZE(schemas); i++)
		known |= fits(json, &schemas[i]);
	ck_assert_msg(known, "fits no schema: %s", line);
	return end + 1;
}

size_t json_check(const char *text)
{
	static struct json_line json;
	size_t count = 0;

	while ((text = next_line(text, &json)))
		count++;
	return count;
}

static bool is_type(const struct json_line *json, const char *type)
{
	const struct value *value = find(json, "type");
	size_t length = strlen(type);

	return value && strncmp(value->text + 1, type, length) == 0 &&
	       value->text[length + 1] == '"';
}

size_t json_count(const char *text, const char *type)
{
	static struct json_line json;
	size_t count = 0;

	while ((text = next_line(text, &json)))
		count += is_type(&json, type);
	return count;
}

static const char *value_of(const char *text, const char *type, const char *name)
{
	static struct json_line json;

	while ((text = next_line(text, &json))) {
		const struct value *value = find(&json, name);

		if (!is_type(&json, type))
			continue;
		ck_assert_msg(value, "no %s in %s", name, json.line);
		return value->text;
	}
	ck_abort_msg("no line of type %s", type);
	return NULL;
}

double json_get(const char *text, const char *type, const char *name)
{
	const char *value = value_of(text, type, name);

	ck_assert_msg(is_kind('n', value), "%s of %s is no number: %s", name, type, value);
	return strtod(value, NULL);
}

bool json_is(const char *text, const char *type, const char *name, const char *value)
{
	return strcmp(value_of(text, type, name), value) == 0;
}
