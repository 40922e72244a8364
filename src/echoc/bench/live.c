/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The live line: never longer than the terminal is wide now, so that resizing it does no harm. Owns
 * nothing.
 */

#include "config.h"

#include "echoc/bench/live.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "echoc/say/live_line.h"
#include "echoc/say/terminal.h"

#define BAR_LONGEST 20u
#define BAR_SHORTEST 4u

static void print_figures(const struct live_line *line, char *text, size_t size)
{
	const struct report_span *span = line->span;
	const struct books *books = line->books;
	char rate[NUMBER_TEXT_MAX], p50[NUMBER_TEXT_MAX], p99[NUMBER_TEXT_MAX];
	char lost[NUMBER_TEXT_MAX];

	snprintf(text, size, "%s/s %.1f MB/s p50 %s p99 %s lost %s",
		 number_text((uint64_t)(span->messages / span->seconds), rate),
		 span->bytes / span->seconds / 1e6,
		 duration_text(latency_percentile(&books->latency, 50), p50),
		 duration_text(latency_percentile(&books->latency, 99), p99),
		 number_text(line->lost, lost));
}

void live_draw(const struct live_line *line)
{
	unsigned columns = terminal_columns(stdout);
	char figures[6 * NUMBER_TEXT_MAX], elapsed[NUMBER_TEXT_MAX], bar[BAR_TEXT_MAX];
	char text[sizeof(figures) + sizeof(elapsed) + sizeof(bar)];
	unsigned used, room;

	print_figures(line, figures, sizeof(figures));
	snprintf(elapsed, sizeof(elapsed), "%.0f/%.0f s", line->elapsed, line->duration);
	used = (unsigned)(strlen(figures) + strlen(elapsed)) + 4;
	room = columns - 1 > used ? columns - 1 - used : 0;
	if (room > BAR_LONGEST)
		room = BAR_LONGEST;
	if (room >= BAR_SHORTEST) {
		snprintf(text, sizeof(text), "%s |%s| %s", elapsed,
			 terminal_bar(line->elapsed / line->duration, room, terminal_is_unicode(),
				      true, bar),
			 figures);
		used += room;
	} else {
		snprintf(text, columns < sizeof(text) ? columns : sizeof(text), "%s", figures);
		used = (unsigned)strlen(text);
	}
	live_line_draw(text, used);
}

void live_print(const struct live_line *line)
{
	char figures[6 * NUMBER_TEXT_MAX];

	print_figures(line, figures, sizeof(figures));
	printf("%.0f/%.0f s %s\n", line->elapsed, line->duration, figures);
}
