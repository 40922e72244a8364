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

static uint64_t on_the_wall(uint64_t time)
{
	return clock_read(CLOCK_REALTIME) - clock_ns() + time;
}

const char *wall_clock_utc(uint64_t time, char text[static WALL_CLOCK_TEXT_MAX])
{
	uint64_t wall = on_the_wall(time);
	time_t seconds = (time_t)(wall / NS_PER_S);
	char date[32] = "";
	struct tm utc;

	if (gmtime_r(&seconds, &utc))
		(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, WALL_CLOCK_TEXT_MAX, "%s.%06uZ", date,
		 (unsigned)(wall % NS_PER_S / NS_PER_US));
	return text;
}

const char *wall_clock_local(uint64_t time, char text[static WALL_CLOCK_TEXT_MAX])
{
	uint64_t wall = on_the_wall(time);
	time_t seconds = (time_t)(wall / NS_PER_S);
	char date[32] = "";
	struct tm local;

	if (localtime_r(&seconds, &local))
		(void)strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
	snprintf(text, WALL_CLOCK_TEXT_MAX, "%s.%03u", date,
		 (unsigned)(wall % NS_PER_S / NS_PER_MS));
	return text;
}

const char *wall_clock_of_day(uint64_t time, char text[static WALL_CLOCK_TEXT_MAX])
{
	const char *after_date;

	(void)wall_clock_local(time, text);
	after_date = strchr(text, ' ');
	if (after_date)
		memmove(text, after_date + 1, strlen(after_date + 1) + 1);
	return text;
}
