/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See echom.h. One thread probes and serves; it owns everything here. Order at the start: socket,
 * privileges, loop, watches, READY=1.
 */

#include "config.h"

#include "echom/control/echom.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bounded_text.h"
#include "base/clock.h"
#include "base/events.h"
#include "daemon/descriptors.h"
#include "daemon/http/listen.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/privileges.h"
#include "daemon/settings/settings.h"
#include "daemon/signals.h"
#include "daemon/supervisor.h"
#include "echom/config/target_files.h"
#include "echom/config/watchlist.h"
#include "echom/control/turns.h"
#include "echom/on_demand/on_demand.h"
#include "echom/status/site.h"
#include "echom/watching/watches.h"
#include "probe/probe.h"

#define UNPACED_RATE 1000 /* probes a second that may each have a wake-up of their own */
#define FILES_EVERY_MS 1000

struct echom {
	const struct settings_source *source; /* not owned */
	unsigned verbose;
	struct target_files *files;
	struct watchlist *list;		/* held, as the next */
	struct watchlist *started_with; /* what a restart would change is compared with this */
	struct event_base *base;
	struct watches *watches;
	struct on_demand *on_demand;
	struct site *site;
	struct supervisor supervisor;
	struct event signals[SIGNAL_COUNT];
	struct event files_timer;
	int fd; /* of the site */
	bool stopping;
};

static void apply_log_level(const struct echom *echom)
{
	uint64_t level = echom->list->server.log_level + echom->verbose;

	log_set_level(level > LEVEL_DEBUG ? LEVEL_DEBUG : (enum log_level)level);
}

static void write_status(const struct echom *echom, char status[static SUPERVISOR_STATUS_MAX])
{
	size_t down = watches_down(echom->watches);
	size_t bad = target_files_bad(echom->files);
	size_t missing = target_files_missing(echom->files);
	struct bounded_text text;

	bounded_text_begin(&text, status, SUPERVISOR_STATUS_MAX);
	bounded_text_add(&text, "watching %zu target%s", echom->watches->count,
			 echom->watches->count == 1 ? "" : "s");
	if (down > 0)
		bounded_text_add(&text, ", %zu down", down);
	if (bad > 0)
		bounded_text_add(&text, "; targets_file: %zu bad", bad);
	if (missing > 0)
		bounded_text_add(&text, "; targets_file: %zu missing", missing);
}

static void tell_ready(struct echom *echom)
{
	char status[SUPERVISOR_STATUS_MAX];

	write_status(echom, status);
	log_notice("%s", status);
	supervisor_ready(&echom->supervisor, status);
}

static void on_status_due(void *arg)
{
	struct echom *echom = arg;
	char status[SUPERVISOR_STATUS_MAX];

	write_status(echom, status);
	supervisor_status(&echom->supervisor, status);
}

/* This loop runs, which is all there is to be well. */
static void on_watchdog_due(void *arg UNUSED)
{
	notify_watchdog();
}

static void warn_restart(const char *key)
{
	log_warning("%s has changed: restart echom to apply it", key);
}

/* Each flow of a target takes a descriptor, and its page and names some more. */
static void check_descriptors(const struct watchlist *list)
{
	uint64_t limit = descriptors_raise();
	uint64_t flows = 0;

	for (size_t i = 0; i < list->count; i++)
		flows += list->targets[i].flows;
	if (flows + SITE_DESCRIPTORS > limit)
		log_warning("%zu targets with %" PRIu64 " flows, but only %" PRIu64
			    " descriptors: raise LimitNOFILE= (ulimit -n)",
			    list->count, flows, limit);
}

/* All or nothing: LIST, which is taken over, is in force, or -1. */
static int put_in_force(struct echom *echom, struct watchlist *list)
{
	if (watches_set(echom->watches, list) < 0) {
		watchlist_release(list);
		return -1;
	}
	on_demand_set(echom->on_demand, list);
	watchlist_release(echom->list);
	echom->list = list;
	check_descriptors(list);
	return 0;
}

static void log_finding(enum log_level level, const char *line)
{
	log_write(level, "%s", line);
}

static void on_files_due(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct echom *echom = arg;
	struct watchlist *list = target_files_refresh(echom->files, echom->list, log_finding);

	if (list && put_in_force(echom, list) < 0) {
		log_error("not enough memory for other targets: those in force stay");
		target_files_retry(echom->files);
	}
	on_status_due(echom);
}

/* -1 without memory. */
static int look_after_files(struct echom *echom)
{
	struct timeval every = timeval_from_ms(FILES_EVERY_MS);

	if (target_files_count(echom->files) > 0)
		return event_add(&echom->files_timer, &every);
	return event_del(&echom->files_timer);
}

static int change_over(struct echom *echom, struct watchlist *list, struct target_files *files)
{
	struct target_files *before = echom->files;
	int result;

	echom->files = files;
	result = look_after_files(echom);
	if (result == 0)
		result = put_in_force(echom, list);
	else
		watchlist_release(list);
	if (result < 0) {
		echom->files = before;
		return -1;
	}
	target_files_free(before);
	watchlist_compare(echom->started_with, echom->list, warn_restart);
	apply_log_level(echom);
	return 0;
}

