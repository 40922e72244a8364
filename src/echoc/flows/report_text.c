/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The result as text. A number with five digits or more has commas, except a source port, which
 * people search for. Owns nothing.
 */

#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "echoc/flows/findings.h"
#include "echoc/flows/flow_set.h"
#include "echoc/say/live_line.h"
#include "echoc/say/report.h"
#include "echoc/say/terminal.h"

#define WIDE 78
#define WIDEST 120
#define NARROW_ROW "%9s %5s %8s %8s %5s\n"
#define WIDE_ROW "%8s %6s %9s %9s %8s %8s %8s %8s %6s\n"
#define INDENT "      "

void flows_print_start(const struct flows *flows)
{
	const struct arguments *arguments = flows->arguments;
	char duration[DURATION_TEXT_MAX];
	char text[3][NUMBER_TEXT_MAX];

	printf("echoc flows: %s (%s) over %s for %s\n"
	       "%s source port%s, %s bytes, %s probes a second in all\n",
	       flows->target->name, flows->target->text, flows->target->protocol,
	       format_duration(arguments->duration_ms, duration),
	       number_text(arguments->flows, text[0]), arguments->flows == 1 ? "" : "s",
	       number_text(arguments->size, text[1]), number_text(arguments->rate, text[2]));
}

/* The books are not merged for it: with thousands of flows that would delay probes. */
void flows_draw_live(const struct flows *flows, uint64_t now)
{
	uint64_t sent = 0, received = 0, lost = 0;
	double elapsed = (double)(now - flows->schedule.start) / (double)NS_PER_S;
	char number[3][NUMBER_TEXT_MAX], text[5 * NUMBER_TEXT_MAX];
	size_t columns = terminal_columns(stdout);

	for (size_t i = 0; i < flows->count; i++) {
		sent += flows->ports[i].books.sent;
		received += flows->ports[i].books.received;
		lost += flows->ports[i].books.lost;
	}
	snprintf(text, columns < sizeof(text) ? columns : sizeof(text),
		 "%.0f/%.0f s: %s sent, %s received, %s lost", elapsed,
		 (double)flows->arguments->duration_ms / 1000, number_text(sent, number[0]),
		 number_text(received, number[1]), number_text(lost, number[2]));
	live_line_draw(text, (unsigned)strlen(text));
}

/* What percent that is: as many places as a small loss needs. */
static const char *loss_text(uint64_t lost, uint64_t sent, char text[static NUMBER_TEXT_MAX])
{
	double percent = 100.0 * (double)lost / (double)sent;

	if (sent == 0)
		snprintf(text, NUMBER_TEXT_MAX, "-");
	else
		snprintf(text, NUMBER_TEXT_MAX, "%.*f %%", percent > 0 && percent < 0.1 ? 3 : 1,
			 percent);
	return text;
}

static const char *ttl_text(const struct flow_class *class, char text[static NUMBER_TEXT_MAX])
{
	if (class->ttl_least == 0)
		snprintf(text, NUMBER_TEXT_MAX, "-");
	else if (class->ttl_least == class->ttl_most)
		snprintf(text, NUMBER_TEXT_MAX, "%u", class->ttl_least);
	else
		snprintf(text, NUMBER_TEXT_MAX, "%u-%u", class->ttl_least, class->ttl_most);
	return text;
}

static const char *extreme_text(const struct latency *latency, uint64_t ns,
				char text[static NUMBER_TEXT_MAX])
{
	return duration_text(latency->count > 0 ? (double)ns : (double)NAN, text);
}

static void print_row(const struct flow_class *class, bool wide)
{
	const struct latency *latency = &class->books.latency;
	char text[9][NUMBER_TEXT_MAX];
	const char *loss = loss_text(class->lost, class->books.sent, text[0]);
	const char *count = number_text(class->flows, text[1]);
	const char *lost = number_text(class->lost, text[2]);
	const char *p50 = duration_text(latency_percentile(latency, 50), text[3]);
	const char *ttl = ttl_text(class, text[4]);

	if (wide)
		printf(WIDE_ROW, loss, count, number_text(class->books.sent, text[5]), lost,
		       extreme_text(latency, latency->min, text[6]), p50,
		       duration_text(latency_percentile(latency, 99), text[7]),
		       extreme_text(latency, latency->max, text[8]), ttl);
	else
		printf(NARROW_ROW, loss, count, lost, p50, ttl);
}

