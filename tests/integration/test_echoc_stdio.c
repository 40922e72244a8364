/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Standard input and output that cannot be used, closed ones among them: whatever echoc could not
 * read or write must show in its exit status.
 */

#include "config.h"

#include "integration/faulty_server.h"
#include "integration/harness.h"

static const struct {
	const char *arguments;
	const char *redirection;
	int status;
	const char *error;
} runs[] = {
	{"ping -c 1 -W 20s $TARGET", ">&-", 1, "cannot write all of it"},
	{"ping --json -c 1 -W 20s $TARGET", ">&-", 1, "cannot write all of it"},
	{"ping -q -c 1 -W 20s $TARGET", ">/dev/full", 1, "cannot write all of it"},
	{"bench -d 50ms $TARGET", ">&-", 1, "cannot write all of it"},
	{"bench --json -d 50ms $TARGET", ">&-", 1, "cannot write all of it"},
	{"send $TARGET hello", ">&-", 1, "cannot write to standard output"},
	{"send --json $TARGET hello", ">&-", 1, "cannot write all of it"},
	{"--version", ">&-", 1, "cannot write all of it"},
	{"--help", ">&-", 1, "cannot write all of it"},
	{"send $TARGET", "<&-", 1, "cannot read standard input: Bad file descriptor"},
	{"send $TARGET", "</", 1, "cannot read standard input: Is a directory"},
	{"send $TARGET hello", "<&-", 0, ""},
	{"ping -q -c 1 -W 20s $TARGET", "<&-", 0, ""},
	{"ping -q -c 1 -W 20s $TARGET", "<&- >&- 2>&-", 1, ""},
	{"bench -d 50ms $TARGET", "2>&-", 0, ""},
};

/* What it wrote to standard error; its output goes where the redirection says, or nowhere. */
TEST_EACH(what_cannot_be_read_or_written_shows_in_the_exit_status, ARRAY_SIZE(runs))
{
	char command[512], errors[1024] = "";
	FILE *shell;
	int status;

	setenv("ECHOC", "./echoc", 0);
	setenv("TARGET", FAULTY(.fault = FAULT_NONE), 1);
	snprintf(command, sizeof(command), "exec \"$ECHOC\" %s 2>&1 >/dev/null %s",
		 runs[_i].arguments, runs[_i].redirection);
	shell = popen(command, "r");
	ck_assert_ptr_nonnull(shell);
	errors[fread(errors, 1, sizeof(errors) - 1, shell)] = '\0';
	status = pclose(shell);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == runs[_i].status, "%s: %x: %s",
		      command, (unsigned)status, errors);
	ck_assert_msg(strstr(errors, runs[_i].error), "%s: %s", command, errors);
}
