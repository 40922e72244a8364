/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The wall clock. Owns nothing; whatever --json prints, outages and -D use it.
 */

#include "config.h"

#include "echoc/say/wall_clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* Splits TIME on the wall by BREAK_DOWN; returns the nanoseconds that are left. */
static unsigned split(uint64_t time, struct tm *(*break_down)(const time_t *, struct tm *),
		      struct tm *parts)
{
	uint64_t wall = clock_read(CLOCK_REALTIME) - clock_ns() + time;
	time_t seconds = (time_t)(wall / NS_PER_S);

	memset(parts, 0, sizeof(*parts));
	(void)break_down(&seconds, parts);
	return (unsigned)(wall % NS_PER_S);
}

const char *wall_clock_utc(uint64_t time, char text[static WALL_CLOCK_TEXT_MAX])
{
	char date[32] = "";
	struct tm utc;
	unsigned rest = split(time, gmtime_r, &utc);

	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, WALL_CLOCK_TEXT_MAX, "%s.%06uZ", date, rest / (unsigned)NS_PER_US);
	return text;
}

const char *wall_clock_of_day(uint64_t time, char text[static WALL_CLOCK_TEXT_MAX])
{
	char hour[32] = "";
	struct tm local;
	unsigned rest = split(time, localtime_r, &local);

	(void)strftime(hour, sizeof(hour), "%H:%M:%S", &local);
	snprintf(text, WALL_CLOCK_TEXT_MAX, "%s.%03u", hour, rest / (unsigned)NS_PER_MS);
	return text;
}

const char *wall_clock_local(uint64_t time, char text[static WALL_CLOCK_TEXT_MAX])
{
	char date[32] = "";
	struct tm local;
	unsigned rest = split(time, localtime_r, &local);

	(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
	snprintf(text, WALL_CLOCK_TEXT_MAX, "%s.%03u", date, rest / (unsigned)NS_PER_MS);
	return text;
}