static void print_ports(const struct flows *flows, const struct findings *findings, unsigned class,
			unsigned columns)
{
	unsigned used = 0;

	for (size_t i = 0; i < flows->count; i++) {
		if (findings->losses[i].class != class)
			continue;
		if (used == 0)
			used = (unsigned)printf(INDENT "ports");
		else if (used + sizeof(" 65535") - 1 > columns)
			used = (unsigned)printf("\n" INDENT "     ") - 1;
		used += (unsigned)printf(" %u", flows->ports[i].number);
	}
	putchar('\n');
}

static void print_table(const struct flows *flows, const struct findings *findings)
{
	const char *lost = flows->target->datagram ? "lost" : "held up";
	unsigned columns = terminal_columns(stdout);
	bool wide = columns >= WIDE;

	putchar('\n');
	if (wide)
		printf(WIDE_ROW, "loss", "flows", "sent", lost, "min", "p50", "p99", "max", "TTL");
	else
		printf(NARROW_ROW, "loss", "flows", lost, "p50", "TTL");
	for (unsigned i = 1; i <= findings->lossy_classes; i++) {
		print_row(&findings->classes[i], wide);
		print_ports(flows, findings, i, columns < WIDEST ? columns : WIDEST);
	}
	if (findings->classes[0].flows > 0)
		print_row(&findings->classes[0], wide);
}

static void print_paths(const struct findings *findings)
{
	const struct path_estimate *paths = &findings->paths;
	char text[NUMBER_TEXT_MAX];

	if (findings->paths_at_least < 2)
		return;
	printf("At least %s paths", number_text(findings->paths_at_least, text));
	if (findings->lossy > 0)
		printf("; about %.0f (%.1f to %.1f) if they share the flows evenly\n"
		       "and each lossy class above is one of them",
		       paths->paths, paths->low, paths->high);
	puts(".");
}

static void print_verdict(const struct flows *flows, const struct findings *findings)
{
	char text[2][NUMBER_TEXT_MAX], command[REPEAT_TEXT_MAX];
	size_t flow = findings_first_lossy(findings, flows);

	putchar('\n');
	if (findings->lossy > 0)
		printf("%s of %s flows lose%s more than the others.\n",
		       number_text(findings->lossy, text[0]), number_text(flows->count, text[1]),
		       findings->lossy == 1 ? "s" : "");
	else if (findings->sum.sent == 0)
		puts("Nothing was sent.");
	else if (findings->classes[0].lost > 0)
		puts("No flow loses more than the others.");
	else
		puts("No flow lost anything.");
	print_paths(findings);
	if (findings_repeat(flows, flow, command))
		printf("To repeat a lossy flow: %s\n", command);
}

struct incident {
	uint64_t count;
	const char *one;
	const char *many;
};

/* Here and not report_incidents(), which does not write large numbers with commas. */
static void print_incidents(const struct books *sum)
{
	const struct incident incidents[] = {
		{sum->late, "reply came late", "replies came late"},
		{sum->duplicates, "duplicate", "duplicates"},
		{sum->corrupt, "reply corrupt", "replies corrupt"},
		{sum->truncated, "reply truncated", "replies truncated"},
		{sum->unexpected, "unexpected reply", "unexpected replies"},
		{sum->reconnects, "reconnect", "reconnects"},
		{sum->refused, "time refused: nothing listens there",
		 "times refused: nothing listens there"},
		{sum->icmp_errors, "ICMP error", "ICMP errors"},
		{sum->own_drops, "dropped by our own socket's buffer, not by the network",
		 "dropped by our own sockets' buffers, not by the network"},
		{sum->unsent, "could not be sent", "could not be sent"},
		{sum->skipped, "not sent: echoc was stopped or held up",
		 "not sent: echoc was stopped or held up"},
	};
	char text[NUMBER_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(incidents); i++) {
		const struct incident *incident = &incidents[i];

		if (incident->count > 0)
			printf("%s %s\n", number_text(incident->count, text),
			       incident->count == 1 ? incident->one : incident->many);
	}
}

void flows_print_end(const struct flows *flows, const struct findings *findings)
{
	const struct books *sum = &findings->sum;

	print_table(flows, findings);
	print_verdict(flows, findings);
	print_incidents(sum);
	if (sum->icmp_errors > 0)
		printf("The last ICMP error was %s\n", flows->icmp);
	if (sum->unsent > 0)
		printf("The last one could not be sent: %s\n", strerror(flows->send_error));
	report_hint(stdout, flows->target, &findings->classes[0].books, findings->seconds);
}
