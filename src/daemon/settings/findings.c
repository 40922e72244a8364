/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Findings: kept until the file has been read to its end, because some can only be made there, then
 * reported by line. Owned by settings_load, added to by the reader and the checks.
 */

#include "config.h"

#include "daemon/settings/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Takes ownership of TEXT, which is NULL if memory ran out. */
static void add(struct findings *findings, enum log_level level, int line, char *text)
{
	struct file_finding *items = NULL;

	if (text)
		items = reallocarray(findings->items, findings->count + 1, sizeof(*items));
	if (!items) {
		free(text);
		findings->lost = true;
		return;
	}
	findings->items = items;
	items[findings->count] = (struct file_finding){level, line, findings->count, text};
	findings->count++;
	findings->errors += level == LEVEL_ERROR;
}

PRINTF_LIKE(1, 0)
static char *format_text(const char *format, va_list args)
{
	char *text;

	return vasprintf(&text, format, args) < 0 ? NULL : text;
}

void findings_error(struct findings *findings, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(findings, LEVEL_ERROR, line, format_text(format, args));
	va_end(args);
}

void findings_warning(struct findings *findings, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(findings, LEVEL_WARNING, line, format_text(format, args));
	va_end(args);
}

static int by_line(const void *left, const void *right)
{
	const struct file_finding *a = left, *b = right;

	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static char *format_finding(const struct file_finding *finding, const char *path)
{
	const char *mark = finding->level == LEVEL_WARNING ? "warning: " : "";
	char *line;
	int length;

	if (finding->line == NOT_IN_FILE)
		length = asprintf(&line, "%s%s", mark, finding->text);
	else if (finding->line == WHOLE_FILE)
		length = asprintf(&line, "%s: %s%s", path, mark, finding->text);
	else
		length = asprintf(&line, "%s:%d: %s%s", path, finding->line, mark, finding->text);
	return length < 0 ? NULL : line;
}

bool findings_report(struct findings *findings, const char *path, report_finding *report)
{
	if (findings->count > 1)
		qsort(findings->items, findings->count, sizeof(*findings->items), by_line);
	for (size_t i = 0; i < findings->count; i++) {
		char *line = format_finding(&findings->items[i], path);

		if (line)
			report(findings->items[i].level, line);
		else
			findings->lost = true;
		free(line);
	}
	if (findings->lost)
		report(LEVEL_ERROR, "not enough memory to read the configuration");
	return findings->errors == 0 && !findings->lost;
}

void findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->items[i].text);
	free(findings->items);
	*findings = (struct findings){0};
}
