/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echoc, the near side of an echo test: the command line names a mode, the target is looked up, the
 * mode runs.
 */

#include "config.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include "echoc/command/command_line.h"
#include "echoc/command/help.h"
#include "echoc/command/standard_streams.h"
#include "echoc/modes.h"
#include "probe/probe.h"
#include "probe/target.h"

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
	/* A service manager may have it ignored: we end with our reader. */
	(void)signal(SIGPIPE, SIG_DFL);
	if (command_line_parse(&arguments, modes, argc, argv) < 0)
		return ECHOC_UNABLE;
	if (arguments.version)
		printf("echoc %s\n", PACKAGE_VERSION);
	else if (arguments.help)
		help_print(modes);
	else
		status = run(&arguments);
	/* A result that nobody could read, for lack of space on the disk, must not look good. */
	if (flush_stdout() < 0 && status == ECHOC_INTACT)
		status = ECHOC_DAMAGED;
	return (int)status;
}
