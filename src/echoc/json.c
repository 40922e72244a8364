/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The JSON writer. Owns nothing; whatever --json prints goes through it.
 */

#include "config.h"

#include "json.h"

#include <inttypes.h>
#include <math.h>

static void write_string(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < 0x20)
			fprintf(out, "\\u%04x", byte);
		else
			putc(byte, out);
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
	*json = (struct json){.out = out};
	putc('{', out);
	json_string(json, "type", type);
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
