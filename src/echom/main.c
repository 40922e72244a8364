/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* echom: parses the command line, loads the list of targets, and watches them. */

#include "config.h"

#include <stdio.h>

#include "daemon/command_line.h"
#include "daemon/program.h"
#include "daemon/settings/settings.h"
#include "daemon/signals.h"
#include "echom/config/target_files.h"
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

/* A daemon goes on without a file of targets that is wrong; a check shall show it. */
static enum exit_status check(const struct settings_source *source,
			      const struct target_files *files)
{
	if (target_files_bad(files) > 0)
		return STATUS_CONFIG;
	printf("%s: ok\n", source->path);
	return STATUS_OK;
}

/* Takes over FILES. */
static enum exit_status with_list(const struct command_line *line,
				  const struct settings_source *source, struct watchlist *list,
				  struct target_files *files)
{
	enum exit_status status;

	if (line->action == ACTION_RUN)
		return echom_run(source, line->verbose, list, files);
	if (line->action == ACTION_TEST)
		status = check(source, files);
	else
		status = watchlist_dump(list, stdout) < 0 ? STATUS_FAILURE : STATUS_OK;
	target_files_free(files);
	return status;
}

static enum exit_status with_file(const struct command_line *line)
{
	const struct settings_source source = {
		.path = line->path, .must_exist = true, .size_max = FILE_MAX};
	struct target_files *files;
	struct watchlist *list = target_files_load(&files, NULL, &source, program_report);
	enum exit_status status = STATUS_CONFIG;

	if (list)
		status = with_list(line, &source, list, files);
	else
		target_files_free(files);
	watchlist_release(list);
	return status;
}

static enum exit_status act(const struct command_line *line)
{
	if (line->action != ACTION_RUN)
		signals_unblock(); /* nothing here handles them */
	return command_inform(&command, line->action) ? STATUS_OK : with_file(line);
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
