/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The lines and objects of mtu: echoc(1) documents each. Owns nothing.
 */

#include "config.h"

#include "echoc/mtu/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "echoc/say/json.h"
#include "echoc/say/report.h"
#include "echoc/say/terminal.h"

/* With a larger one, as on loopback, segments are at most half the window: that is no finding. */
#define MTU_JUDGED 16384

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

void mtu_report_start(const struct mtu_report *report, int fd)
{
	const struct arguments *arguments = report->arguments;
	char own[ADDRESS_TEXT_MAX];
	struct json json;

	if (!arguments->json) {
		printf("echoc mtu: %s (%s) over %s\n", report->target->name, report->target->text,
		       report->target->protocol);
		return;
	}
	report_begin_start(&json, arguments->mode->name, report->target, 0,
			   target_own_text(fd, own));
	json_unsigned(&json, "timeout_ms", arguments->timeout_ms);
	json_end(&json);
}

static void put_size(const struct outcome *outcome)
{
	struct json json;

	json_begin(&json, stdout, "size");
	json_unsigned(&json, "bytes", outcome->size);
	json_bool(&json, "passed", outcome->passed);
	json_unsigned(&json, "sent", outcome->sent);
	json_number(&json, "rtt_us",
		    outcome->passed ? (double)outcome->rtt / (double)NS_PER_US : (double)NAN, 3);
	json_optional(&json, "fragment", outcome->fragment);
	json_optional(&json, "told_mtu", outcome->too_large ? outcome->mtu : 0);
	json_string(&json, "told_by", or_null(outcome->by));
	json_end(&json);
}

static void print_size(const struct outcome *outcome)
{
	char text[NUMBER_TEXT_MAX];

	printf("  %zu: ", outcome->size);
	if (outcome->passed && outcome->fragment > 0)
		printf("passes, time=%s ms, back in fragments of %zu\n",
		       ms_text((double)outcome->rtt, text), outcome->fragment);
	else if (outcome->passed)
		printf("passes, time=%s ms\n", ms_text((double)outcome->rtt, text));
	else if (outcome->too_large)
		printf("too large, MTU %u, told by %s\n", outcome->mtu,
		       outcome->by[0] != '\0' ? outcome->by : "our own interface");
	else if (outcome->error[0] != '\0')
		printf("%s\n", outcome->error);
	else
		printf("no reply to %u\n", outcome->sent);
}

void mtu_report_size(void *context, const struct outcome *outcome)
{
	const struct mtu_report *report = context;

	if (report->arguments->json)
		put_size(outcome);
	else if (report->arguments->verbose)
		print_size(outcome);
}

static const char *verdict_of(const struct mtu_report *report, const struct there *there)
{
	if (report->unfinished)
		return "incomplete";
	if (!there->answered)
		return "no reply";
	if (there->search.passed >= there->search.limit)
		return "clear";
	return there_is_black_hole(there) ? "black hole" : "told";
}

static void print_there(const struct there *there, const struct prober *prober)
{
	size_t largest = there->search.passed;

	if (!there->answered)
		printf("no reply to the smallest packet, %zu bytes%s%s\n", prober_least(prober),
		       there->error[0] != '\0' ? ": " : "", there->error);
	else if (largest >= there->search.limit)
		printf("there %zu, as large as our own interface allows\n", largest);
	else if (there_is_black_hole(there))
		printf("there %zu, black hole: %zu and more vanish, nobody says so\n", largest,
		       largest + 1);
	else
		printf("there %zu, told by %s\n", largest,
		       there->by[0] != '\0' ? there->by : "a router");
}

static void print_back(const struct there *there, const struct back *back)
{
	if (!there->answered)
		return;
	if (back->known && back->at_most > back->at_least)
		printf("back %zu, at most %zu\n", back->at_least, back->at_most);
	else if (back->known)
		printf("back %zu\n", back->at_least);
	else
		printf("back unknown, at least %zu\n", back->at_least);
	if (!back->known && there_is_black_hole(there))
		puts("The black hole may be on either way: on the way back, too.");
}

/* The way there is known once its search is over. */
static void print_unfinished(const struct there *there, const struct prober *prober)
{
	if (!there->answered) {
		printf("not finished: no reply to the smallest packet so far, %zu bytes\n",
		       prober_least(prober));
	} else if (search_next(&there->search) != 0) {
		printf("there at least %zu: not finished\n", there->search.passed);
	} else {
		print_there(there, prober);
		puts("back not finished");
	}
}

static double elapsed(const struct mtu_report *report)
{
	return (double)(clock_ns() - report->started) / (double)NS_PER_S;
}

