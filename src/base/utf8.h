/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Characters of UTF-8 (RFC 3629): shortest forms only, no surrogates. Owns nothing. */

#pragma once

#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4

/* The bytes of the character at P, of at most LEFT; 0 if it is not valid. */
size_t utf8_length(const char *p, size_t left);

/* The same of a text with its NUL; 0 for a control character, too. */
size_t utf8_printable(const char *p);

/* Writes a code point that is no surrogate; returns the number of bytes. */
size_t utf8_write(uint32_t code, char out[static UTF8_MAX]);
