/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The histogram at the end of a bench: each row counts what is from its edge up to the next. */

#include "config.h"

#include "base/clock.h"
#include "echoc/bench/table.h"
#include "echoc/say/terminal.h"
#include "support/test.h"
#include "unit/printed.h"

#define ROWS 14
#define BAR_COLUMNS 50 /* beside the 30 of what is before it */

static struct books books;

/* All that the table of BOOKS is on no terminal. */
static char *table(void)
{
	const struct arguments arguments = {.size = 64, .connections = 1, .depth = 1};
	const struct target target = {.protocol = "udp", .text = "192.0.2.1:7"};
	const struct report_span span = {.seconds = 1, .messages = 1, .threads = 1};

	print_begin();
	bench_table_print(&arguments, &target, &books, NULL, &span);
	return print_end();
}

static void add(uint64_t rtt, uint64_t count)
{
	latency_add(&books.latency, rtt, count);
	books.received += count;
	books.sent += count;
}

/* Each row begins at twice what the one above does: I + 1 in the middle of row I. */
TEST(each_row_counts_what_is_between_its_edges)
{
	char expected[NUMBER_TEXT_MAX], bar[BAR_TEXT_MAX];
	unsigned count;
	char *row;

	for (unsigned i = 0; i < ROWS; i++)
		add((NS_PER_MS << i) * 3 / 2, i + 1);
	add(NS_PER_MS, 1);
	add((NS_PER_MS << ROWS) - 1, 1);
	row = strstr(table(), "\n  from\n");
	ck_assert_ptr_nonnull(row);
	row = strtok(row + strlen("\n  from\n"), "\n");
	for (unsigned i = 0; i < ROWS; i++, row = strtok(NULL, "\n")) {
		ck_assert_int_eq(sscanf(row, " %*f %*s %u %600s", &count, bar), 2);
		duration_text((double)(NS_PER_MS << i), expected);
		ck_assert_msg(strstr(row, expected), "%s is not in: %s", expected, row);
		ck_assert_uint_eq(count, i + 1 + (i == 0 || i == ROWS - 1));
		ck_assert_uint_eq(strlen(bar), (count * BAR_COLUMNS + ROWS) / (ROWS + 1));
	}
	ck_assert_ptr_eq(strstr(row, "  echoc used "), row);
}

/* All in one bucket: no row is narrower than that. */
TEST(equal_round_trips_are_one_row)
{
	char *row;

	add(NS_PER_MS, 1234);
	row = strstr(table(), "\n  from\n");
	ck_assert_ptr_nonnull(row);
	row = strtok(row + strlen("\n  from\n"), "\n");
	ck_assert_ptr_nonnull(strstr(row, " 1.00 ms           1,234 ####"));
	row = strtok(NULL, "\n");
	ck_assert_ptr_eq(strstr(row, "  echoc used "), row);
}
