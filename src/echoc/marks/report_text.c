/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The text side of report.h: a table of 40 columns, and a verdict in words. */

#include "config.h"

#include "echoc/marks/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "echoc/say/terminal.h"
#include "probe/traffic_class.h"

#define CELL 16

void marks_print_start(const struct marks *marks, const struct arguments *arguments,
		       const struct target *target)
{
	printf("MARKS %s (%s): %zu DSCP%s, ECN, %" PRIu64 " probe%s each\n", target->name,
	       target->text, marks->dscps, marks->dscps == 1 ? "" : "s", arguments->count,
	       arguments->count == 1 ? "" : "s");
}

static bool is_ecn(const struct mark *mark)
{
	return mark->ecn != 0;
}

static const char *label(const struct mark *mark, char text[static CELL])
{
	char name[DSCP_NAME_MAX];

	if (is_ecn(mark))
		snprintf(text, CELL, "%s", ecn_name(mark->ecn));
	else
		snprintf(text, CELL, "%2u %s", mark->dscp, dscp_name(mark->dscp, name));
	return text;
}

/* What it became, in terms of what it was: a DSCP, a codepoint, or both. */
static const char *became(const struct mark *mark, int tos, char text[static CELL])
{
	unsigned dscp = (unsigned)tos >> 2, ecn = (unsigned)tos & TRAFFIC_CLASS_ECN;

	if (dscp != mark->dscp && ecn != mark->ecn)
		snprintf(text, CELL, "%u %s", dscp, ecn_name(ecn));
	else if (ecn != mark->ecn)
		snprintf(text, CELL, "%s", ecn_name(ecn));
	else
		snprintf(text, CELL, "%u", dscp);
	return text;
}

static const char *there(const struct mark *mark, char text[static CELL])
{
	if (mark->there < 0)
		return "-";
	return mark->changed_there == 0 ? "ok" : became(mark, mark->there, text);
}

/* No reply carries ECN, and echo servers that return no DSCP show none. */
static const char *back(const struct marks *marks, const struct mark *mark, char text[static CELL])
{
	if (mark->back < 0 || is_ecn(mark) ||
	    (marks->far == FAR_ECHO && !marks_are_returned(marks)))
		return "-";
	if (mark->changed_back == 0)
		return "ok";
	snprintf(text, CELL, "%d", mark->back >> 2);
	return text;
}

static void print_table(const struct marks *marks)
{
	char text[3][CELL];

	printf("\n%-10s %-11s %-9s %s\n", "mark", "there",
	       marks->far == FAR_ECHO ? "returned" : "back", "lost");
	for (size_t i = 0; i < marks->count; i++) {
		const struct mark *mark = &marks->marks[i];

		printf("%-10s %-11s %-9s %4" PRIu64 "\n", label(mark, text[0]),
		       there(mark, text[1]), back(marks, mark, text[2]),
		       mark->sent - mark->received);
	}
	putchar('\n');
}

/* The name of a DSCP, or its number. */
static void print_name(const struct mark *mark)
{
	char name[DSCP_NAME_MAX];

	if (is_ecn(mark))
		printf(" %s", ecn_name(mark->ecn));
	else if (dscp_name(mark->dscp, name)[0] != '\0')
		printf(" %s", name);
	else
		printf(" %u", mark->dscp);
}

enum fate { UNCHANGED, BLEACHED, CHANGED, ALL_LOST, LOST_SOMEWHERE, FATES, NOT_TRIED };

static enum fate fate_of(const struct marks *marks, const struct mark *mark, bool back)
{
	enum way lost_on = mark_lost_on(marks, mark);
	uint64_t changed = back ? mark->changed_back : mark->changed_there;
	int tos = back ? mark->back : mark->there;

	if (lost_on == WAY_UNKNOWN)
		return LOST_SOMEWHERE;
	if (lost_on == (back ? WAY_BACK : WAY_THERE))
		return ALL_LOST;
	if (lost_on == WAY_THERE)
		return NOT_TRIED;
	if (tos < 0)
		return NOT_TRIED;
	if (changed == 0)
		return UNCHANGED;
	return tos >> 2 == 0 && mark->dscp != 0 ? BLEACHED : CHANGED;
}

static size_t count_with(const struct marks *marks, bool back, enum fate fate)
{
	size_t count = 0;

	for (size_t i = 0; i < marks->dscps; i++)
		count += fate_of(marks, &marks->marks[i], back) == fate;
	return count;
}

static void print_names(const struct marks *marks, bool back, enum fate fate)
{
	for (size_t i = 0; i < marks->dscps; i++) {
		if (fate_of(marks, &marks->marks[i], back) == fate)
			print_name(&marks->marks[i]);
	}
	putchar('\n');
}

/* A line for each fate of DSCPs on a way that any of them had. */
static void print_way(const struct marks *marks, const char *way, bool back)
{
	static const char *const words[] = {NULL, "bleached to 0", "changed", "lost",
					    "lost on either way"};

	printf("DSCP %s: %zu of %zu unchanged\n", way, count_with(marks, back, UNCHANGED),
	       marks->dscps);
	for (enum fate fate = BLEACHED; fate < FATES; fate++) {
		if (count_with(marks, back, fate) == 0)
			continue;
		printf("DSCP %s: %s:", way, words[fate]);
		print_names(marks, back, fate);
	}
}

static void print_ecn(const struct marks *marks)
{
	for (size_t i = marks->dscps; i < marks->count; i++) {
		const struct mark *mark = &marks->marks[i];

		if (mark->received == 0)
			printf("ECN there: %s is lost\n", ecn_name(mark->ecn));
		else if (mark->changed_there > 0)
			printf("ECN there: %s arrives as %s\n", ecn_name(mark->ecn),
			       ecn_name((unsigned)mark->there));
	}
	switch (marks_l4s(marks)) {
	case L4S_READY:
		puts("L4S there: ready, ECT(1) and CE arrive");
		break;
	case L4S_BROKEN:
		puts("L4S there: broken, ECT(1) and CE have to arrive");
		break;
	case L4S_UNKNOWN:
	default:
		puts("ECN: not known, the far side does not say what arrives");
	}
}

static void print_reflector(const struct marks *marks)
{
	if (!marks_are_seen(marks)) {
		puts("A STAMP reflector without the class of service option (RFC 8972): it does\n"
		     "not say with which marks probes arrive.");
		return;
	}
	print_way(marks, "there", false);
	print_way(marks, "back", true);
	print_ecn(marks);
}

static void print_echo(const struct marks *marks)
{
	if (marks_are_returned(marks)) {
		print_way(marks, "round trip", true);
		puts("ECN: not known from an echo server; each way apart: echod's mode = stamp");
		return;
	}
	puts("All replies have the same DSCP: the far side does not return what it receives\n"
	     "(echod does with reflect_dscp = yes or mode = stamp), or the path clears it.");
}

static void print_answered(const struct marks *marks)
{
	struct mark_sums sums = marks_sum(marks);

	print_table(marks);
	if (marks->far == FAR_STAMP)
		print_reflector(marks);
	else
		print_echo(marks);
	printf("%" PRIu64 " sent, %" PRIu64 " received, %" PRIu64 " lost\n", sums.sent,
	       sums.received, sums.sent - sums.received);
}

void marks_print(const struct marks *marks)
{
	if (marks->far == FAR_SILENT)
		printf("no reply to any of %" PRIu64 " probes%s\n", marks_sum(marks).sent,
		       marks->refused > 0 ? ": refused, nothing listens there" : "");
	else
		print_answered(marks);
	if (marks->unfinished)
		puts("not finished: some marks were not tried, or not as often as the others");
}
