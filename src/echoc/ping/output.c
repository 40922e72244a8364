/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The lines of ping. Owns nothing; ping calls it for each probe.
 */

#include "config.h"

#include "echoc/ping/output.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "echoc/say/json.h"
#include "echoc/say/report.h"
#include "echoc/say/terminal.h"
#include "echoc/say/wall_clock.h"

#define EXCERPT_MAX 24

static void put_parameters(struct json *json, const struct ping_output *output)
{
	const struct arguments *arguments = output->arguments;

	json_string(json, "probes", output->kind);
	json_unsigned(json, "size", output->size);
	json_optional(json, "count", arguments->count);
	json_unsigned(json, "interval_ms", arguments->interval_ms);
	json_unsigned(json, "timeout_ms", arguments->timeout_ms);
	json_optional(json, "deadline_ms", arguments->deadline_ms);
	json_optional(json, "report_ms", arguments->report_ms);
	json_unsigned(json, "outage", arguments->outage > 0 ? arguments->outage : OUTAGE_DEFAULT);
	json_bool(json, "quiet", arguments->quiet);
}

void ping_output_clock(const struct ping_output *output, FILE *out, uint64_t time)
{
	char text[WALL_CLOCK_TEXT_MAX];

	if (output->arguments->wall_clock)
		fprintf(out, "%s ", wall_clock_local(time, text));
}

void ping_output_start(const struct ping_output *output, uint64_t run, const char *own_address)
{
	const struct arguments *arguments = output->arguments;
	char interval[DURATION_TEXT_MAX];
	struct json json;

	if (arguments->json) {
		report_begin_start(&json, arguments->mode->name, output->target, run, own_address);
		put_parameters(&json, output);
		json_end(&json);
		return;
	}
	ping_output_clock(output, stdout, clock_ns());
	printf("%s %s (%s) over %s: %zu bytes every %s\n", output->title, output->target->name,
	       output->target->text, output->target->protocol, output->size,
	       format_duration(arguments->interval_ms, interval));
	if (arguments->verbose && own_address)
		printf("from %s, run %016" PRIx64 "\n", own_address, run);
}

static const char *reply_type(const struct ping_reply *reply)
{
	if (reply->fate == FATE_LATE)
		return "late";
	if (reply->fate == FATE_DUPLICATE)
		return "duplicate";
	if (reply->finding.verdict == VERDICT_CORRUPT)
		return "corrupt";
	return reply->finding.verdict == VERDICT_TRUNCATED ? "truncated" : "reply";
}

static void put_finding(struct json *json, const struct finding *finding)
{
	if (finding->verdict == VERDICT_INTACT)
		return;
	json_unsigned(json, "offset", finding->offset);
	if (finding->verdict == VERDICT_TRUNCATED)
		return;
	json_byte(json, "expected", finding->expected);
	json_byte(json, "got", finding->got);
	if (finding->inserted > 0)
		json_unsigned(json, "inserted", finding->inserted);
}

static void print_reply_json(const struct ping_output *output, const struct ping_reply *reply)
{
	struct json json;

	json_begin(&json, stdout, reply_type(reply));
	json_unsigned(&json, "seq", reply->sequence);
	json_unsigned(&json, "bytes", reply->bytes);
	json_number(&json, "rtt_us", (double)reply->rtt / (double)NS_PER_US, 3);
	if (reply->reception.ttl >= 0)
		json_unsigned(&json, "ttl", (uint64_t)reply->reception.ttl);
	else
		json_null(&json, "ttl");
	json_string(&json, "from", output->target->text);
	put_finding(&json, &reply->finding);
	if (reply->report->present)
		far_report_put(reply->report, &json);
	json_end(&json);
}

static void print_byte(const char *name, int byte)
{
	if (byte < 0)
		printf("%s nothing", name);
	else
		printf("%s %02x", name, (unsigned)byte);
}

static void print_finding(const struct finding *finding)
{
	if (finding->verdict == VERDICT_TRUNCATED)
		printf(" truncated at %" PRIu64, finding->offset);
	if (finding->verdict != VERDICT_CORRUPT)
		return;
	printf(" corrupt at offset %" PRIu64 ":", finding->offset);
	print_byte(" expected", finding->expected);
	print_byte(", got", finding->got);
	if (finding->inserted > 0)
		printf(" (%" PRIu64 " byte%s came before the reply: a greeting or a prefix?)",
		       finding->inserted, finding->inserted == 1 ? "" : "s");
}

void ping_output_reply(const struct ping_output *output, const struct ping_reply *reply)
{
	char time[NUMBER_TEXT_MAX];

	if (output->arguments->quiet)
		return;
	if (output->arguments->json) {
		print_reply_json(output, reply);
		return;
	}
	ping_output_clock(output, stdout, reply->reception.time);
	printf("%zu bytes from %s: seq=%" PRIu64 " time=%s ms", reply->bytes, output->target->text,
	       reply->sequence, ms_text((double)reply->rtt, time));
	if (output->arguments->verbose && reply->reception.ttl >= 0)
		printf(" ttl=%d", reply->reception.ttl);
	if (output->arguments->verbose) {
		printf(" clock=%s", reply->reception.by_kernel ? "kernel" : "own");
		far_report_print(reply->report);
	}
	if (reply->fate != FATE_RECEIVED)
		printf(" %s", reply->fate == FATE_LATE ? "late" : "duplicate");
	print_finding(&reply->finding);
	putchar('\n');
}

void ping_output_lost(const struct ping_output *output, uint64_t sequence, const char *why)
{
	struct json json;

	if (output->arguments->quiet)
		return;
	if (!output->arguments->json) {
		ping_output_clock(output, stdout, clock_ns());
		printf("no reply from %s: seq=%" PRIu64 " lost (%s)\n", output->target->text,
		       sequence, why);
		return;
	}
	json_begin(&json, stdout, "lost");
	json_unsigned(&json, "seq", sequence);
	json_string(&json, "reason", why);
	json_end(&json);
}

void ping_output_unexpected(const struct ping_output *output, const unsigned char *data,
			    size_t length)
{
	struct json json;

	if (output->arguments->quiet)
		return;
	if (output->arguments->json) {
		json_begin(&json, stdout, "unexpected");
		json_unsigned(&json, "bytes", length);
		json_end(&json);
		return;
	}
	ping_output_clock(output, stdout, clock_ns());
	printf("%zu bytes from %s: unexpected, no probe of this run", length, output->target->text);
	if (length > 0)
		printf(": \"");
	for (size_t i = 0; i < length && i < EXCERPT_MAX; i++)
		putchar(isprint(data[i]) ? data[i] : '.');
	printf("%s\n", length > 0 ? "\"" : "");
}

void ping_output_note(const struct ping_output *output, const char *what, int error)
{
	if (output->arguments->quiet)
		return;
	ping_output_clock(output, stderr, clock_ns());
	fprintf(stderr, "echoc: %s: %s%s%s\n", output->target->text, what, error != 0 ? ": " : "",
		error != 0 ? strerror(error) : "");
}
