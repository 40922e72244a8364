/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* echod: parses the command line, loads the configuration, builds the server, runs and frees it. */

#include "config.h"

#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/program.h"
#include "daemon/signals.h"
#include "echod/config/load.h"
#include "echod/config/options.h"
#include "echod/control/server.h"

static void warn_defaults(const char *path)
{
	char line[PATH_MAX + 64];

	(void)snprintf(line, sizeof(line), "%s: not found: using defaults", path);
	program_report(LEVEL_WARNING, line);
}

static enum exit_status serve(const struct options *options, struct config *config)
{
	enum exit_status status;
	struct server *server;

	signal(SIGPIPE, SIG_IGN);
	log_adopt_libevent();
	notify_open();
	server = server_new(&options->source, options->line.verbose, config, &status);
	if (server)
		status = server_run(server);
	server_free(server);
	notify_close();
	libevent_global_shutdown();
	return status;
}

static enum exit_status with_configuration(const struct options *options)
{
	struct config *config = config_load(&options->source, program_report);
	enum exit_status status = STATUS_OK;

	if (!config)
		return STATUS_CONFIG;
	if (!config->from_file && options->source.address_count == 0)
		warn_defaults(options->source.path);
	if (options->line.action == ACTION_TEST)
		printf("%s: ok\n", options->source.path);
	else if (options->line.action == ACTION_DUMP)
		status = config_dump(config, stdout) < 0 ? STATUS_FAILURE : STATUS_OK;
	else
		status = serve(options, config);
	config_release(config);
	return status;
}

static enum exit_status act(const struct options *options)
{
	if (options->line.action != ACTION_RUN)
		signals_unblock(); /* nothing here handles them */
	if (command_inform(&echod_command, options->line.action))
		return STATUS_OK;
	return with_configuration(options);
}

int main(int argc, char *argv[])
{
	struct options options;
	enum exit_status status = STATUS_USAGE;

	program_begin();
	if (options_parse(&options, argc, argv) == 0)
		status = act(&options);
	options_clear(&options);
	return (int)program_end(status);
}
