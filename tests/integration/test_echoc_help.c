/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What -h prints: a screen of 80x24, of all modes and of each. */

#include "config.h"

#include "integration/echoc_run.h"
#include "support/test.h"

#define ROWS 24
#define COLUMNS 80

static void expect_screen(const struct echoc *echoc)
{
	size_t rows = 0;

	ck_assert_int_eq(echoc->status, 0);
	for (const char *line = echoc->output; *line != '\0'; rows++) {
		size_t length = strcspn(line, "\n");

		ck_assert_msg(length <= COLUMNS, "too wide: %.*s", (int)length, line);
		line += length + 1;
	}
	ck_assert_msg(rows <= ROWS, "%zu rows: %s", rows, echoc->output);
}

static const char *const modes[] = {"ping", "bench", "send", "flows", "marks", "mtu", "idle"};

TEST(the_help_of_all_modes_fits_a_screen)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("-h"));

	expect_screen(&echoc);
	EXPECT(&echoc, 0, "\n  ping   ", "\n  bench  ", "\n  send   ", "\n  flows  ");
}

TEST_EACH(the_help_of_a_mode_fits_a_screen, ARRAY_SIZE(modes))
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(modes[_i], "-h"));
	char usage[64];

	snprintf(usage, sizeof(usage), "usage: echoc %-5s ", modes[_i]);
	expect_screen(&echoc);
	EXPECT(&echoc, 0, usage, "\nHOST[:PORT] (7): ");
}
