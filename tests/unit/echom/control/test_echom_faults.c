/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A whole echom, from its start over a reload to its stop, for which something runs out: it ends
 * with a reason, or goes on, and leaves nothing behind. The signals for the reload and the stop
 * wait from the beginning.
 */

#include "config.h"

#include "echom/control/echom.h"

#include "daemon/settings/settings.h"
#include "daemon/signals.h"
#include "echom/config/target_files.h"
#include "echom/config/watchlist.h"
#include "unit/faults.h"
#include "unit/log_lines.h"
#include "unit/said.h"

/* No targets: the threads that look up their names would free what was allocated here. */
#define SETTINGS                                                                                   \
	"[server]\nlisten = 127.0.0.1:0\nprobe_from = 127.0.0.1\nprobe_targets = 127.0.0.1\n"

static char path[SAID_PATH_MAX];
static struct settings_source source = {.path = path, .size_max = 1 << 20};
static struct target_files *files;
static struct watchlist *list;
static int fd;

static void set_up(void)
{
	fd = said_file(SETTINGS, strlen(SETTINGS), path);
	listen_for(path);
	log_lines_begin(LEVEL_NOTICE);
	signals_block();
}

static void tear_down(void)
{
	log_lines_end();
	close(fd);
}

static void load(void)
{
	list = target_files_load(&files, NULL, &source, hear);
	ck_assert_ptr_nonnull(list);
}

static enum exit_status live(void)
{
	(void)raise(SIGHUP);
	(void)raise(SIGTERM);
	return echom_run(&source, 0, list, files);
}

TEST_CASE("echom_faults", set_up, tear_down);

TEST(a_life_without_a_fault_ends_well)
{
	const char *lines;

	load();
	ck_assert_int_eq(live(), STATUS_OK);
	watchlist_release(list);
	lines = log_lines();
	ck_assert_ptr_nonnull(strstr(lines, "<5>serving metrics on http://127.0.0.1:"));
	ck_assert_ptr_nonnull(strstr(lines, "<5>watching 0 targets"));
	ck_assert_ptr_nonnull(strstr(lines, "<5>stopped"));
	ck_assert_ptr_null(strstr(lines, "<3>"));
}

/* Returns whether it failed. What it was given it frees, so that less may be left than before. */
static bool live_without(unsigned skip, const char *call, int error)
{
	int lowest = fault_lowest_fd();
	enum exit_status status;
	const char *lines;
	bool failed;
	long blocks;

	load();
	(void)log_lines();
	fault_after(skip, call, error);
	status = live();
	failed = fault_over();
	blocks = fault_blocks();
	watchlist_release(list);
	lines = log_lines();
	ck_assert_int_eq(fault_lowest_fd(), lowest);
	ck_assert_msg(blocks <= 0, "%u: %ld blocks are left", skip, blocks);
	ck_assert_msg(status == STATUS_OK || strstr(lines, "<3>"), "%u: %s", skip, lines);
	ck_assert_msg(status != STATUS_OK || strstr(lines, "<5>stopped"), "%u: %s", skip, lines);
	ck_assert(status == STATUS_OK || status == STATUS_FAILURE ||
		  status == STATUS_NOT_PERMITTED);
	return failed;
}

static const char *const more[] = {"", "targets_file = /nowhere/at/all\n"};

TEST_EACH(without_memory_it_ends_with_a_reason_or_goes_on, ARRAY_SIZE(more))
{
	unsigned skip = 0;

	ck_assert_int_eq(pwrite(fd, more[_i], strlen(more[_i]), strlen(SETTINGS)),
			 (ssize_t)strlen(more[_i]));
	while (live_without(skip, MEMORY, ENOMEM))
		skip++;
	ck_assert_uint_gt(skip, 10);
}

static const struct {
	const char *call;
	int error;
} calls[] = {
	{"socket", EMFILE},  {"bind", EADDRINUSE}, {"bind", EACCES},
	{"listen", ENOBUFS}, {"eventfd", EMFILE},
};

TEST_EACH(what_it_cannot_do_at_its_start_is_said, ARRAY_SIZE(calls))
{
	ck_assert(live_without(0, calls[_i].call, calls[_i].error));
}
