/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The reports of a bench: sums up what its threads hand in. Owns nothing beyond the struct.
 */

#include "config.h"

#include "echoc/bench/report.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "echoc/bench/live.h"
#include "echoc/bench/table.h"
#include "echoc/say/live_line.h"
#include "echoc/say/report.h"
#include "echoc/say/terminal.h"

#define LINE_SECONDS 10 /* between lines where there is no terminal */

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double seconds_between(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) / 1e9 : 0;
}

static void print_details(const struct bench *shared, int fd, const char *own_address)
{
	const struct target *target = shared->target;
	bool v6 = target->candidates[target->chosen].sa.sa_family == AF_INET6;
	socklen_t length = sizeof(int);
	int mtu, room;

	printf("from %s, run %016" PRIx64 "\n", own_address, shared->run);
	if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &length) ==
	    0)
		printf("path MTU, as far as the kernel knows: %d\n", mtu);
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &length) == 0)
		printf("receive buffer of a connection: %d bytes\n", room);
}

static void put_parameters(struct json *json, const struct arguments *arguments)
{
	json_unsigned(json, "size", arguments->size);
	json_unsigned(json, "connections", arguments->connections);
	json_unsigned(json, "depth", arguments->depth);
	json_optional(json, "rate", arguments->rate);
	json_unsigned(json, "duration_ms", arguments->duration_ms);
	json_unsigned(json, "timeout_ms", arguments->timeout_ms);
	json_unsigned(json, "threads", arguments->threads);
	json_bool(json, "gso", arguments->gso);
	json_bool(json, "connect", arguments->connect);
}

void bench_report_start(const struct bench *shared, int fd)
{
	const struct arguments *arguments = shared->arguments;
	char text[ADDRESS_TEXT_MAX];
	const char *own = target_own_text(fd, text);
	struct json json;

	if (arguments->json) {
		report_begin_start(&json, arguments->mode->name, shared->target, shared->run, own);
		put_parameters(&json, arguments);
		json_end(&json);
	} else if (arguments->verbose) {
		print_details(shared, fd, own);
	}
}

void bench_report_begin(struct bench_report *report, struct bench *shared)
{
	*report = (struct bench_report){.shared = shared,
					.reported = shared->start,
					.cpu_start = cpu_seconds(),
					.live = !shared->arguments->json && terminal_is(stdout)};
	report->cpu_before = report->cpu_start;
}

static void collect(struct bench_report *report, struct books *books)
{
	struct bench *shared = report->shared;

	pthread_mutex_lock(&shared->mutex);
	*books = shared->books;
	books_clear(&shared->books);
	pthread_mutex_unlock(&shared->mutex);
	books_merge(&report->total, books);
}

static double rate_of(double count, double seconds)
{
	return seconds > 0 ? count / seconds : (double)NAN;
}

static void put_rates(struct json *json, const struct arguments *arguments,
		      const struct books *books, const struct report_span *span)
{
	json_number(json, "messages_per_s", rate_of(span->messages, span->seconds), 1);
	json_number(json, "bytes_per_s", rate_of(span->bytes, span->seconds), 1);
	json_number(json, "duration_s", span->seconds, 3);
	json_unsigned(json, "connections", arguments->connections);
	json_unsigned(json, "unsent", books->unsent);
	json_number(json, "cpu_percent",
		    span->seconds > 0 ? 100.0 * span->cpu / span->seconds : (double)NAN, 1);
	json_bool(json, "client_was_limit", report_client_was_limit(span));
}

static void print_interval_json(const struct arguments *arguments, const struct books *books,
				const struct report_span *span)
{
	struct json json;

	report_begin_books(&json, "interval", books, span->elapsed);
	put_rates(&json, arguments, books, span);
	json_end(&json);
}

static void print_summary_json(const struct bench_report *report, const struct report_span *span)
{
	static const struct latency none;
	const struct books *total = &report->total;
	struct json json;

	report_begin_books(&json, "summary", total, span->elapsed);
	put_rates(&json, report->shared->arguments, total, span);
	report_put_tcp(&json, &report->tcp);
	report_put_latency(&json, "connect_us", report->connects ? report->connects : &none);
	report_put_buckets(&json, &total->latency);
	json_end(&json);
}

/* For a log: a line now and then, about the second before it. */
static void print_line(struct bench_report *report, const struct live_line *line)
{
	if (line->elapsed < (double)(report->lines + 1) * LINE_SECONDS)
		return;
	report->lines++;
	live_print(line);
}

