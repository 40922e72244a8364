/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the page shows of one target. */

#include "config.h"

#include "echom/status/row.h"
#include "unit/moving_clock.h"
#include "unit/watches_scene.h"

#define MIDNIGHT INT64_C(1728000000) /* 2024-10-04 00:00:00 UTC */

static char text[ROW_MAX];
static struct watch *one;

static void set_up(void)
{
	set_up_watches();
	watch("[defaults]\ninterval = 1h\n[target one]\naddress = a\n");
	one = watches->items[0];
	strcpy(one->list->targets[0].address, "<b>'x':7"); /* which no file may have */
}

TEST_CASE("a row", set_up, tear_down_watches);

static const char *row(void)
{
	struct bounded_text written;

	bounded_text_begin(&written, text, sizeof(text));
	row_write(one, &written);
	ck_assert(!written.cut);
	return text;
}

static void expect(const char *part)
{
	ck_assert_msg(strstr(row(), part) != NULL, "no %s in %s", part, text);
}

static void past(int64_t begin, uint64_t lost)
{
	history_outage(&one->history, &(struct past_outage){.begin = (uint64_t)begin * NS_PER_S,
							    .duration = 1500 * NS_PER_MS,
							    .lost = lost});
}

static unsigned count(const char *part)
{
	unsigned found = 0;

	for (const char *at = row(); (at = strstr(at, part)); at++)
		found++;
	return found;
}

TEST(what_stands_in_the_file_is_escaped)
{
	expect(">one<small>udp &#60;b&#62;&#39;x&#39;:7</small>");
}

TEST(each_state_has_a_word)
{
	expect("<td class=state>no reply yet</td>");
	expect("<td>no reply</td>");
	expect("<td>0 %<small>0 of 0 lost</small></td>");
	one->replied_at = 1;
	expect("<td class=\"state well\">up</td>");
	(void)outages_enter(&one->outages, clock_ns() - 90 * NS_PER_S, false);
	(void)outages_enter(&one->outages, clock_ns(), false);
	expect("<td class=\"state ill\">down<small>for 1 min");
}

TEST(a_minute_with_losses_has_a_bar)
{
	uint64_t now = clock_ns() + 7200 * NS_PER_S;

	clock_moved_ms = 7200 * 1000;
	history_lost(&one->history, now - 120 * NS_PER_S);
	history_received(&one->history, now - 60 * NS_PER_S, 4 * NS_PER_MS);
	history_received(&one->history, now - 60 * NS_PER_S, 8 * NS_PER_MS);
	history_lost(&one->history, now - 60 * NS_PER_S);
	history_received(&one->history, now, 2 * NS_PER_MS);
	ck_assert_uint_eq(count("<path class=loss"), 2);
	expect("v-40.0h3V40z"); /* all of a minute */
	expect("v-16.0h3V40z"); /* a third */
	expect("40 %<small>2 of 5 lost");
	expect("<td>4.67 ms<small>at most 6 in a minute</small>");
	ck_assert_uint_eq(count("<path class=rtt"), 1);
	clock_moved_ms = 0; /* libcheck measures how long we took */
}

static void use(const char *settings)
{
	watch(settings);
	one = watches->items[0];
	one->replied_at = 1;
	history_received(&one->history, clock_ns(), NS_PER_MS);
}

#define STAMP "[target one]\naddress = a\ninterval = 1h\nprotocol = stamp\n"

TEST(what_a_reflector_tells_is_shown)
{
	expect("<td>0 %<small>0 of 0 lost</small></td>");
	use(STAMP);
	expect("direction unknown: the reflector does not count</small>");
	ck_assert_uint_eq(count(" there<"), 0);
	one->hops.there = 1;
	one->hops.back = 2;
	expect("<small>1 hop there</small><small>2 hops back</small>");
	one->reflector->ports[0].counts = one->reflector->ports[0].consistent = true;
	one->reflector->ports[0].on_way[WAY_THERE] = 3;
	one->reflector->ports[0].on_way[WAY_BACK] = 2;
	expect("<small>since the start: 3 there, 2 back</small>");
	ck_assert_uint_eq(count("unknown"), 0);
	one->reflector->dscp_changed[WAY_THERE] = 0;
	ck_assert_uint_eq(count("DSCP"), 0);
	one->reflector->dscp_changed[WAY_THERE] = one->reflector->dscp_changed[WAY_BACK] = 1;
	expect("<small class=ill>DSCP changed on the way there</small>");
	expect("<small class=ill>DSCP changed on the way back</small>");
}

TEST(flows_that_lose_more_than_the_others_are_shown)
{
	use("[target one]\naddress = a\ninterval = 1h\nflows = 8\n");
	ck_assert_uint_eq(count("flows"), 0);
	for (size_t i = 0; i < 800; i++)
		port_losses_enter(one->losses, i % 8, i % 8 == 5, clock_ns());
	expect("<small class=ill>1 of 8 flows lose more than the others</small>");
}

TEST(the_latest_three_outages_of_a_day_have_their_times)
{
	clock_wall = MIDNIGHT + 100;
	past(MIDNIGHT - 24 * 3600, 1); /* longer ago than a day */
	past(MIDNIGHT, 2);
	ck_assert_uint_eq(count("<li>"), 1);
	expect("<li>2024-10-04 00:00:00 UTC, 1.500 s, 2 lost</li>");
	past(MIDNIGHT + 1, 3);
	past(MIDNIGHT + 2, 4);
	past(MIDNIGHT + 3, 5);
	ck_assert_uint_eq(count("<li>"), 3);
	ck_assert_uint_eq(count(", 2 lost"), 0);
}

TEST(a_clock_that_was_never_set_hides_no_outage)
{
	clock_wall = 100;
	past(50, 2);
	expect("<li>1970-01-01 00:00:50 UTC, 1.500 s, 2 lost</li>");
}
