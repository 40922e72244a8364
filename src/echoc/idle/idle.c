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
#include "echoc/idle/report.h"
#include "echoc/idle/round.h"
#include "probe/receive.h"

#define CONNECT_MS 5000

struct idle {
	struct idle_report report;
	struct memory memory;
	bool located; /* the far side reports the addresses of flows */
	struct stamp_form stamp;
	struct hmac_key key;
	struct silent_form form;
};

static void on_done(void *context, const struct silent_flow *flow)
{
	struct idle *idle = context;

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
	*idle = (struct idle){.report = {arguments, target, 1}};
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
	close(fd);
	return 0;
}

static int run(struct idle *idle, struct reason *reason)
{
	const struct arguments *arguments = idle->report.arguments;
	const struct round round = {&idle->form, idle->report.target, CONNECT_MS, on_done, idle};
	uint64_t waits[WAITS_MAX];
	size_t count = memory_waits(arguments->up_to_ms * NS_PER_MS, waits);

	if (arguments->json)
		idle_put_start(&idle->report, count);
	else
		idle_print_start(&idle->report, count);
	if (round_run(&round, waits, count, reason) < 0)
		return -1;
	count = memory_waits_between(&idle->memory, waits);
	if (count == 0)
		return 0;
	if (!arguments->json)
		idle_print_again(&idle->memory);
	idle->report.round++;
	return round_run(&round, waits, count, reason);
}

enum echoc_status idle_run(const struct arguments *arguments, struct target *target)
{
	struct reason reason;
	struct idle idle;

	if (init(&idle, arguments, target, &reason) < 0 ||
	    choose_target(&idle, target, &reason) < 0 || run(&idle, &reason) < 0) {
		fprintf(stderr, "echoc: %s\n", reason.text);
		return ECHOC_UNABLE;
	}
	if (arguments->json)
		idle_put_end(&idle.memory, idle.located);
	else
		idle_print_end(&idle.report, &idle.memory, idle.located);
	return idle.memory.answered > idle.memory.unclear ? ECHOC_INTACT : ECHOC_DAMAGED;
}