static void print_interval(struct bench_report *report, const struct books *books, uint64_t until)
{
	const struct bench *shared = report->shared;
	double cpu = cpu_seconds();
	struct report_span span = {.seconds = seconds_between(report->reported, until),
				   .messages = (double)(books->received - books->received_after),
				   .bytes = (double)(books->bytes - books->bytes_after),
				   .elapsed = seconds_between(shared->start, until),
				   .cpu = cpu - report->cpu_before,
				   .threads = (unsigned)shared->arguments->threads};
	struct live_line line = {.elapsed = span.elapsed,
				 .duration = (double)shared->arguments->duration_ms / 1e3,
				 .span = &span,
				 .books = books,
				 .lost = report->total.lost};

	if (shared->arguments->json)
		print_interval_json(shared->arguments, books, &span);
	else if (report->live)
		live_draw(&line);
	else
		print_line(report, &line);
	report->cpu_before = cpu;
	report->reported = until;
}

void bench_report_interval(struct bench_report *report, uint64_t until)
{
	struct books books;

	collect(report, &books);
	print_interval(report, &books, until);
}

void bench_report_erase(const struct bench_report *report)
{
	if (report->live)
		live_line_erase();
}

/* As last handed in by the threads; it still counts in the interval it belongs to. */
void bench_report_progress(struct bench_report *report)
{
	struct bench *shared = report->shared;
	struct books sum = report->total;

	pthread_mutex_lock(&shared->mutex);
	books_merge(&sum, &shared->books);
	pthread_mutex_unlock(&shared->mutex);
	bench_report_erase(report);
	report_progress(stderr, &sum);
}

/*
 * The rate is that of what came back while we were sending: a reply that we then waited for would
 * make the time longer and add next to nothing. Unless that was nothing at all.
 */
static void measure_rate(const struct bench_report *report, struct report_span *span)
{
	const struct bench *shared = report->shared;
	const struct books *total = &report->total;
	uint64_t until = shared->sent_until;

	span->messages = (double)(total->received - total->received_after);
	span->bytes = (double)(total->bytes - total->bytes_after);
	if (total->received == total->received_after && total->received > 0) {
		span->messages = (double)total->received;
		span->bytes = (double)total->bytes;
		until = shared->last_heard;
	}
	span->seconds = seconds_between(shared->start, until);
}

static void print_problems(const struct bench *shared)
{
	char time[NUMBER_TEXT_MAX];

	if (shared->broken)
		fprintf(stderr, "echoc: cannot wait for events: the result is incomplete\n");
	if (shared->send_error != 0)
		fprintf(stderr, "echoc: sending failed: %s\n", strerror(shared->send_error));
	if (shared->connect_error != 0)
		fprintf(stderr, "echoc: connections failed, the last one: %s%s\n",
			strerror(shared->connect_error),
			shared->connect_error == EADDRNOTAVAIL
				? ": no local port is free: try a lower rate, -r"
				: "");
	if (shared->gso_refused)
		fprintf(stderr, "echoc: UDP GSO unavailable: datagrams sent one at a time\n");
	if (shared->held_up > 0)
		fprintf(stderr, "echoc: was itself stopped for %s, which round trips include\n",
			duration_text((double)shared->held_up, time));
	if (shared->given_up > 0)
		fprintf(stderr,
			"echoc: %" PRIu64 " still outstanding at the end of the wait, "
			"counted as lost\n",
			(uint64_t)shared->given_up);
}

enum echoc_status bench_report_end(struct bench_report *report)
{
	const struct bench *shared = report->shared;
	const struct arguments *arguments = shared->arguments;
	struct books *total = &report->total;
	struct report_span span = {.elapsed = seconds_between(shared->start, clock_ns()),
				   .cpu = cpu_seconds() - report->cpu_start,
				   .threads = (unsigned)arguments->threads};
	struct books last;

	collect(report, &last);
	total->late += total->late_before;
	assert(books_balance(total));
	measure_rate(report, &span);
	bench_report_erase(report);
	if (arguments->json) {
		/* So that they add up to the summary. */
		print_interval(report, &last, shared->sent_until);
		print_summary_json(report, &span);
		report_hint(stderr, shared->target, total, span.seconds);
	} else {
		bench_table_print(arguments, shared->target, total, report->connects, &span);
		report_tcp_text(&report->tcp);
	}
	print_problems(shared);
	return books_clean(total) && !shared->broken ? ECHOC_INTACT : ECHOC_DAMAGED;
}
