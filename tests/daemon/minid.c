/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The smallest daemon that daemon/ and base/ alone make: two settings, a page, reload, -t, -T and
 * the service manager. Proves that nothing there needs echod. Run by test_daemon.
 */

#include "config.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "daemon/command_line.h"
#include "daemon/http/http.h"
#include "daemon/notify.h"
#include "daemon/program.h"
#include "daemon/settings/settings.h"
#include "daemon/settings/values.h"
#include "daemon/signals.h"

struct minid {
	struct address listen;
	struct text text;
};

enum { IN_SERVER = 1 };

static const struct setting table[] = {
	{"listen", IN_SERVER, &endpoint_value, offsetof(struct minid, listen),
	 .default_text = "127.0.0.1:0", .restart = true},
	{"text", IN_SERVER, &text_value, offsetof(struct minid, text), .default_text = "hello"},
};
static const struct section sections[] = {{.name = "server", .bit = IN_SERVER}};
static const struct schema schema = {.sections = sections,
				     .section_count = ARRAY_SIZE(sections),
				     .settings = table,
				     .setting_count = ARRAY_SIZE(table)};

static struct settings_source source = {.must_exist = true};
static struct minid now;

static void write_page(void *arg UNUSED, const struct http_request *request UNUSED,
		       struct http_reply *reply)
{
	bounded_text_add(&reply->body, "%.*s\n", (int)now.text.length, now.text.bytes);
}

static const struct http_path paths[] = {{"/", write_page}, {NULL, NULL}};
static const struct http_site site = {.paths = paths};

static void warn_restart(const char *key)
{
	log_warning("%s has changed: restart to apply", key);
}

static void reload(void)
{
	struct minid next = {0};

	notify_reloading();
	if (settings_load(&schema, &next, &source, program_report) == CONFIG_FILE_BAD) {
		settings_clear(&schema, &next);
		notify_ready("reload failed");
		return;
	}
	settings_compare(&schema, &now, &next, warn_restart);
	settings_clear(&schema, &now);
	now = next;
	notify_ready("reloaded");
}

static void on_signal(int number, short what UNUSED, void *arg)
{
	if (number == SIGHUP)
		reload();
	else if (number != SIGUSR1)
		event_base_loopbreak(arg);
}

static int open_socket(void)
{
	struct address bound = {.length = sizeof(bound.in6)};
	int fd = socket(now.listen.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char text[ADDRESS_TEXT_MAX];

	if (fd < 0 || bind(fd, &now.listen.sa, now.listen.length) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, &bound.sa, &bound.length) < 0)
		return -1;
	log_notice("listening on http %s", address_format(&bound, text));
	return fd;
}

static enum exit_status serve(void)
{
	struct event events[SIGNAL_COUNT];
	struct event_base *base = event_base_new();
	int fd = open_socket();
	struct http *http = fd >= 0 && base ? http_new(base, fd, true, &site, NULL) : NULL;

	if (!http || signals_attach(events, base, on_signal, base) < 0)
		return STATUS_FAILURE;
	signal(SIGPIPE, SIG_IGN);
	signals_unblock();
	notify_open();
	notify_ready("serving");
	event_base_dispatch(base);
	notify_stopping(0);
	notify_close();
	signals_detach(events);
	http_free(http);
	event_base_free(base);
	close(fd);
	return STATUS_OK;
}

static const struct command_option own_options[] = {{0}};
static const struct command command = {.program = "minid",
				       .file = "minid.conf",
				       .purpose = "Serves a text.",
				       .synopsis = "",
				       .help = "",
				       .verbose = "more",
				       .notes = "",
				       .options = own_options};

int main(int argc, char *argv[])
{
	enum exit_status status = STATUS_OK;
	struct command_line line;

	program_begin();
	if (command_parse(&command, &line, NULL, argc, argv) < 0)
		return STATUS_USAGE;
	if (command_inform(&command, line.action))
		return (int)program_end(STATUS_OK);
	source.path = line.path;
	if (settings_load(&schema, &now, &source, program_report) == CONFIG_FILE_BAD)
		status = STATUS_CONFIG;
	else if (line.action == ACTION_TEST)
		printf("%s: ok\n", source.path);
	else if (line.action == ACTION_DUMP)
		status = settings_dump(&schema, &now, stdout) < 0 ? STATUS_FAILURE : STATUS_OK;
	else
		status = serve();
	settings_clear(&schema, &now);
	return (int)program_end(status);
}
