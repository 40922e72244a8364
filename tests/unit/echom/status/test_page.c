/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The page for people: in which order, how many, and what becomes of it at a reload. */

#include "config.h"

#include "echom/status/page.h"
#include "unit/faults.h"
#include "unit/moving_clock.h"
#include "unit/watches_scene.h"

#define PIECE (20 * 1024)
#define ROW "<th scope=row>"

static char text[4 << 20];
static struct page *page;

static void tear_down(void)
{
	page_free(page);
	tear_down_watches();
}

TEST_CASE("a page", set_up_watches, tear_down);

static bool write_piece(struct bounded_text *piece)
{
	bounded_text_begin(piece, text, PIECE);
	return page_write(page, piece);
}

static void write_all(void)
{
	size_t length = 0;
	bool more;

	do {
		struct bounded_text piece;

		bounded_text_begin(&piece, text + length, PIECE);
		more = page_write(page, &piece);
		ck_assert(!piece.cut);
		length += piece.length;
		ck_assert_uint_lt(length + PIECE, sizeof(text));
	} while (more);
}

static unsigned rows(void)
{
	unsigned count = 0;

	for (const char *row = text; (row = strstr(row, ROW)); row++)
		count++;
	return count;
}

static void begin(size_t targets)
{
	watch(many_targets(targets));
	page = page_new(watches, "a<b");
	ck_assert_ptr_nonnull(page);
}

static void lose_for(size_t index, uint64_t seconds)
{
	struct outages *outages = &watches->items[index]->outages;
	uint64_t begin = clock_ns() - seconds * NS_PER_S;

	(void)outages_enter(outages, begin, false);
	ck_assert_int_eq(outages_enter(outages, begin + 1, false), OUTAGE_BEGAN);
}

static void lose_some(size_t index, unsigned received)
{
	struct history *history = &watches->items[index]->history;

	history_lost(history, clock_ns());
	for (unsigned i = 0; i < received; i++)
		history_received(history, clock_ns(), NS_PER_MS);
}

TEST(the_worst_come_first_and_the_rest_is_counted)
{
	static const char *const order[] = {">t301<", ">t300<", ">t303<", ">t302<", ">t0<", ">t1<"};
	const char *at = text;

	begin(PAGE_TARGETS + 100);
	for (size_t i = 1; i < watches->count; i++)
		watches->items[i]->replied_at = 1;
	lose_for(300, 10);
	lose_for(301, 20);
	lose_some(302, 3);
	lose_some(303, 2);
	write_all();
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		at = strstr(at, order[i]);
		ck_assert_msg(at != NULL, "%s is not next", order[i]);
	}
	ck_assert_uint_eq(rows(), PAGE_TARGETS);
	ck_assert_ptr_nonnull(strstr(text, "<p>100 more, none of them worse"));
	ck_assert_ptr_nonnull(strstr(text, "<b>2</b> down"));
	ck_assert_ptr_nonnull(strstr(text, "<b>597</b> up"));
	ck_assert_ptr_nonnull(strstr(text, "<b>1</b> without a reply yet"));
	ck_assert_ptr_nonnull(strstr(text, "echom on a&#60;b</h1>"));
	ck_assert_ptr_nonnull(strstr(text, "</html>"));
}

TEST(no_targets_make_a_page_as_well)
{
	begin(0);
	write_all();
	ck_assert_uint_eq(rows(), 0);
	ck_assert_ptr_nonnull(strstr(text, "<b>0</b> up"));
	ck_assert_ptr_nonnull(strstr(text, "</html>"));
}

TEST(a_slice_of_time_ends_a_piece)
{
	struct bounded_text piece;

	begin(100);
	clock_step_ms = 5;
	for (unsigned i = 0; i < 100 / 16; i++) {
		ck_assert(write_piece(&piece));
		ck_assert_uint_eq(piece.length, 0);
	}
	ck_assert(write_piece(&piece));
	ck_assert_uint_gt(piece.length, 0);
	ck_assert_uint_le(rows(), 16);
}

TEST(another_list_ends_a_page_that_has_begun)
{
	struct bounded_text piece;

	begin(100);
	ck_assert(write_piece(&piece));
	ck_assert_uint_gt(rows(), 0);
	watch(many_targets(50));
	ck_assert(!write_piece(&piece));
	ck_assert_uint_eq(piece.length, 0);
}

TEST_EACH(another_list_before_that_is_the_one_shown, 2)
{
	static const size_t counts[] = {200, 3};
	struct bounded_text piece;

	begin(100);
	clock_step_ms = 5;
	ck_assert(write_piece(&piece));
	clock_step_ms = 0;
	watch(many_targets(counts[_i]));
	write_all();
	ck_assert_uint_eq(rows(), counts[_i]);
}

TEST(without_memory_there_is_none)
{
	watch(many_targets(1));
	for (unsigned skip = 0; skip < 2; skip++) {
		fault_after(skip, MEMORY, ENOMEM);
		page = page_new(watches, "");
		ck_assert(fault_over());
		ck_assert_ptr_null(page);
		ck_assert_int_eq(fault_blocks(), 0);
	}
}

TEST(without_memory_for_another_list_it_ends)
{
	struct bounded_text piece;
	bool more;

	begin(100);
	clock_step_ms = 5;
	ck_assert(write_piece(&piece));
	watch(many_targets(200));
	fault_next(MEMORY, ENOMEM);
	more = write_piece(&piece);
	ck_assert(fault_over());
	ck_assert(!more);
	ck_assert_uint_eq(piece.length, 0);
}
