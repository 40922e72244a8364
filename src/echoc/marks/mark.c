/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See mark.h. */

#include "config.h"

#include "echoc/marks/mark.h"

#include <string.h>

#include "base/units.h"
#include "probe/traffic_class.h"

#define LIST_MAX 512

/* Of the RFCs 2474, 2597, 3246, 5865 and 8622. */
static const uint8_t in_use[] = {0,  1,	 8,  10, 12, 14, 16, 18, 20, 22, 24, 26,
				 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56};

static void add(struct marks *marks, unsigned dscp, unsigned ecn)
{
	for (size_t i = 0; i < marks->count; i++) {
		if (marks->marks[i].dscp == dscp && marks->marks[i].ecn == ecn)
			return;
	}
	marks->marks[marks->count++] =
		(struct mark){.dscp = (uint8_t)dscp, .ecn = (uint8_t)ecn, .there = -1, .back = -1};
}

static int number(const char *text, uint64_t *value)
{
	struct reason ignored;

	return parse_unsigned(text, 0, DSCPS - 1, value, &ignored);
}

/* A number, a range or a name. */
static int add_item(struct marks *marks, char *item, struct reason *reason)
{
	char *dash = strchr(item, '-');
	uint64_t first, last;
	uint8_t tos;

	if (dash)
		*dash = '\0';
	if (number(item, &first) == 0 && number(dash ? dash + 1 : item, &last) == 0 &&
	    first <= last) {
		for (; first <= last; first++)
			add(marks, (unsigned)first, 0);
		return 0;
	}
	if (dash || traffic_class_parse(item, &tos, reason) < 0 || *item < 'a' ||
	    (tos & TRAFFIC_CLASS_ECN) != 0)
		return reason_set(reason,
				  "must be all, or numbers from 0 to 63, ranges of them and "
				  "names, with commas");
	add(marks, tos >> 2, 0);
	return 0;
}

static int add_list(struct marks *marks, const char *list, struct reason *reason)
{
	char copy[LIST_MAX], *rest = copy, *item;

	if (strcmp(list, "all") == 0)
		list = "0-63";
	if (strlen(list) >= sizeof(copy))
		return reason_set(reason, "too long");
	memcpy(copy, list, strlen(list) + 1);
	while ((item = strsep(&rest, ",")) != NULL) {
		if (add_item(marks, item, reason) < 0)
			return -1;
	}
	return 0;
}

int marks_choose(struct marks *marks, const char *list, struct reason *reason)
{
	memset(marks, 0, sizeof(*marks));
	if (list && add_list(marks, list, reason) < 0)
		return -1;
	for (size_t i = 0; !list && i < ARRAY_SIZE(in_use); i++)
		add(marks, in_use[i], 0);
	marks->dscps = marks->count;
	for (unsigned ecn = 1; ecn < ECNS; ecn++)
		add(marks, 0, ecn);
	return 0;
}

/* One that differs is worth more than those that do not. */
static bool note(int *noted, int tos, bool changed)
{
	if (changed || *noted < 0)
		*noted = tos;
	return changed;
}

void mark_enter(struct mark *mark, const struct mark_reply *reply)
{
	mark->received++;
	if (reply->there >= 0)
		mark->changed_there +=
			note(&mark->there, reply->there, reply->there != mark_tos(mark));
	if (reply->back >= 0)
		mark->changed_back +=
			note(&mark->back, reply->back, reply->back >> 2 != reply->back_dscp);
}

void mark_enter_again(struct mark *mark, const struct mark_reply *reply)
{
	mark->answered_again++;
	if (reply->there >= 0)
		mark->changed_there +=
			note(&mark->there, reply->there, reply->there != mark_tos(mark));
}

bool mark_is_worth_another_try(const struct marks *marks, const struct mark *mark)
{
	return marks->far == FAR_STAMP && mark->received == 0 && mark->dscp != 0;
}

/* The replies to ECN codepoints have no marks. */
enum way mark_lost_on(const struct marks *marks, const struct mark *mark)
{
	if (mark->sent == 0 || mark->received > 0)
		return WAY_NONE;
	if (marks->far == FAR_STAMP && mark->ecn != 0)
		return WAY_THERE;
	if (mark->sent_again == 0)
		return WAY_UNKNOWN;
	return mark->answered_again > 0 ? WAY_BACK : WAY_THERE;
}

bool marks_are_seen(const struct marks *marks)
{
	for (size_t i = 0; i < marks->count; i++) {
		if (marks->marks[i].there >= 0)
			return true;
	}
	return false;
}

bool marks_are_complete(const struct marks *marks)
{
	for (size_t i = 0; i < marks->dscps; i++) {
		const struct mark *mark = &marks->marks[i];

		if (mark->received > 0 && (mark->there < 0 || mark->back < 0))
			return false;
	}
	return true;
}

bool marks_are_returned(const struct marks *marks)
{
	int first = -1;

	for (size_t i = 0; i < marks->dscps; i++) {
		int back = marks->marks[i].back;

		if (back < 0)
			continue;
		if (first >= 0 && back >> 2 != first)
			return true;
		first = back >> 2;
	}
	return false;
}

static const struct mark *find(const struct marks *marks, unsigned ecn)
{
	const struct mark *mark = &marks->marks[marks->dscps];

	while (mark->ecn != ecn)
		mark++;
	return mark;
}

enum l4s marks_l4s(const struct marks *marks)
{
	const struct mark *tried[] = {find(marks, TRAFFIC_CLASS_ECT1),
				      find(marks, TRAFFIC_CLASS_CE)};
	enum l4s verdict = L4S_READY;

	if (marks->far != FAR_STAMP)
		return L4S_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(tried); i++) {
		if (tried[i]->received == 0 || tried[i]->changed_there > 0)
			verdict = L4S_BROKEN;
		else if (tried[i]->there < 0)
			return L4S_UNKNOWN;
	}
	return verdict;
}

struct mark_sums marks_sum(const struct marks *marks)
{
	struct mark_sums sums = {0};

	for (size_t i = 0; i < marks->count; i++) {
		const struct mark *mark = &marks->marks[i];

		sums.sent += mark->sent;
		sums.received += mark->received;
		sums.sent_again += mark->sent_again;
		sums.changed_there += mark->changed_there > 0;
		sums.changed_back += mark->changed_back > 0;
		sums.lost += mark->sent > 0 && mark->received == 0;
	}
	return sums;
}

bool marks_clean(const struct marks *marks)
{
	struct mark_sums sums = marks_sum(marks);

	if (marks->unfinished)
		return false;
	if (!(marks->far == FAR_STAMP ? marks_are_complete(marks) : marks_are_returned(marks)))
		return false;
	return sums.received == sums.sent && sums.changed_there == 0 && sums.changed_back == 0;
}
