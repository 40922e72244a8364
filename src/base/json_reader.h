/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A strict reader of JSON (RFC 8259) of a known form: the caller asks for what has to come next,
 * and anything else is an error with its line and column. So nothing nests deeper than the caller
 * goes. For what our files consist of: arrays, objects, strings and null.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"

struct json_reader {
	const char *text; /* not owned, as the reason */
	size_t length;
	size_t at;    /* the next byte */
	size_t place; /* of the latest string or bracket, or of a fault in it */
	bool begun;   /* the array or object has had an element */
	struct reason *reason;
};

/* All that can fail returns -1 and sets REASON to "LINE:COLUMN: what". */
void json_reader_begin(struct json_reader *reader, const char *text, size_t length,
		       struct reason *reason);

/* Enters an array or an object: OPEN is [ or {, WHAT a name for it in errors. */
int json_reader_enter(struct json_reader *reader, char open, const char *what) WARN_UNUSED;

/* 1: an element follows. 0: it was the last, and CLOSE, which is ] or }, was read. */
int json_reader_next(struct json_reader *reader, char close) WARN_UNUSED;

/* Reads a string of less than SIZE bytes without a NUL; TEXT NULL: of any size, and skips it. */
int json_reader_string(struct json_reader *reader, const char *what, char *text,
		       size_t size) WARN_UNUSED;

/* The same as the key of a value. */
int json_reader_key(struct json_reader *reader, char *text, size_t size) WARN_UNUSED;

/* Whether null was next, and was read. */
bool json_reader_null(struct json_reader *reader);

/* There is nothing but white space left. */
int json_reader_end(struct json_reader *reader) WARN_UNUSED;

/* Something is wrong with what was read last. Returns -1. */
int json_reader_fail(struct json_reader *reader, const char *format, ...) PRINTF_LIKE(2, 3);

/* Where the byte at OFFSET is; both count from 1, columns in characters. */
struct json_position {
	size_t line, column;
};
struct json_position json_position(const char *text, size_t offset);
