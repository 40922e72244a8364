/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* ping --report with a far side that measures, too. */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/relay.h"

#define STAMP "[listener a]\naddress = 127.0.0.1:0\nmode = stamp\nstamp_sessions = 64\n"

/* The sums of the intervals, once all is known, are those of the run. */
TEST_EACH(intervals_have_each_way_too, 2)
{
	struct echod *echod = echod_start(STAMP);
	bool as_json = _i == 1;
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		"ping", "--stamp", as_json ? "--json" : "-v", "-q", "-c", "40", "-i", "20ms", "-W",
		"1s", "--report", "100ms",
		RELAY(.port = echod_port(echod, "udp 127.0.0.1"),
		      .lost_there = 1 << 2 | 1 << 5 | 1 << 12, .lost_back = 1 << 3 | 1 << 17)));
	double there = 0, back = 0;

	echod_stop(echod);
	if (!as_json) {
		EXPECT(&echoc, 1, " s ---\n", "\ndelay variation there p50",
		       "lost on the way there: 3, on the way back: 2\n");
		ck_assert(strstr(echoc.output, "\nlost on the way there: ") <
			  strstr(echoc.output, "echo statistics"));
		return;
	}
	(void)json_check(echoc.output);
	ck_assert_double_eq(sum_of(&echoc, "lost_there"), 3);
	ck_assert_double_eq(sum_of(&echoc, "lost_back"), 2);
	for (const char *text = echoc.output; (text = strstr(text, "{\"type\":\"interval\""));
	     text++) {
		if (json_is(text, "interval", "lost_there", "null"))
			continue; /* no reply so far */
		there += json_get(text, "interval", "lost_there");
		back += json_get(text, "interval", "lost_back");
	}
	ck_assert_double_eq(there, 3);
	ck_assert_double_eq(back, 2);
}
