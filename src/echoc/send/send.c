/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * send: gets the bytes from the command line or standard input, exchanges them, reports the result.
 * Owns the sender; main calls it.
 */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "echoc/command/mode.h"
#include "echoc/command/signals.h"
#include "echoc/say/report.h"
#include "echoc/say/terminal.h"
#include "echoc/send/sender.h"

/* The words of the command line, with a blank between them, as echo(1) does it. */
static int join_texts(struct sender *sender)
{
	const struct arguments *arguments = sender->arguments;
	size_t length = 0;
	char *at;

	if (arguments->text_count == 0)
		return 0;
	for (size_t i = 0; i < arguments->text_count; i++)
		length += strlen(arguments->texts[i]) + 1;
	sender->text = malloc(length);
	if (!sender->text)
		return -1;
	at = sender->text;
	for (size_t i = 0; i < arguments->text_count; i++) {
		at = stpcpy(at, arguments->texts[i]);
		*at++ = ' ';
	}
	sender->text_length = length - 1;
	return 0;
}

static int carry(struct sender *sender, struct reason *reason)
{
	if (sender->target->datagram)
		return send_datagrams(sender, reason);
	return send_stream(sender, reason);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void print_bytes(uint64_t count, const char *what)
{
	if (count > 0)
		fprintf(stderr, "echoc: %" PRIu64 " byte%s %s\n", count, plural(count), what);
}

static void print_result(const struct sender *sender, double seconds)
{
	const struct books *books = &sender->books;
	bool waited = sender->timed_out;
	char wait[DURATION_TEXT_MAX], time[NUMBER_TEXT_MAX];

	if (books->lost > 0 || sender->cut_short)
		fprintf(stderr, "echoc: %" PRIu64 " of %" PRIu64 " byte%s came back%s%s%s\n",
			books->received, books->sent, plural(books->sent),
			sender->cut_short ? "; not all was sent" : "", waited ? ", waited " : "",
			waited ? format_duration(sender->arguments->timeout_ms, wait) : "");
	print_bytes(books->late, "came back late");
	print_bytes(books->duplicates, "came back again");
	print_bytes(sender->extra,
		    sender->extra == 1 ? "came that was never sent" : "came that were never sent");
	print_bytes(books->corrupt, "came back altered");
	if (sender->arguments->verbose)
		fprintf(stderr,
			"%" PRIu64 " byte%s sent to %s over %s, %" PRIu64 " came back, in %s\n",
			books->sent, plural(books->sent), sender->target->text,
			sender->target->protocol, books->received,
			duration_text(seconds * 1e9, time));
}

/* So that the shell's prompt starts on a line of its own. */
static void end_line(const struct sender *sender)
{
	if (sender->last_printed != '\0' && sender->last_printed != '\n' && terminal_is(stdout))
		putchar('\n');
}

static void print_json(const struct sender *sender, double seconds)
{
	struct json json;

	report_begin_books(&json, "summary", &sender->books, seconds);
	report_end_books(&json, &sender->books);
}

static enum echoc_status finish(struct sender *sender, double seconds, bool failed)
{
	struct books *books = &sender->books;

	end_line(sender);
	books->unexpected = sender->extra;
	if (sender->arguments->json)
		print_json(sender, seconds);
	else
		print_result(sender, seconds);
	return books_clean(books) && !sender->cut_short && !failed ? ECHOC_INTACT : ECHOC_DAMAGED;
}

static void print_start_json(const struct sender *sender)
{
	const struct arguments *arguments = sender->arguments;
	char own[ADDRESS_TEXT_MAX];
	struct json json;

	report_begin_start(&json, arguments->mode->name, sender->target, 0,
			   target_own_text(sender->fd, own));
	json_unsigned(&json, "timeout_ms", arguments->timeout_ms);
	json_end(&json);
}

static int start(struct sender *sender, struct reason *reason)
{
	if (join_texts(sender) < 0)
		return reason_set(reason, "out of memory");
	sender->fd = target_open(sender->target, sender->arguments->timeout_ms, reason);
	if (sender->fd < 0 || signals_catch(reason) < 0)
		return -1;
	if (sender->arguments->json)
		print_start_json(sender);
	return 0;
}

enum echoc_status send_run(const struct arguments *arguments, struct target *target)
{
	struct sender sender = {.arguments = arguments, .target = target, .fd = -1};
	enum echoc_status status = ECHOC_UNABLE;
	uint64_t started = clock_ns();
	struct reason reason;

	if (start(&sender, &reason) == 0) {
		bool failed = carry(&sender, &reason) < 0;

		if (failed)
			fprintf(stderr, "echoc: %s\n", reason.text);
		status = finish(&sender, (double)(clock_ns() - started) / 1e9, failed);
	} else {
		fprintf(stderr, "echoc: %s\n", reason.text);
	}
	if (sender.fd >= 0)
		close(sender.fd);
	free(sender.text);
	return status;
}
