/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The line that shows how a bench is going, on a terminal only, drawn over itself each second.
 */

#pragma once

#include "echoc/say/report.h"
#include "probe/books.h"

struct live_line {
	double elapsed; /* seconds */
	double duration;
	const struct report_span *span; /* that the books are about */
	const struct books *books;
	uint64_t lost; /* since the start */
};

void live_draw(const struct live_line *line);

/* The same as a line that stays, where there is no terminal. */
void live_print(const struct live_line *line);
