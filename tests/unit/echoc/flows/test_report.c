/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The table of lossy flows, and what is said below it. */

#include "config.h"

#include "echoc/flows/findings.h"
#include "echoc/flows/flow_set.h"
#include "support/test.h"
#include "unit/printed.h"

#define FLOWS 30

static struct arguments arguments = {.size = 100, .duration_ms = 10000};
static struct target target;
static struct source_port ports[FLOWS];
static struct flows flows;
static struct flow_loss losses[FLOWS];
static struct flow_class classes[2];
static struct findings findings;
static unsigned columns;

unsigned __wrap_terminal_columns(FILE *out);

unsigned __wrap_terminal_columns(FILE *out UNUSED)
{
	return columns;
}

static void set_up(void)
{
	struct reason reason;

	columns = 80;
	target = (struct target){.datagram = true, .text = "192.0.2.7:7"};
	flows = (struct flows){
		.arguments = &arguments, .target = &target, .ports = ports, .count = FLOWS};
	findings = (struct findings){.losses = losses, .classes = classes, .sum = {.sent = 1}};
	memset(classes, 0, sizeof(classes));
	for (size_t i = 0; i < FLOWS; i++) {
		ports[i].number = (uint16_t)(50000 + i);
		losses[i].class = 0;
		ck_assert_int_eq(address_from_ip(&ports[i].target.source, "192.0.2.1",
						 ports[i].number, &reason),
				 0);
	}
}

static const char *print(void)
{
	print_begin();
	flows_print_end(&flows, &findings);
	return print_end();
}

static void expect(const char *part)
{
	const char *text = print();

	ck_assert_msg(strstr(text, part), "\"%s\" is not in: %s", part, text);
}

TEST_CASE("report", set_up);

static const struct {
	uint64_t lost, sent;
	uint8_t least, most;
	const char *loss, *ttl;
} rows[] = {
	{0, 0, 0, 0, "       -", "     -\n"},
	{0, 10000, 60, 60, "   0.0 %", "    60\n"},
	{1, 10000, 59, 60, " 0.010 %", " 59-60\n"},
	{10, 10000, 60, 60, "   0.1 %", "    60\n"},
};

TEST_EACH(a_row_has_the_places_that_it_needs, ARRAY_SIZE(rows))
{
	classes[0] = (struct flow_class){.flows = 1,
					 .lost = rows[_i].lost,
					 .books.sent = rows[_i].sent,
					 .ttl_least = rows[_i].least,
					 .ttl_most = rows[_i].most};
	expect(rows[_i].loss);
	expect(rows[_i].ttl);
}

static void lose_in(size_t lossy)
{
	findings.lossy = lossy;
	findings.lossy_classes = 1;
	for (size_t i = 0; i < lossy; i++)
		losses[i].class = 1;
}

TEST(a_narrow_terminal_has_fewer_columns)
{
	classes[0].flows = 1;
	expect("     min      p50      p99      max");
	columns = 77;
	expect("     loss flows     lost      p50   TTL\n");
	target.datagram = false;
	expect("     loss flows  held up      p50   TTL\n");
}

/* Six columns for each. */
TEST(ports_fill_the_terminal)
{
	lose_in(FLOWS);
	columns = 80;
	expect("      ports 50000 50001 50002 50003 50004 50005 50006 50007 50008 50009 50010\n"
	       "            50011 ");
	columns = 11 + 6 * FLOWS;
	expect("50017\n"); /* a long line is no easier to read */
}

TEST_EACH(the_live_line_fits, 2)
{
	flows.schedule.start = NS_PER_S;
	ports[0].books.sent = 1200;
	ports[1].books.sent = ports[1].books.received = 34;
	ports[2].books.lost = 5;
	columns = _i == 0 ? 80 : 20;
	print_begin();
	flows_draw_live(&flows, 4 * NS_PER_S);
	ck_assert_str_eq(print_end(), _i == 0 ? "\r\033[J3/10 s: 1,234 sent, 34 received, 5 lost"
					      : "\r\033[J3/10 s: 1,234 sent,");
	memset(ports, 0, sizeof(ports));
}

TEST(a_stop_before_the_first_probe_is_no_good_news)
{
	findings.sum.sent = 0;
	expect("\nNothing was sent.\n");
}

TEST(one_flow_loses_and_two_lose)
{
	expect("\nNo flow lost anything.\n");
	classes[0].lost = 1;
	expect("\nNo flow loses more than the others.\n");
	lose_in(1);
	expect("\n1 of 30 flows loses more than the others.\n");
	lose_in(2);
	expect("\n2 of 30 flows lose more than the others.\n");
}

TEST(paths_are_counted_by_what_differs)
{
	findings.paths_at_least = 2;
	expect("At least 2 paths.\n");
	lose_in(1);
	findings.paths = (struct path_estimate){.paths = 4, .low = 2.5, .high = 6};
	expect("At least 2 paths; about 4 (2.5 to 6.0) if they share the flows evenly\n");
}

TEST(the_last_errors_are_quoted)
{
	findings.sum = (struct books){.icmp_errors = 1, .unsent = 2, .late = 2};
	flows.send_error = EPERM;
	(void)snprintf(flows.icmp, sizeof(flows.icmp), "from 192.0.2.1: no route");
	expect("2 replies came late\n1 ICMP error\n2 could not be sent\n"
	       "The last ICMP error was from 192.0.2.1: no route\n"
	       "The last one could not be sent: Operation not permitted\n");
}
