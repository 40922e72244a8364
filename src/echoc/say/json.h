/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One JSON object per line, written as it is made, without a tree or memory. A value that was not
 * measured is null, never NaN; the caller opens and closes what it nests.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	bool follows; /* something stands before: a comma is due */
};

/* {"type":TYPE,"time":NOW ... and the end of the line, which is written out at once. */
void json_begin(struct json *json, FILE *out, const char *type);
void json_end(struct json *json);

void json_open(struct json *json, const char *name); /* "NAME":{ */
void json_close(struct json *json);

void json_unsigned(struct json *json, const char *name, uint64_t value);
void json_bool(struct json *json, const char *name, bool value);
void json_string(struct json *json, const char *name, const char *value); /* NULL: null */
void json_null(struct json *json, const char *name);

/* Null when VALUE is 0: not set. */
void json_optional(struct json *json, const char *name, uint64_t value);

/* With DECIMALS places; null when VALUE is not a finite number. */
void json_number(struct json *json, const char *name, double value, int decimals);

/* Two hexadecimal digits as a string; null when BYTE is -1. */
void json_byte(struct json *json, const char *name, int byte);
