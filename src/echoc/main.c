/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echoc, the near side of an echo test. Nothing happens here: the command line says which mode, the
 * target is looked up, the mode runs.
 */

#include "config.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "echoc/bench/bench.h"
#include "echoc/command/arguments.h"
#include "echoc/ping/ping.h"
#include "echoc/send/send.h"
#include "probe/probe.h"
#include "probe/target.h"

static enum echoc_status run(const struct arguments *arguments, struct target *target)
{
	switch (arguments->mode) {
	case MODE_BENCH:
		return bench_run(arguments, target);
	case MODE_SEND:
		return send_run(arguments, target);
	case MODE_PING:
	default:
		return ping_run(arguments, target);
	}
}

/*
 * So that no socket takes the number of a stream that we were started without. To read from or to
 * print on such a stream must fail all the same, hence the wrong direction; errors may get lost.
 */
static void open_missing_streams(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int stream = fcntl(fd, F_GETFD) < 0 ? open("/dev/null", modes[fd]) : fd;

		if (stream < 0) {
			perror("echoc: /dev/null");
			exit(ECHOC_UNABLE);
		}
	}
}

/* A result that nobody could read, for lack of space on the disk, must not look like a good one. */
static int conclude(enum echoc_status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return (int)status;
	fputs("echoc: cannot write all of it to standard output\n", stderr);
	return (int)(status == ECHOC_INTACT ? ECHOC_DAMAGED : status);
}

int main(int argc, char *argv[])
{
	struct arguments arguments;
	struct target target;
	struct reason reason;

	open_missing_streams();
	/* A service manager may have it ignored: we outlive no reader. */
	(void)signal(SIGPIPE, SIG_DFL);
	if (arguments_parse(&arguments, argc, argv) < 0)
		return ECHOC_UNABLE;
	if (arguments.version) {
		printf("echoc %s\n", PACKAGE_VERSION);
		return conclude(ECHOC_INTACT);
	}
	if (arguments.help) {
		arguments_help();
		return conclude(ECHOC_INTACT);
	}
	setlocale(LC_CTYPE, "");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (target_resolve(&target, &arguments.target, arguments.size, &reason) < 0) {
		fprintf(stderr, "echoc: %s\n", reason.text);
		return ECHOC_UNABLE;
	}
	probe_prepare();
	return conclude(run(&arguments, &target));
}
