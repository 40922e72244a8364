/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * idle: how long NAT and firewalls remember a silent flow. A first round finds two waits that bound
 * it, a second one tries waits between these. Owns nothing; main calls it.
 */

#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/key_file.h"
#include "echoc/command/mode.h"
#include "echoc/command/signals.h"
#include "echoc/idle/report.h"
#include "echoc/idle/round.h"
#include "echoc/say/report.h"
#include "probe/receive.h"

#define CONNECT_MS 5000

struct idle {
	struct idle_report report;
	struct memory memory;
	size_t entered; /* flows that are done */
	bool located;	/* the far side reports the addresses of flows */
	struct stamp_form stamp;
	struct hmac_key key;
	struct silent_form form;
};

static void on_done(void *context, const struct silent_flow *flow)
{
	struct idle *idle = context;

	idle->entered++;
	idle->located |= flow->located;
	memory_enter(&idle->memory, flow->fate == FATE_CLOSED ? flow->closed : flow->wait,
		     flow->fate);
	if (idle->report.arguments->json)
		idle_put_flow(&idle->report, flow);
	else
		idle_print_flow(flow);
}

static int init(struct idle *idle, const struct arguments *arguments, struct target *target,
		struct reason *reason)
{
	*idle = (struct idle){.report = {arguments, target, 1, false}};
	idle->stamp = (struct stamp_form){.ssid = (uint16_t)arguments->ssid,
					  .options = STAMP_ASKS_LOCATION};
	if (arguments->key_file &&
	    key_file_read(arguments->key_file, getuid(), &idle->key, reason) != KEY_FILE_READ)
		return -1;
	idle->stamp.key = arguments->key_file ? &idle->key : NULL;
	idle->stamp.size = stamp_least(&idle->stamp);
	idle->form = (struct silent_form){.form = &idle->stamp,
					  .datagram = target->datagram,
					  .fresh = arguments->fresh,
					  .offset = wall_clock_offset()};
	return 0;
}

/* Which address of a name answers. */
static int choose_target(const struct idle *idle, struct target *target, struct reason *reason)
{
	const struct stamp_question first = {.error = STAMP_UNSYNCHRONISED_ESTIMATE};
	uint8_t question[STAMP_LEAST_MAX];
	int fd;

	stamp_write(&idle->stamp, &first, question);
	target->question = question;
	target->question_size = idle->stamp.size;
	fd = target_open(target, CONNECT_MS, reason);
	target->question = NULL;
	if (fd < 0)
		return -1;
	report_choice(target, reason, idle->report.arguments->verbose);
	close(fd);
	return 0;
}

static int run_both(struct idle *idle, uint64_t waits[static WAITS_MAX], size_t count,
		    struct reason *reason)
{
	const struct round round = {&idle->form, idle->report.target, CONNECT_MS, on_done, idle};

	if (round_run(&round, waits, count, reason) < 0)
		return -1;
	count = memory_waits_between(&idle->memory, waits);
	if (count == 0 || signals_caught() > 0)
		return 0;
	if (!idle->report.arguments->json)
		idle_print_again(&idle->memory);
	idle->report.round++;
	return round_run(&round, waits, count, reason);
}

static void run(struct idle *idle)
{
	const struct arguments *arguments = idle->report.arguments;
	uint64_t waits[WAITS_MAX];
	size_t count = memory_waits(arguments->up_to_ms * NS_PER_MS, waits);
	struct reason reason;
	int result;

	if (arguments->json)
		idle_put_start(&idle->report, count);
	else
		idle_print_start(&idle->report, count);
	result = run_both(idle, waits, count, &reason);
	if (result < 0)
		fprintf(stderr, "echoc: %s\n", reason.text);
	idle->report.unfinished = result < 0 || signals_caught() > 0;
	if (arguments->json)
		idle_put_end(&idle->report, &idle->memory, idle->located);
	else
		idle_print_end(&idle->report, &idle->memory, idle->located);
}

/* One that could not even begin is no finding. */
static enum echoc_status status_of(const struct idle *idle)
{
	const struct memory *memory = &idle->memory;

	if (memory->answered > memory->unclear && !idle->report.unfinished)
		return ECHOC_INTACT;
	return idle->entered > 0 || signals_caught() > 0 ? ECHOC_DAMAGED : ECHOC_UNABLE;
}

enum echoc_status idle_run(const struct arguments *arguments, struct target *target)
{
	struct reason reason;
	struct idle idle;

	if (init(&idle, arguments, target, &reason) < 0 ||
	    choose_target(&idle, target, &reason) < 0 || signals_catch(&reason) < 0) {
		fprintf(stderr, "echoc: %s\n", reason.text);
		return ECHOC_UNABLE;
	}
	run(&idle);
	return status_of(&idle);
}
