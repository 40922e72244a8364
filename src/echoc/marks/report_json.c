/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The JSON side of report.h: echoc(1) documents every name. */

#include "config.h"

#include "echoc/marks/report.h"

#include <stdio.h>

#include "echoc/say/json.h"
#include "echoc/say/report.h"
#include "probe/traffic_class.h"

void marks_put_start(const struct marks *marks, const struct arguments *arguments,
		     const struct target *target, const char *own_address)
{
	struct json json;

	report_begin_start(&json, arguments->mode->name, target, 0, own_address);
	json_unsigned(&json, "marks", marks->count);
	json_unsigned(&json, "count", arguments->count);
	json_unsigned(&json, "interval_ms", arguments->interval_ms);
	json_unsigned(&json, "timeout_ms", arguments->timeout_ms);
	json_end(&json);
}

/* A TOS byte, -1 if it is not known, as two members. */
static void put_tos(struct json *json, const char *dscp, const char *ecn, int tos)
{
	if (tos < 0) {
		json_null(json, dscp);
		json_null(json, ecn);
		return;
	}
	json_unsigned(json, dscp, (unsigned)tos >> 2);
	json_unsigned(json, ecn, (unsigned)tos & TRAFFIC_CLASS_ECN);
}

static void put_mark(const struct marks *marks, const struct mark *mark)
{
	static const char *const ways[] = {[WAY_NONE] = NULL,
					   [WAY_UNKNOWN] = NULL,
					   [WAY_THERE] = "there",
					   [WAY_BACK] = "back"};
	char name[DSCP_NAME_MAX];
	struct json json;

	json_begin(&json, stdout, "mark");
	json_unsigned(&json, "dscp", mark->dscp);
	json_unsigned(&json, "ecn", mark->ecn);
	json_string(&json, "name", dscp_name(mark->dscp, name)[0] != '\0' ? name : NULL);
	json_unsigned(&json, "sent", mark->sent);
	json_unsigned(&json, "received", mark->received);
	json_unsigned(&json, "lost", mark->sent - mark->received);
	put_tos(&json, "dscp_seen", "ecn_seen", mark->there);
	put_tos(&json, "dscp_back", "ecn_back", mark->back);
	json_unsigned(&json, "changed_there", mark->changed_there);
	json_unsigned(&json, "changed_back", mark->changed_back);
	json_string(&json, "lost_way", ways[mark_lost_on(marks, mark)]);
	json_end(&json);
}

void marks_put(const struct marks *marks)
{
	static const char *const kinds[] = {
		[FAR_SILENT] = NULL, [FAR_STAMP] = "stamp", [FAR_ECHO] = "echo"};
	struct mark_sums sums = marks_sum(marks);
	struct json json;

	for (size_t i = 0; i < marks->count; i++)
		put_mark(marks, &marks->marks[i]);
	json_begin(&json, stdout, "summary");
	json_bool(&json, "complete", !marks->unfinished);
	json_string(&json, "far_side", kinds[marks->far]);
	json_unsigned(&json, "sent", sums.sent);
	json_unsigned(&json, "received", sums.received);
	json_unsigned(&json, "lost", sums.sent - sums.received);
	json_unsigned(&json, "sent_again", sums.sent_again);
	json_unsigned(&json, "refused", marks->refused);
	json_unsigned(&json, "marks_changed_there", sums.changed_there);
	json_unsigned(&json, "marks_changed_back", sums.changed_back);
	json_unsigned(&json, "marks_lost", sums.lost);
	if (marks->far == FAR_ECHO)
		json_bool(&json, "dscp_returned", marks_are_returned(marks));
	else
		json_null(&json, "dscp_returned");
	if (marks_l4s(marks) == L4S_UNKNOWN)
		json_null(&json, "l4s_there");
	else
		json_bool(&json, "l4s_there", marks_l4s(marks) == L4S_READY);
	json_end(&json);
}
