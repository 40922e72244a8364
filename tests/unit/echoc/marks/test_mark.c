/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Which marks are tried, and what follows from what became of them. */

#include "config.h"

#include "echoc/marks/mark.h"
#include "probe/traffic_class.h"
#include "support/test.h"

static struct marks marks;
static struct reason reason;

static void set_up(void)
{
	ck_assert_int_eq(marks_choose(&marks, "0,8,46", &reason), 0);
	marks.far = FAR_STAMP;
}

/* Each is sent once, and answered as a STAMP reflector does on a path that changes nothing. */
static void answer_all(void)
{
	for (size_t i = 0; i < marks.count; i++) {
		struct mark *mark = &marks.marks[i];
		struct mark_reply reply = {mark_tos(mark), mark->dscp << 2, mark->dscp};

		mark->sent++;
		mark_enter(mark, &reply);
	}
}

static void enter(size_t index, int there, int back)
{
	struct mark *mark = &marks.marks[index];
	struct mark_reply reply = {there, back, mark->dscp};

	mark->sent++;
	mark_enter(mark, &reply);
}

TEST_CASE("mark", set_up, NULL);

TEST(a_list_has_numbers_ranges_and_names)
{
	static const uint8_t expected[] = {0, 8, 9, 10, 46, 34, 1};

	ck_assert_int_eq(marks_choose(&marks, "0,8-10,ef,af41,46,le,9", &reason), 0);
	ck_assert_uint_eq(marks.dscps, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		ck_assert_uint_eq(marks.marks[i].dscp, expected[i]);
	ck_assert_uint_eq(marks.count, marks.dscps + 3);
	ck_assert_uint_eq(mark_tos(&marks.marks[marks.dscps]), 1);
	ck_assert_uint_eq(mark_tos(&marks.marks[4]), 184);
	ck_assert_int_eq(marks_choose(&marks, "all", &reason), 0);
	ck_assert_uint_eq(marks.dscps, 64);
	ck_assert_int_eq(marks_choose(&marks, NULL, &reason), 0);
	ck_assert_uint_eq(marks.dscps, 23);
}

static const char *const bad[] = {"",	  "64",	 "1,",	 "8-",	 "-8",	    "9-8",
				  "0-64", "efx", "ef-0", "0x2e", "ef+ect1", "cs8"};

TEST_EACH(a_bad_list_is_refused, ARRAY_SIZE(bad))
{
	ck_assert_msg(marks_choose(&marks, bad[_i], &reason) < 0, "%s", bad[_i]);
}

TEST(an_overlong_list_is_refused)
{
	char list[2000];

	memset(list, ',', sizeof(list) - 1);
	list[sizeof(list) - 1] = '\0';
	ck_assert_int_lt(marks_choose(&marks, list, &reason), 0);
}

TEST(a_clean_path_is_clean)
{
	answer_all();
	ck_assert(marks_clean(&marks));
	ck_assert_int_eq(marks_l4s(&marks), L4S_READY);
}

TEST(a_bleached_mark_is_not)
{
	answer_all();
	enter(2, 0, 46 << 2);
	ck_assert(!marks_clean(&marks));
	ck_assert_int_eq(marks.marks[2].there, 0);
	ck_assert_uint_eq(marks.marks[2].changed_there, 1);
	ck_assert_uint_eq(marks_sum(&marks).changed_there, 1);
	ck_assert_uint_eq(marks_sum(&marks).changed_back, 0);
	ck_assert_int_eq(marks_l4s(&marks), L4S_READY);
}

TEST(nor_one_that_the_way_back_bleaches)
{
	answer_all();
	enter(2, 46 << 2, 0);
	ck_assert(!marks_clean(&marks));
	ck_assert_uint_eq(marks_sum(&marks).changed_back, 1);
}

/* Congestion may mark a reply. */
TEST(ecn_of_replies_is_no_mark_of_theirs)
{
	answer_all();
	enter(2, 46 << 2, 46 << 2 | 3);
	ck_assert(marks_clean(&marks));
}

TEST(a_change_is_remembered)
{
	enter(2, 0, 46 << 2);
	enter(2, 46 << 2, 46 << 2);
	ck_assert_int_eq(marks.marks[2].there, 0);
	ck_assert_int_eq(marks.marks[2].back, 46 << 2);
}

TEST(a_lost_mark_is_not_clean)
{
	answer_all();
	marks.marks[1] = (struct mark){.dscp = 8, .sent = 3, .there = -1, .back = -1};
	ck_assert(!marks_clean(&marks));
	ck_assert_uint_eq(marks_sum(&marks).lost, 1);
}

TEST(a_lost_mark_is_tried_again_for_unmarked_replies)
{
	struct mark *mark = &marks.marks[1];
	struct mark_reply reply = {.there = 0, .back = 0};

	answer_all();
	ck_assert(!mark_is_worth_another_try(&marks, mark));
	ck_assert_int_eq(mark_lost_on(&marks, mark), WAY_NONE);
	*mark = (struct mark){.dscp = 8, .sent = 3, .there = -1, .back = -1};
	ck_assert(mark_is_worth_another_try(&marks, mark));
	ck_assert_int_eq(mark_lost_on(&marks, mark), WAY_UNKNOWN);
	mark->sent_again = 3;
	ck_assert_int_eq(mark_lost_on(&marks, mark), WAY_THERE);
	mark_enter_again(mark, &reply);
	ck_assert_int_eq(mark_lost_on(&marks, mark), WAY_BACK);
	ck_assert_uint_eq(mark->changed_there, 1);
	ck_assert_uint_eq(mark->received, 0);
	marks.far = FAR_ECHO;
	ck_assert(!mark_is_worth_another_try(&marks, mark));
}

TEST(a_lost_codepoint_is_lost_on_the_way_there)
{
	struct mark *mark = &marks.marks[3];

	answer_all();
	*mark = (struct mark){.ecn = 1, .sent = 3, .there = -1, .back = -1};
	ck_assert(!mark_is_worth_another_try(&marks, mark));
	ck_assert_int_eq(mark_lost_on(&marks, mark), WAY_THERE);
	marks.far = FAR_ECHO;
	ck_assert_int_eq(mark_lost_on(&marks, mark), WAY_UNKNOWN);
}

TEST(l4s_needs_ect1_and_ce)
{
	answer_all();
	enter(3, 0, 0); /* ECT(1) */
	ck_assert_int_eq(marks_l4s(&marks), L4S_BROKEN);
	set_up();
	answer_all();
	enter(5, 2, 0); /* CE */
	ck_assert_int_eq(marks_l4s(&marks), L4S_BROKEN);
	set_up();
	answer_all();
	enter(4, 0, 0); /* ECT(0) is another matter, but a finding */
	ck_assert_int_eq(marks_l4s(&marks), L4S_READY);
	ck_assert(!marks_clean(&marks));
}

TEST(without_the_option_nothing_is_known)
{
	for (size_t i = 0; i < marks.count; i++)
		enter(i, -1, -1);
	ck_assert(!marks_are_seen(&marks));
	ck_assert_int_eq(marks_l4s(&marks), L4S_UNKNOWN);
	ck_assert(!marks_clean(&marks));
}

TEST(what_is_not_known_on_one_way_is_not_clean)
{
	answer_all();
	ck_assert(marks_are_complete(&marks));
	marks.marks[1].back = -1; /* the kernel does not tell */
	ck_assert(!marks_are_complete(&marks));
	ck_assert(!marks_clean(&marks));
}

TEST(an_echo_server_may_return_dscps)
{
	marks.far = FAR_ECHO;
	for (size_t i = 0; i < marks.count; i++)
		enter(i, -1, marks.marks[i].dscp << 2);
	ck_assert(marks_are_returned(&marks));
	ck_assert(marks_clean(&marks));
	ck_assert_int_eq(marks_l4s(&marks), L4S_UNKNOWN);
}

TEST(one_that_does_not_shows_nothing)
{
	marks.far = FAR_ECHO;
	for (size_t i = 0; i < marks.count; i++)
		enter(i, -1, 0);
	ck_assert(!marks_are_returned(&marks));
	ck_assert(!marks_clean(&marks));
}

TEST(dscps_have_names)
{
	static const struct {
		unsigned dscp;
		const char *name;
	} names[] = {{0, "df"},	 {1, "le"},   {8, "cs1"}, {10, "af11"}, {38, "af43"}, {44, "va"},
		     {46, "ef"}, {56, "cs7"}, {2, ""},	  {42, ""},	{4, ""},      {63, ""}};
	char text[DSCP_NAME_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_str_eq(dscp_name(names[i].dscp, text), names[i].name);
}
