/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See counter_tables.h. A table for each range of the enum, so that new counters are shown
 * automatically.
 */

#include "config.h"

#include "echod/status/counter_tables.h"

#include <stdbool.h>
#include <string.h>

#include "daemon/http/html.h"

size_t counter_offset(enum counter counter)
{
	return offsetof(struct totals, counters) + counter * sizeof(uint64_t);
}

/* A row: its number since the start, and how much it grows a second. */
struct figure {
	uint64_t total;
	double rate;
};

struct source {
	const struct totals *totals;
	const struct history *history;
};

static struct figure figure_at(const struct source *source, size_t offset)
{
	struct figure figure = {.rate = history_rate(source->history, 0, offset)};

	memcpy(&figure.total, (const char *)source->totals + offset, sizeof(figure.total));
	return figure;
}

static bool is_bytes(enum counter which)
{
	return which >= TCP_RECEIVED_BYTES && which <= UDP_SENT_BYTES;
}

static void add_numbers(struct bounded_text *page, const struct figure *figure, bool bytes)
{
	bounded_text_add(page, "<td>");
	if (bytes)
		html_bytes(page, (double)figure->total);
	else
		html_count(page, figure->total);
	bounded_text_add(page, "</td><td>");
	if (bytes)
		html_bytes(page, figure->rate);
	else
		html_rate(page, figure->rate);
	bounded_text_add(page, "</td></tr>\n");
}

static void add_row(struct bounded_text *page, const char *title, const struct figure *figure,
		    bool bytes)
{
	bounded_text_add(page, "<tr%s><th scope=row>%.*s</th>",
			 figure->total == 0 ? " class=none" : "", (int)strcspn(title, ",."), title);
	add_numbers(page, figure, bytes);
}

static void add_part(struct bounded_text *page, const char *title, const struct figure *figure,
		     bool bytes)
{
	bounded_text_add(page, "<tr><th scope=row class=part>%s</th>", title);
	add_numbers(page, figure, bytes);
}

static enum counter family_end(enum counter first)
{
	enum counter end = first + 1;

	while (end < COUNTER_COUNT && !counter_names[end].help)
		end++;
	return end;
}

/* The sum, with the start of the family's help as its title; below it, what is not zero. */
static void add_family(struct bounded_text *page, const struct source *source, enum counter first)
{
	enum counter end = family_end(first);
	struct figure sum = {0};

	for (enum counter which = first; which < end; which++) {
		struct figure figure = figure_at(source, counter_offset(which));

		sum.total += figure.total;
		sum.rate += figure.rate;
	}
	add_row(page, counter_names[first].help, &sum, is_bytes(first));
	for (enum counter which = first; which < end; which++) {
		struct figure figure = figure_at(source, counter_offset(which));

		if (counter_names[which].plain && figure.total > 0)
			add_part(page, counter_names[which].plain, &figure, is_bytes(first));
	}
}

static void add_total(struct bounded_text *page, const struct source *source, const char *title,
		      size_t offset)
{
	struct figure figure = figure_at(source, offset);

	add_row(page, title, &figure, false);
}

static void begin_table(struct bounded_text *page, const char *title)
{
	bounded_text_add(
		page,
		"<div class=card><table><thead><tr><th scope=col>%s</th>"
		"<th scope=col>total</th><th scope=col>a second</th></tr></thead><tbody>\n",
		title);
}

static void end_table(struct bounded_text *page)
{
	bounded_text_add(page, "</tbody></table></div>\n");
}

static void add_range(struct bounded_text *page, const struct source *source, enum counter first,
		      enum counter last)
{
	for (enum counter which = first; which <= last; which = family_end(which))
		add_family(page, source, which);
}

void counter_tables_write(struct bounded_text *page, const struct totals *totals,
			  const struct history *history)
{
	const struct source source = {totals, history};

	bounded_text_add(page, "<div class=\"row wide\">\n");
	begin_table(page, "TCP");
	add_range(page, &source, TCP_ACCEPTED, TCP_CLOSED_REPLIED);
	end_table(page);
	begin_table(page, "UDP");
	add_range(page, &source, UDP_RECEIVED_DATAGRAMS, UDP_RECEIVE_ERRORS);
	add_total(page, &source, "Datagrams dropped by the kernel",
		  offsetof(struct totals, kernel_drops));
	end_table(page);
	begin_table(page, "Bytes");
	add_range(page, &source, TCP_RECEIVED_BYTES, UDP_SENT_BYTES);
	end_table(page);
	begin_table(page, "Process");
	add_total(page, &source, "Reloads", offsetof(struct totals, reloads_done));
	add_total(page, &source, "Reloads that failed", offsetof(struct totals, reloads_failed));
	end_table(page);
	bounded_text_add(page, "</div>\n");
}