static void put_datagrams(const struct mtu_report *report, const struct there *there,
			  const struct back *back, const struct prober *prober)
{
	bool hole = there->answered && !report->unfinished && there_is_black_hole(there);
	struct json json;

	json_begin(&json, stdout, "summary");
	json_number(&json, "elapsed_s", elapsed(report), 3);
	json_bool(&json, "complete", !report->unfinished);
	json_string(&json, "verdict", verdict_of(report, there));
	json_optional(&json, "there", there->search.passed);
	json_optional(&json, "interface_mtu", there->interface);
	json_string(&json, "told_by", or_null(there->by));
	json_optional(&json, "told_mtu", there->search.told);
	json_optional(&json, "back", back->known ? back->at_least : 0);
	json_optional(&json, "back_at_least", back->at_least);
	json_optional(&json, "back_at_most", back->at_most);
	json_string(&json, "hole", !hole ? NULL : back->known ? "there" : "either way");
	json_string(&json, "error", or_null(there->error));
	json_unsigned(&json, "sent", prober->sent);
	json_unsigned(&json, "received", prober->received);
	json_end(&json);
}

enum echoc_status mtu_report_datagrams(const struct mtu_report *report, const struct there *there,
				       const struct back *back, const struct prober *prober)
{
	if (report->arguments->json) {
		put_datagrams(report, there, back, prober);
	} else if (report->unfinished) {
		print_unfinished(there, prober);
	} else {
		print_there(there, prober);
		print_back(there, back);
	}
	return there->answered && !there_is_black_hole(there) && !report->unfinished
		       ? ECHOC_INTACT
		       : ECHOC_DAMAGED;
}

static bool is_clamped(const struct segments *segments)
{
	return segments_packet(segments) < segments->interface && segments->interface <= MTU_JUDGED;
}

static const char *segments_verdict(const struct mtu_report *report,
				    const struct segments *segments)
{
	if (report->unfinished)
		return "incomplete";
	if (segments->corrupt)
		return "corrupt";
	if (!segments->answered)
		return "no reply";
	if (segments->stall != STALL_NONE)
		return "black hole";
	if (segments->path_mtu < segments->interface)
		return "told";
	return is_clamped(segments) ? "clamped" : "clear";
}

static void put_segments(const struct mtu_report *report, const struct segments *segments)
{
	static const char *const ways[] = {NULL, "there", "back"};
	bool passed = segments->answered && segments->stall == STALL_NONE && !segments->corrupt &&
		      !report->unfinished;
	struct json json;

	json_begin(&json, stdout, "summary");
	json_number(&json, "elapsed_s", elapsed(report), 3);
	json_bool(&json, "complete", !report->unfinished);
	json_string(&json, "verdict", segments_verdict(report, segments));
	json_optional(&json, "there", passed ? segments_packet(segments) : 0);
	json_unsigned(&json, "interface_mtu", segments->interface);
	json_unsigned(&json, "mss", segments->mss);
	json_unsigned(&json, "mss_received", segments->received);
	json_unsigned(&json, "path_mtu", segments->path_mtu);
	json_unsigned(&json, "path_mtu_before", segments->known_mtu);
	json_string(&json, "stalled", ways[segments->stall]);
	json_unsigned(&json, "retransmits", segments->retransmits);
	json_end(&json);
}

static const char *reason_of(const struct segments *segments)
{
	if (segments->known_mtu < segments->interface)
		return "the path MTU that this host knew already";
	if (segments->path_mtu < segments->interface)
		return "told by a router";
	if (is_clamped(segments))
		return "by the MSS of the far side, its own or clamped on the way";
	if (segments_packet(segments) < segments->interface)
		return "nothing in the way";
	return "as large as our own interface allows";
}

static void print_stall(const struct segments *segments)
{
	printf("black hole: full segments of %zu bytes, packets of %zu, stall on the way %s;\n"
	       "small ones pass\n",
	       segments->mss, segments_packet(segments),
	       segments->stall == STALL_THERE ? "there" : "back");
}

static void print_segments(const struct mtu_report *report, const struct segments *segments)
{
	if (report->unfinished)
		puts("not finished");
	else if (segments->corrupt)
		puts("corrupt: what came back is not what was sent");
	else if (!segments->answered)
		puts("no reply to a small message");
	else if (segments->stall != STALL_NONE)
		print_stall(segments);
	else
		printf("there %zu, MSS %zu: %s\n"
		       "back segments of up to %zu bytes\n",
		       segments_packet(segments), segments->mss, reason_of(segments),
		       segments->received);
	if (segments->retransmits > 0)
		printf("%" PRIu64 " retransmit%s\n", segments->retransmits,
		       segments->retransmits == 1 ? "" : "s");
}

enum echoc_status mtu_report_segments(const struct mtu_report *report,
				      const struct segments *segments)
{
	if (report->arguments->json)
		put_segments(report, segments);
	else
		print_segments(report, segments);
	return segments->answered && !segments->corrupt && segments->stall == STALL_NONE &&
			       !report->unfinished
		       ? ECHOC_INTACT
		       : ECHOC_DAMAGED;
}
