/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The text side of report.h: a line for each flow, within 40 columns, and a verdict. */

#include "config.h"

#include "echoc/idle/report.h"

#include <stdio.h>

#include "base/units.h"

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

void idle_print_start(const struct idle_report *report, size_t waits)
{
	char up_to[DURATION_TEXT_MAX];

	printf("IDLE %s (%s) over %s: %zu %s flow%s, silent for up to %s\n", report->target->name,
	       report->target->text, report->target->protocol, waits,
	       report->arguments->fresh ? "fresh" : "established", waits == 1 ? "" : "s",
	       format_duration(report->arguments->up_to_ms, up_to));
}

static void print_forgotten(const struct silent_flow *flow)
{
	char text[ADDRESS_TEXT_MAX];

	switch (flow->sign) {
	case SIGN_ADDRESS:
		printf("forgotten: now %s\n", address_format(&flow->after, text));
		break;
	case SIGN_RESET:
		puts("forgotten: reset");
		break;
	case SIGN_NONE:
	case SIGN_SILENCE:
	default:
		puts("forgotten: no reply");
	}
}

void idle_print_flow(const struct silent_flow *flow)
{
	printf("silent %7.1f s: ", seconds(flow->wait));
	switch (flow->fate) {
	case FATE_KEPT:
		puts("kept");
		break;
	case FATE_FORGOTTEN:
		print_forgotten(flow);
		break;
	case FATE_CLOSED:
		printf("closed after %.1f s\n", seconds(flow->closed));
		break;
	case FATE_PATH_DOWN:
		puts("no reply, path is down");
		break;
	case FATE_UNANSWERED:
	default:
		puts("no reply at the start");
	}
}

void idle_print_again(const struct memory *memory)
{
	printf("between %.1f and %.1f s:\n", seconds(memory->kept), seconds(memory->forgotten));
}

/* What a flow that is kept may hide. */
static void print_limits(const struct idle_report *report, bool located)
{
	if (located)
		puts("A NAT that assigns the same port again, or a firewall that accepts the flow "
		     "as\na new one, is not noticed.");
	else if (report->target->datagram)
		puts("The far side does not report our address, so that a NAT may have assigned "
		     "another\none unnoticed: use a STAMP reflector (echod: mode = stamp).");
}

void idle_print_end(const struct idle_report *report, const struct memory *memory, bool located)
{
	putchar('\n');
	if (report->unfinished)
		puts("Not finished; so far:");
	if (memory->answered == 0) {
		puts(report->unfinished ? "no flow has a result" : "no reply to any flow");
		return;
	}
	if (memory->forgotten > 0)
		printf("Flows are forgotten when silent for %.1f to %.1f s.\n",
		       seconds(memory->kept), seconds(memory->forgotten));
	else if (memory->closed > 0)
		printf("The far side, or a proxy, closes connections silent for %.1f s.\n",
		       seconds(memory->closed));
	else
		printf("No flow was forgotten within %.1f s.\n", seconds(memory->kept));
	if (memory_keep_alive(memory) > 0)
		printf("Keep alive: send something at least every %.0f s.\n",
		       seconds(memory_keep_alive(memory)));
	if (memory->forgotten == 0)
		print_limits(report, located);
}