static void reload(struct echom *echom)
{
	struct target_files *files;
	struct watchlist *list;

	notify_reloading();
	list = target_files_load(&files, echom->files, echom->source, program_report);
	echom->supervisor.reload_failed = !list || change_over(echom, list, files) < 0;
	if (echom->supervisor.reload_failed) {
		log_error("reload failed: %s; the configuration in force stays",
			  list ? "out of memory" : "see the errors above");
		target_files_free(files);
	}
	tell_ready(echom);
}

static void log_totals(const struct echom *echom)
{
	const struct books *books = &echom->watches->shared.books;

	log_write(LEVEL_NOTICE,
		  "%zu targets: %" PRIu64 " probes received, %" PRIu64 " lost, %" PRIu64
		  " late, %" PRIu64 " duplicates, %" PRIu64 " corrupt, %" PRIu64 " truncated",
		  echom->watches->count, books->received, books->lost, books->late,
		  books->duplicates, books->corrupt, books->truncated);
}

static void stop(struct echom *echom)
{
	echom->stopping = true;
	notify_stopping(0);
	event_base_loopbreak(echom->base);
}

static void on_signal(int number, short what UNUSED, void *arg)
{
	if (number == SIGHUP)
		reload(arg);
	else if (number == SIGUSR1)
		log_totals(arg);
	else
		stop(arg);
}

static enum exit_status open_site(struct echom *echom, struct address *bound)
{
	struct reason reason;

	echom->fd = http_listen(&echom->list->server.listen, bound, &reason);
	if (echom->fd >= 0)
		return STATUS_OK;
	log_error("listen: %s", reason.text);
	return errno == EACCES || errno == EPERM ? STATUS_NOT_PERMITTED : STATUS_FAILURE;
}

static enum exit_status drop_privileges(const struct echom *echom)
{
	struct reason reason;

	if (privileges_drop(echom->list->server.user, &reason) == 0)
		return STATUS_OK;
	log_error("%s", reason.text);
	return STATUS_NOT_PERMITTED;
}

static int open_pages(struct echom *echom, const struct address *bound)
{
	struct site_probe probe = {.page = on_demand_page, .max = ON_DEMAND_MAX};

	probe.arg = echom->on_demand = on_demand_new(&echom->watches->shared, echom->list);
	if (!echom->on_demand)
		return -1;
	echom->site = site_new(echom->base, echom->fd, bound, echom->watches, &probe);
	return echom->site ? 0 : -1;
}

static int build(struct echom *echom, const struct address *bound)
{
	echom->base =
		events_new_base(EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME);
	if (!echom->base)
		return -1;
	echom->watches = watches_new(echom->base);
	if (!echom->watches || watches_set(echom->watches, echom->list) < 0)
		return -1;
	if (open_pages(echom, bound) < 0 ||
	    signals_attach(echom->signals, echom->base, on_signal, echom) < 0)
		return -1;
	event_assign(&echom->files_timer, echom->base, -1, EV_PERSIST, on_files_due, echom);
	if (look_after_files(echom) < 0)
		return -1;
	return supervisor_init(&echom->supervisor, echom->base, on_status_due, on_watchdog_due,
			       echom);
}

static enum exit_status assemble(struct echom *echom)
{
	struct address bound;
	enum exit_status status = open_site(echom, &bound);

	if (status == STATUS_OK)
		status = drop_privileges(echom);
	if (status != STATUS_OK)
		return status;
	check_descriptors(echom->list);
	if (build(echom, &bound) < 0) {
		log_error("cannot start: %s", strerror(errno));
		return STATUS_FAILURE;
	}
	return STATUS_OK;
}

static void take_apart(struct echom *echom)
{
	site_free(echom->site);
	on_demand_free(echom->on_demand);
	watches_free(echom->watches);
	signals_detach(echom->signals);
	if (event_initialized(&echom->files_timer))
		event_del(&echom->files_timer);
	notify_detach();
	if (echom->base)
		event_base_free(echom->base);
	if (echom->fd >= 0)
		close(echom->fd);
	target_files_free(echom->files);
	watchlist_release(echom->list);
	watchlist_release(echom->started_with);
}

/* A long reply goes out a piece a turn. */
static bool may_pause(void *context)
{
	const struct echom *echom = context;

	return echom->watches->rate > UNPACED_RATE && !site_is_sending(echom->site);
}

static enum exit_status serve(struct echom *echom)
{
	tell_ready(echom);
	signals_unblock();
	(void)turns_run(echom->base, may_pause, echom);
	signals_block(); /* one more must not kill us while we free everything */
	if (!echom->stopping) {
		log_error("stopping: the event loop failed");
		return STATUS_FAILURE;
	}
	log_totals(echom);
	log_notice("stopped");
	return STATUS_OK;
}

enum exit_status echom_run(const struct settings_source *source, unsigned verbose,
			   struct watchlist *list, struct target_files *files)
{
	struct echom echom = {.source = source,
			      .verbose = verbose,
			      .files = files,
			      .list = watchlist_hold(list),
			      .started_with = watchlist_hold(list),
			      .fd = -1};
	enum exit_status status;

	signal(SIGPIPE, SIG_IGN);
	log_adopt_libevent();
	apply_log_level(&echom);
	probe_prepare();
	notify_open();
	status = assemble(&echom);
	if (status == STATUS_OK)
		status = serve(&echom);
	take_apart(&echom);
	notify_close();
	libevent_global_shutdown();
	return status;
}
