/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See live_line.h. Owns nothing but that line of the screen. */

#include "config.h"

#include "echoc/say/live_line.h"

#include <stdio.h>

#include "echoc/say/terminal.h"

/* What the line took up when it was drawn. */
static unsigned drawn;

/* A terminal made narrower since then has wrapped it: it now begins some rows further up. */
static void erase(void)
{
	unsigned rows = drawn > 0 ? (drawn - 1) / terminal_columns(stdout) : 0;

	if (rows > 0)
		printf("\033[%uA", rows);
	printf("\r\033[J");
}

void live_line_draw(const char *text, unsigned width)
{
	erase();
	fputs(text, stdout);
	fflush(stdout);
	drawn = width;
}

void live_line_erase(void)
{
	erase();
	fflush(stdout);
	drawn = 0;
}
