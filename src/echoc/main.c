/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echoc, the near side of an echo test. Nothing happens here: the command line says which mode, the
 * target is looked up, the mode runs.
 */

#include "config.h"

#include <locale.h>
#include <stdio.h>

#include "arguments.h"
#include "bench.h"
#include "ping.h"
#include "probe.h"
#include "send.h"
#include "target.h"

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

int main(int argc, char *argv[])
{
	struct arguments arguments;
	struct target target;
	struct reason reason;

	if (arguments_parse(&arguments, argc, argv) < 0)
		return ECHOC_UNABLE;
	if (arguments.version) {
		printf("echoc %s\n", PACKAGE_VERSION);
		return ECHOC_INTACT;
	}
	if (arguments.help) {
		arguments_help();
		return ECHOC_INTACT;
	}
	setlocale(LC_CTYPE, "");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (target_resolve(&target, &arguments, &reason) < 0) {
		fprintf(stderr, "echoc: %s\n", reason.text);
		return ECHOC_UNABLE;
	}
	probe_prepare();
	return (int)run(&arguments, &target);
}
