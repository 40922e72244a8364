/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echoc, the near side of an echo test: the command line names a mode, the target is looked up, the
 * mode runs.
 */

#include "config.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "echoc/command/command_line.h"
#include "echoc/command/help.h"
#include "echoc/command/mode.h"
#include "probe/probe.h"
#include "probe/target.h"

/*
 * So that no socket takes the number of a stream that we were started without. To read from or to
 * print on such a stream must fail all the same, hence the wrong direction; errors may get lost.
 */
static int open_missing_streams(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int stream = fcntl(fd, F_GETFD) < 0 ? open("/dev/null", modes[fd]) : fd;

		if (stream < 0) {
			perror("echoc: /dev/null");
			return -1;
		}
	}
	return 0;
}

static int flush_stdout(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fputs("echoc: cannot write all of it to standard output\n", stderr);
	return -1;
}

static enum echoc_status run(const struct arguments *arguments)
{
	struct target target;
	struct reason reason;

	setlocale(LC_CTYPE, "");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (target_resolve(&target, &arguments->target, arguments->size, &reason) < 0) {
		fprintf(stderr, "echoc: %s\n", reason.text);
		return ECHOC_UNABLE;
	}
	probe_prepare();
	return arguments->mode->run(arguments, &target);
}

int main(int argc, char *argv[])
{
	enum echoc_status status = ECHOC_INTACT;
	struct arguments arguments;

	if (open_missing_streams() < 0)
		return ECHOC_UNABLE;
	/* A service manager may ignore it, but we end with our reader. */
	(void)signal(SIGPIPE, SIG_DFL);
	if (command_line_parse(&arguments, mode_table, argc, argv) < 0)
		return ECHOC_UNABLE;
	if (arguments.version)
		printf("echoc %s\n", PACKAGE_VERSION);
	else if (arguments.help && arguments.mode)
		help_print(arguments.mode);
	else if (arguments.help)
		help_print_all(mode_table);
	else
		status = run(&arguments);
	/* A result that could not be written, on a full disk, must not look good. */
	if (flush_stdout() < 0 && status == ECHOC_INTACT)
		status = ECHOC_DAMAGED;
	return (int)status;
}
