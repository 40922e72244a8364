/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See showing.h. */

#include "config.h"

#include "integration/showing.h"

#include <inttypes.h>

#include "integration/harness.h"

/* The file, in parts of which each may be empty. */
struct parts {
	const char *server;
	const char *defaults;
	const char *address;
	const char *listener;
};

static const char *file_of(const struct parts *parts)
{
	static char text[2][1024];
	static unsigned next;
	char *file = text[next++ % 2];

	snprintf(file, sizeof(text[0]),
		 "[server]\nworkers = 2\n%s\n[defaults]\n%s\n[listener a]\naddress = %s\n%s\n",
		 parts->server, parts->defaults, parts->address, parts->listener);
	return file;
}

static void show_at_start(const struct parts *with, check_setting *check)
{
	struct echod *echod = echod_start(file_of(with));

	check(echod, true);
	echod_stop(echod);
}

static void show_by_reload(const struct parts *with, check_setting *check)
{
	struct parts without = {
		.server = "", .defaults = "", .address = with->address, .listener = ""};
	struct echod *echod = echod_start(file_of(&without));

	check(echod, false);
	echod_reload(echod, file_of(with));
	check(echod, true);
	echod_reload(echod, file_of(&without));
	check(echod, false);
	ck_assert_uint_eq(echod_counter(echod, "reloads_success"), 2);
	echod_stop(echod);
}

void show_setting(const struct shown_setting *shown)
{
	const char *address = shown->address != NULL ? shown->address : "127.0.0.1:0";
	struct parts own = {.server = shown->server ? shown->setting : "",
			    .defaults = "",
			    .address = address,
			    .listener = shown->server ? "" : shown->setting};
	struct parts from_defaults = {
		.server = "", .defaults = shown->setting, .address = address, .listener = ""};

	show_at_start(&own, shown->check);
	if (!shown->server && strncmp(shown->setting, "protocol", strlen("protocol")) != 0)
		show_at_start(&from_defaults, shown->check);
	show_by_reload(&own, shown->check);
}

void expect_counted(struct echod *echod, const char *counter, uint64_t before, uint64_t by)
{
	int64_t give_up_at = now_ms() + patience_ms();
	uint64_t now;

	while ((now = echod_counter(echod, counter)) != before + by)
		ck_assert_msg(now_ms() < give_up_at && now < before + by,
			      "%s is %" PRIu64 ", not %" PRIu64, counter, now, before + by);
}
