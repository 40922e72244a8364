/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See echom_run.h. */

#include "config.h"

#include "integration/echom_run.h"

#include <stdarg.h>

#include "integration/endpoint.h"
#include "integration/process.h"
#include "support/test.h"

static char real_echod[4096];

static void choose(const char *program)
{
	ck_assert_ptr_nonnull(program);
	ck_assert_int_eq(setenv("ECHOD", program, 1), 0);
}

void echom_set_up(void)
{
	(void)snprintf(real_echod, sizeof(real_echod), "%s", getenv("ECHOD"));
	choose(getenv("ECHOM"));
}

struct echod *echom_start_echod(const char *config)
{
	struct echod *echod;

	choose(real_echod);
	echod = echod_start(config);
	choose(getenv("ECHOM"));
	return echod;
}

const char *echom_format(const char *format, ...)
{
	static char texts[4][4096]; /* one may be part of another */
	static unsigned which;
	char *text = texts[which++ % 4];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(texts[0]), format, args);
	va_end(args);
	return text;
}

struct echod *echom_watch(const char *address, const char *settings)
{
	return echod_start(
		echom_format(ECHOM_SERVER "%s[target t]\naddress = %s\n", settings, address));
}

double echom_figure_in(const char *metrics, const char *family, const char *target)
{
	return echom_labelled_in(metrics, family, target, "");
}

double echom_labelled_in(const char *metrics, const char *family, const char *target,
			 const char *label)
{
	char start[128];
	const char *line = metrics;

	snprintf(start, sizeof(start), "\nechom_%s{target=\"%s\",", family, target);
	while ((line = strstr(line, start))) {
		const char *value = strstr(line, "} ");

		if (value - strlen(label) > line &&
		    strncmp(value - strlen(label), label, strlen(label)) == 0)
			return strtod(value + 2, NULL);
		line++;
	}
	return -1;
}

void echom_expect_balance(const char *metrics, const char *target)
{
	ck_assert_double_eq(echom_figure_in(metrics, "probes_sent_total", target),
			    echom_figure_in(metrics, "probes_received_total", target) +
				    echom_figure_in(metrics, "probes_lost_total", target) +
				    echom_figure_in(metrics, "probes_outstanding", target));
	ck_assert_double_eq(echom_figure_in(metrics, "rtt_seconds_count", target),
			    echom_figure_in(metrics, "probes_received_total", target));
}

double echom_figure(struct echod *echom, const char *family)
{
	return echom_labelled(echom, family, "");
}

double echom_labelled(struct echod *echom, const char *family, const char *label)
{
	const char *metrics = endpoint_get(echom, "/metrics", NULL);

	echom_expect_balance(metrics, "t");
	return echom_labelled_in(metrics, family, "t", label);
}
