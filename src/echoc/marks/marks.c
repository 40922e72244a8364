/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* marks: what becomes of DSCP and ECN, each way. Owns the list and the socket; main calls it. */

#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/key_file.h"
#include "echoc/command/mode.h"
#include "echoc/command/signals.h"
#include "echoc/marks/exchange.h"
#include "echoc/marks/report.h"
#include "echoc/say/report.h"

static int set_form(struct stamp_form *form, struct hmac_key *key,
		    const struct arguments *arguments, struct reason *reason)
{
	*form = (struct stamp_form){.ssid = (uint16_t)arguments->ssid, .options = STAMP_ASKS_CLASS};
	if (arguments->key_file) {
		if (key_file_read(arguments->key_file, getuid(), key, reason) != KEY_FILE_READ)
			return -1;
		form->key = key;
	}
	form->size = stamp_least(form);
	return 0;
}

static void report_start(const struct marks *marks, const struct arguments *arguments,
			 const struct target *target, int fd)
{
	char own[ADDRESS_TEXT_MAX];

	if (arguments->json)
		marks_put_start(marks, arguments, target, target_own_text(fd, own));
	else
		marks_print_start(marks, arguments, target);
}

/* For the choice among several addresses of a name. */
static void write_question(const struct stamp_form *form, struct target *target,
			   uint8_t question[static STAMP_LEAST_MAX])
{
	const struct stamp_question first = {.error = STAMP_UNSYNCHRONISED_ESTIMATE};

	stamp_write(form, &first, question);
	target->question = question;
	target->question_size = form->size;
}

static int run(struct marks *marks, const struct arguments *arguments, struct target *target,
	       struct reason *reason)
{
	struct stamp_form form;
	struct hmac_key key;
	uint8_t question[STAMP_LEAST_MAX];
	struct reason why;
	int fd;

	if (marks_choose(marks, arguments->dscps, &why) < 0)
		return reason_set(reason, "--dscp %s: %s", arguments->dscps, why.text);
	if (set_form(&form, &key, arguments, reason) < 0)
		return -1;
	write_question(&form, target, question);
	fd = target_open(target, arguments->timeout_ms, reason);
	if (fd < 0)
		return -1;
	report_choice(target, reason, arguments->verbose);
	if (signals_catch(reason) < 0) {
		close(fd);
		return -1;
	}
	report_start(marks, arguments, target, fd);
	if (marks_exchange(marks, arguments, &form, target, fd, reason) < 0) {
		fprintf(stderr, "echoc: %s\n", reason->text);
		marks->unfinished = true;
	}
	close(fd);
	return 0;
}

static enum echoc_status status_of(const struct marks *marks)
{
	if (marks_clean(marks))
		return ECHOC_INTACT;
	return marks_sum(marks).sent > 0 || signals_caught() > 0 ? ECHOC_DAMAGED : ECHOC_UNABLE;
}

enum echoc_status marks_run(const struct arguments *arguments, struct target *target)
{
	struct reason reason;
	struct marks marks;

	if (run(&marks, arguments, target, &reason) < 0) {
		fprintf(stderr, "echoc: %s\n", reason.text);
		return ECHOC_UNABLE;
	}
	if (arguments->json)
		marks_put(&marks);
	else
		marks_print(&marks);
	return status_of(&marks);
}
