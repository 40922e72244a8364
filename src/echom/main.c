/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* echom: parses the command line, loads the list of targets, and watches them. */

#include "config.h"

#include <stdio.h>

#include "daemon/command_line.h"
#include "daemon/program.h"
#include "daemon/settings/settings.h"
#include "daemon/signals.h"
#include "echom/config/watchlist.h"
#include "echom/control/echom.h"

#define FILE_MAX (4u << 20) /* tens of thousands of targets */

static const struct command_option no_options[] = {{.name = NULL}};

static const struct command command = {
	.program = "echom",
	.file = SYSCONFDIR "/echom.conf",
	.purpose = "Watches paths to echo servers all the time, for Prometheus and for people.",
	.synopsis = "",
	.help = "",
	.verbose = "names that are not found",
	.notes = "",
	.options = no_options,
};

static enum exit_status with_list(const struct command_line *line)
{
	const struct settings_source source = {
		.path = line->path, .must_exist = true, .size_max = FILE_MAX};
	struct watchlist *list = watchlist_load(&source, program_report);
	enum exit_status status = STATUS_OK;

	if (!list)
		return STATUS_CONFIG;
	if (line->action == ACTION_TEST)
		printf("%s: ok\n", source.path);
	else if (line->action == ACTION_DUMP)
		status = watchlist_dump(list, stdout) < 0 ? STATUS_FAILURE : STATUS_OK;
	else
		status = echom_run(&source, line->verbose, list);
	watchlist_release(list);
	return status;
}

static enum exit_status act(const struct command_line *line)
{
	if (line->action != ACTION_RUN)
		signals_unblock(); /* nothing here handles them */
	return command_inform(&command, line->action) ? STATUS_OK : with_list(line);
}

int main(int argc, char *argv[])
{
	struct command_line line;
	enum exit_status status = STATUS_USAGE;

	program_begin();
	if (command_parse(&command, &line, NULL, argc, argv) == 0)
		status = act(&line);
	return (int)program_end(status);
}
