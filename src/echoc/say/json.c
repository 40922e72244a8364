/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The JSON writer. Owns nothing; whatever --json prints goes through it.
 */

#include "config.h"

#include "echoc/say/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "echoc/say/wall_clock.h"

/* Bytes of the UTF-8 sequence at TEXT; 0 when what stands there is none (RFC 3629, section 3). */
static size_t sequence_length(const unsigned char *text)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000}; /* that needs as many bytes */
	int following = (text[0] >= 0xc0) + (text[0] >= 0xe0) + (text[0] >= 0xf0);
	uint32_t code = text[0] & (following > 0 ? 0x3fU >> following : 0x7fU);

	if (text[0] >= 0xf8 || (text[0] & 0xc0) == 0x80)
		return 0;
	for (int i = 1; i <= following; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fU);
	}
	if (code < least[following] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return 1 + (size_t)following;
}

/* A name given on the command line may be any bytes; what is read as JSON may not. */
static void write_string(FILE *out, const char *value)
{
	const unsigned char *text = (const unsigned char *)value;

	putc('"', out);
	while (*text != '\0') {
		size_t length = sequence_length(text);

		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (*text < 0x20)
			fprintf(out, "\\u%04x", *text);
		else if (length == 0)
			fputs("\\ufffd", out);
		else
			fprintf(out, "%.*s", (int)length, text);
		text += length > 0 ? length : 1;
	}
	putc('"', out);
}

static void write_name(struct json *json, const char *name)
{
	if (json->follows)
		putc(',', json->out);
	json->follows = true;
	write_string(json->out, name);
	putc(':', json->out);
}

void json_begin(struct json *json, FILE *out, const char *type)
{
	char now[WALL_CLOCK_TEXT_MAX];

	*json = (struct json){.out = out};
	putc('{', out);
	json_string(json, "type", type);
	json_string(json, "time", wall_clock_utc(clock_ns(), now));
}

void json_end(struct json *json)
{
	fputs("}\n", json->out);
	fflush(json->out);
}

void json_open(struct json *json, const char *name)
{
	write_name(json, name);
	putc('{', json->out);
	json->follows = false;
}

void json_close(struct json *json)
{
	putc('}', json->out);
	json->follows = true;
}

void json_unsigned(struct json *json, const char *name, uint64_t value)
{
	write_name(json, name);
	fprintf(json->out, "%" PRIu64, value);
}

void json_bool(struct json *json, const char *name, bool value)
{
	write_name(json, name);
	fputs(value ? "true" : "false", json->out);
}

void json_string(struct json *json, const char *name, const char *value)
{
	if (!value) {
		json_null(json, name);
		return;
	}
	write_name(json, name);
	write_string(json->out, value);
}

void json_null(struct json *json, const char *name)
{
	write_name(json, name);
	fputs("null", json->out);
}

void json_optional(struct json *json, const char *name, uint64_t value)
{
	if (value == 0)
		json_null(json, name);
	else
		json_unsigned(json, name, value);
}

void json_number(struct json *json, const char *name, double value, int decimals)
{
	if (!isfinite(value)) {
		json_null(json, name);
		return;
	}
	write_name(json, name);
	fprintf(json->out, "%.*f", decimals, value);
}

void json_byte(struct json *json, const char *name, int byte)
{
	if (byte < 0) {
		json_null(json, name);
		return;
	}
	write_name(json, name);
	fprintf(json->out, "\"%02x\"", (unsigned)byte);
}
