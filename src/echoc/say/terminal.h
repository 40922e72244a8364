/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What the terminal can show: its width, its characters, bars, and numbers as people read them.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Columns of the terminal behind OUT, now; 80 when it is none. */
unsigned terminal_columns(FILE *out);

bool terminal_is(FILE *out);

/* The locale's characters are UTF-8. */
bool terminal_is_unicode(void);

/* Room for a bar of that many columns, UTF-8 and the NUL included. */
#define BAR_COLUMNS_MAX 200
#define BAR_TEXT_MAX (3 * BAR_COLUMNS_MAX + 1)

/*
 * PART of a bar COLUMNS wide: blocks to an eighth of a column, or '#' where there is no Unicode.
 * The rest is filled with blanks when PADDED.
 */
const char *terminal_bar(double part, unsigned columns, bool unicode, bool padded,
			 char text[static BAR_TEXT_MAX]);

#define NUMBER_TEXT_MAX 48

/* 1234567 as "1,234,567". */
const char *number_text(uint64_t number, char text[static NUMBER_TEXT_MAX]);

/* Nanoseconds with three digits and a unit: "182 us", "1.27 ms"; "-" for NaN. */
const char *duration_text(double ns, char text[static NUMBER_TEXT_MAX]);

/* Nanoseconds as milliseconds, three places, as ping(8) writes them; "-" for NaN. */
const char *ms_text(double ns, char text[static NUMBER_TEXT_MAX]);
