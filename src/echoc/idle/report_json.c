/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The JSON side of report.h: echoc(1) documents every name. */

#include "config.h"

#include "echoc/idle/report.h"

#include <math.h>
#include <stdio.h>

#include "echoc/say/json.h"
#include "echoc/say/report.h"

void idle_put_start(const struct idle_report *report, size_t waits)
{
	struct json json;

	report_begin_start(&json, report->arguments->mode->name, report->target, 0, NULL);
	json_unsigned(&json, "waits", waits);
	json_unsigned(&json, "up_to_ms", report->arguments->up_to_ms);
	json_bool(&json, "fresh", report->arguments->fresh);
	json_end(&json);
}

static void put_address(struct json *json, const char *name, const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	json_string(json, name, address->length > 0 ? address_format(address, text) : NULL);
}

void idle_put_flow(const struct idle_report *report, const struct silent_flow *flow)
{
	static const char *const fates[] = {[FATE_KEPT] = "kept",
					    [FATE_FORGOTTEN] = "forgotten",
					    [FATE_CLOSED] = "closed",
					    [FATE_PATH_DOWN] = "path down",
					    [FATE_UNANSWERED] = "unanswered"};
	static const char *const signs[] = {[SIGN_NONE] = NULL,
					    [SIGN_ADDRESS] = "address",
					    [SIGN_SILENCE] = "silence",
					    [SIGN_RESET] = "reset"};
	struct json json;

	json_begin(&json, stdout, "wait");
	json_unsigned(&json, "round", report->round);
	json_number(&json, "wait_s", (double)flow->wait / (double)NS_PER_S, 3);
	json_string(&json, "result", fates[flow->fate]);
	json_string(&json, "sign", flow->fate == FATE_FORGOTTEN ? signs[flow->sign] : NULL);
	put_address(&json, "seen_before", &flow->before);
	put_address(&json, "seen_after", &flow->after);
	json_end(&json);
}

static void put_seconds(struct json *json, const char *name, uint64_t ns)
{
	json_number(json, name, ns > 0 ? (double)ns / (double)NS_PER_S : (double)NAN, 3);
}

void idle_put_end(const struct idle_report *report, const struct memory *memory, bool located)
{
	struct json json;

	json_begin(&json, stdout, "summary");
	json_bool(&json, "complete", !report->unfinished);
	put_seconds(&json, "kept_s", memory->kept);
	put_seconds(&json, "forgotten_s", memory->forgotten);
	put_seconds(&json, "closed_s", memory->closed);
	put_seconds(&json, "keep_alive_s", memory_keep_alive(memory));
	json_unsigned(&json, "answered", memory->answered);
	json_unsigned(&json, "path_down", memory->unclear);
	json_bool(&json, "address_seen", located);
	json_end(&json);
}
