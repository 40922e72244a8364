/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See html.h. */

#include "config.h"

#include "daemon/http/html.h"

#include <inttypes.h>
#include <stdio.h>

void html_text(struct bounded_text *page, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
		case '<':
		case '>':
		case '"':
		case '\'':
			bounded_text_add(page, "&#%d;", *text);
			break;
		default:
			bounded_text_add(page, "%c", *text);
		}
	}
}

void html_count(struct bounded_text *page, uint64_t count)
{
	char digits[24], grouped[32];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t used = 0;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			grouped[used++] = ',';
		grouped[used++] = digits[i];
	}
	grouped[used] = '\0';
	bounded_text_add(page, "%s", grouped);
}

void html_rate(struct bounded_text *page, double rate)
{
	if (rate >= 100)
		html_count(page, (uint64_t)(rate + 0.5));
	else if (rate - (int)rate > 0)
		bounded_text_add(page, "%.1f", rate);
	else
		bounded_text_add(page, "%d", (int)rate);
}

void html_bytes(struct bounded_text *page, double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;

	while (bytes >= 1023.95 && unit + 1 < ARRAY_SIZE(units)) {
		bytes /= 1024;
		unit++;
	}
	bounded_text_add(page, "%.*f %s", unit > 0 ? 1 : 0, bytes, units[unit]);
}

/* In the largest unit that fits and the next smaller one. */
void html_duration(struct bounded_text *page, int64_t seconds)
{
	static const struct {
		int64_t length;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	size_t unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) && seconds < units[unit].length)
		unit++;
	bounded_text_add(page, "%" PRId64 " %s", seconds / units[unit].length, units[unit].name);
	seconds %= units[unit].length;
	if (++unit < ARRAY_SIZE(units) && seconds >= units[unit].length)
		bounded_text_add(page, " %" PRId64 " %s", seconds / units[unit].length,
				 units[unit].name);
}
