/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a run that a signal ends early still says. */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/harness.h"
#include "integration/held_server.h"
#include "integration/json_lines.h"
#include "integration/net.h"

static bool has_ended_by(const struct echoc *echoc, int number)
{
	kill(echoc->pid, number);
	return echoc_has_ended(echoc);
}

struct stopped_early {
	const char *mode, *transport, *option;
	int kind; /* of the server */
};

/* Each waits for the server, which never answers, for an hour. */
static const struct stopped_early stopped_early[] = {
	{"mtu", "-u", "-W1h", SOCK_DGRAM},    {"mtu", "-t", "-W1h", SOCK_STREAM},
	{"marks", "-u", "-W1h", SOCK_DGRAM},  {"idle", "-u", "-v", SOCK_DGRAM},
	{"idle", "-t", "-v", SOCK_STREAM},    {"send", "-u", "-w1h", SOCK_DGRAM},
	{"send", "-t", "-w1h", SOCK_STREAM},  {"flows", "-u", "-W1h", SOCK_DGRAM},
	{"flows", "-t", "-W1h", SOCK_STREAM}, {"bench", "-u", "-W1h", SOCK_DGRAM},
	{"bench", "-t", "-W1h", SOCK_STREAM},
};

static struct echoc start_early(const struct stopped_early *row, bool as_json,
				struct held_server *server)
{
	const char *form = as_json ? "--json" : "-v";

	held_server_start(server, row->kind);
	if (strcmp(row->mode, "send") == 0)
		return echoc_start(ECHOC_ARGS("send", row->transport, row->option, form,
					      server->target, "text"));
	return echoc_start(
		ECHOC_ARGS(row->mode, row->transport, row->option, form, server->target));
}

/* Two signals, for those that await what is on its way after the first. */
TEST_EACH(the_last_line_is_a_summary_after_signals_too, ARRAY_SIZE(stopped_early))
{
	const struct stopped_early *row = &stopped_early[_i];
	struct held_server server;
	struct echoc echoc = start_early(row, true, &server);

	echoc_await(&echoc, "\"start\"");
	WAIT_UNTIL(has_ended_by(&echoc, SIGINT));
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 1, "{\"type\":\"summary\"");
	ck_assert_uint_ge(json_check(echoc.output), 2);
	ck_assert_uint_eq(json_count(echoc.output, "summary"), 1);
	if (strstr(echoc.output, "\"complete\""))
		ck_assert(json_is(echoc.output, "summary", "complete", "false"));
}

static const char *const unfinished[] = {
	"not finished: no reply to the smallest packet so far, 60 bytes\n",
	"not finished\n",
	" probes\nnot finished: some marks were not tried",
	"\nNot finished; so far:\nno flow has a result\n",
	"\nNot finished; so far:\nno flow has a result\n",
};

TEST_EACH(what_a_signal_ended_early_is_called_so, ARRAY_SIZE(unfinished))
{
	struct held_server server;
	struct echoc echoc = start_early(&stopped_early[_i], false, &server);

	echoc_await(&echoc, server.target);
	WAIT_UNTIL(has_ended_by(&echoc, SIGTERM));
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 1, unfinished[_i]);
}
