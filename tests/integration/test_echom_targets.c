/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echom with a file of targets that others write: however it changes, what is watched follows, and
 * a target that stays keeps its books.
 */

#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "integration/endpoint.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/process.h"
#include "integration/scenes.h"

static char directory[32];
static char path[64], other[64], configuration[512];

static void set_up(void)
{
	ck_assert_ptr_nonnull(getenv("ECHOM"));
	ck_assert_int_eq(setenv("ECHOD", getenv("ECHOM"), 1), 0);
	(void)snprintf(directory, sizeof(directory), "/tmp/echom-files-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chmod(directory, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/targets.json", directory);
	(void)snprintf(other, sizeof(other), "%s/other", directory);
	(void)snprintf(configuration, sizeof(configuration),
		       "[server]\nlisten = 127.0.0.1:0\nlog_level = info\ntargets_file = %s\n"
		       "[defaults]\ninterval = 20ms\ntimeout = 1m\n",
		       path);
}

static void tear_down(void)
{
	(void)unlink(path);
	(void)unlink(other);
	(void)rmdir(directory);
}

TEST_CASE("echom_targets", set_up, tear_down);

static void write_text(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* "[{"targets": ["A", "B"], "labels": {"site": "SITE"}}]"; B may be NULL. */
static const char *targets_of(const char *a, const char *b, const char *site)
{
	static char text[512];

	(void)snprintf(text, sizeof(text),
		       "[{\"targets\": [\"%s\"%s%s%s], \"labels\": {\"site\": \"%s\"}}]", a,
		       b ? ", \"" : "", b ? b : "", b ? "\"" : "", site);
	return text;
}

static void write_in_place(const char *text)
{
	write_text(path, text);
}

static void rename_over(const char *text)
{
	write_text(other, text);
	ck_assert_int_eq(rename(other, path), 0);
}

/* As Kubernetes and configuration management by generations do. */
static void swap_link(const char *text)
{
	static unsigned generation;
	char target[80];

	(void)snprintf(target, sizeof(target), "%s/%u", directory, generation++);
	write_text(target, text);
	ck_assert_int_eq(symlink(target, other), 0);
	ck_assert_int_eq(rename(other, path), 0);
}

static void remove_generations(void)
{
	char target[80];

	for (unsigned i = 0; i < 4; i++) {
		(void)snprintf(target, sizeof(target), "%s/%u", directory, i);
		(void)unlink(target);
	}
}

static double received(struct echod *echom, const char *target)
{
	char start[128];
	const char *line;

	(void)snprintf(start, sizeof(start), "\nechom_probes_received_total{target=\"%s\",",
		       target);
	line = strstr(endpoint_get(echom, "/metrics", NULL), start);
	return line ? strtod(strchr(line + 1, ' '), NULL) : -1;
}

static const struct {
	void (*write)(const char *text);
} ways[] = {{write_in_place}, {rename_over}, {swap_link}};

TEST_EACH(a_change_is_followed_and_books_are_kept, ARRAY_SIZE(ways))
{
	char stays[64], goes[64];
	struct echod *echom;
	double before;

	(void)snprintf(stays, sizeof(stays), "%s", FAULTY(.datagram = true));
	(void)snprintf(goes, sizeof(goes), "%s", FAULTY(.datagram = true));
	ways[_i].write(targets_of(stays, goes, "ams"));
	echom = echod_start(configuration);
	WAIT_UNTIL(received(echom, stays) > 3 && received(echom, goes) > 3);
	ck_assert_uint_eq(echod_log_count(echom, "watching 2 targets"), 1);
	before = received(echom, stays);
	ways[_i].write(targets_of(stays, NULL, "lis"));
	WAIT_UNTIL(received(echom, goes) < 0);
	ck_assert_double_ge(received(echom, stays), before);
	ck_assert_ptr_nonnull(strstr(endpoint_get(echom, "/metrics", NULL), ",site=\"lis\"} 1"));
	ck_assert_uint_eq(echod_log_count(echom, "targets.json: 1 target"), 1);
	WAIT_UNTIL(echod_notified_count(echom, "STATUS=watching 1 target") > 0);
	echod_stop(echom);
	remove_generations();
}

TEST(a_broken_file_changes_nothing_until_it_is_mended)
{
	const char *address = FAULTY(.datagram = true);
	struct echod *echom;

	write_in_place(targets_of(address, NULL, "ams"));
	echom = echod_start(configuration);
	write_in_place("[{\"targets\": [\n\"half");
	echod_wait_log(echom, "targets.json:2:1: a string without its closing quote; its earlier "
			      "targets stay");
	WAIT_UNTIL(echod_notified_count(echom, "STATUS=watching 1 target; targets_file: 1 bad") >
		   0);
	echod_reload(echom, configuration);
	WAIT_UNTIL(received(echom, address) > 0);
	ck_assert_uint_eq(echod_log_count(echom, "a string without its closing quote"), 2);
	ck_assert_uint_eq(echod_log_count(echom, "reload failed"), 0);
	write_in_place(targets_of(address, "192.0.2.1", "ams"));
	echod_wait_log(echom, "targets.json: 2 targets");
	ck_assert_int_eq(unlink(path), 0);
	echod_wait_log(echom, "targets.json: not found; its earlier targets stay");
	WAIT_UNTIL(echod_notified_count(echom,
					"STATUS=watching 2 targets; targets_file: 1 missing") > 0);
	echod_stop(echom);
}

TEST(a_file_may_come_after_the_start)
{
	const char *address = FAULTY(.datagram = true);
	struct echod *echom = echod_start(configuration);

	ck_assert_uint_eq(
		echod_log_count(echom, "targets.json: not found: no targets until it exists"), 1);
	ck_assert_uint_eq(echod_log_count(echom, "watching 0 targets"), 1);
	rename_over(targets_of(address, NULL, "ams"));
	WAIT_UNTIL(received(echom, address) > 0);
	echod_stop(echom);
}

TEST(a_reload_may_name_the_file_or_no_longer)
{
	const char *address = FAULTY(.datagram = true);
	struct echod *echom = echod_start("[server]\nlisten = 127.0.0.1:0\n");

	write_in_place(targets_of(address, NULL, "ams"));
	echod_reload(echom, configuration);
	WAIT_UNTIL(received(echom, address) > 0);
	rename_over(targets_of("192.0.2.1", NULL, "ams"));
	echod_wait_log(echom, "targets.json: 1 target");
	echod_reload(echom, "[server]\nlisten = 127.0.0.1:0\n");
	ck_assert_uint_eq(echod_log_count(echom, "watching 0 targets"), 2);
	echod_reload(echom, configuration);
	write_in_place("[{]");
	echod_wait_log(echom, "targets.json:1:3: expected a key in quotes, found \"]\"");
	echod_reload(echom, "[nonsense]\n");
	ck_assert_uint_eq(echod_log_count(echom, "reload failed: see the errors above"), 1);
	write_in_place(targets_of(address, "192.0.2.1", "ams"));
	echod_wait_log(echom, "targets.json: 2 targets");
	echod_stop(echom);
}

TEST(a_check_shows_what_is_wrong_with_the_files)
{
	struct echod *echom;

	write_in_place("[{\"targets\": [\"a\", \"b\", \"a:7\"]}]");
	echom = finished_with(configuration, ARGUMENTS("-t"), BAD_FILE);
	ck_assert_uint_eq(lines(echod_log(echom)), 1);
	ck_assert_uint_eq(echod_log_count(echom, "targets.json:1:25: target \"a:7\" is also in "),
			  1);
	echod_free(echom);
	ck_assert_int_eq(unlink(path), 0);
	echom = finished_with(configuration, ARGUMENTS("-t"), 0);
	ck_assert_uint_eq(echod_log_count(echom, "targets.json: not found"), 1);
	ck_assert_ptr_nonnull(strstr(echod_output(echom), "echod.conf: ok\n"));
	echod_free(echom);
	write_in_place("[{\"targets\": [\"a\"]}]");
	echom = finished_with(configuration, ARGUMENTS("-T"), 0);
	ck_assert_uint_eq(lines(echod_log(echom)), 0);
	ck_assert_ptr_nonnull(strstr(echod_output(echom), "\n#a:7\n"));
	echod_free(echom);
}

#define MANY 10000

static void write_many(unsigned first)
{
	size_t size = 32 * MANY;
	char *text = malloc(size);
	size_t used = 0;

	ck_assert_ptr_nonnull(text);
	for (unsigned i = first; i < first + MANY; i++)
		used += (size_t)snprintf(text + used, size - used, "%s\"127.0.0.1:%u\"",
					 i == first ? "[{\"targets\": [" : ",\n", i);
	(void)snprintf(text + used, size - used, "]}]");
	rename_over(text);
	free(text);
}

TEST(a_file_may_have_ten_thousand_targets)
{
	char text[600];
	struct echod *echom;

	write_many(1);
	(void)snprintf(text, sizeof(text), "%sresolve = 1d\n[target x]\naddress = %s\n",
		       configuration, FAULTY(.datagram = true));
	/* They are due in an hour: only the list matters. */
	ck_assert_ptr_nonnull(memcpy(strstr(text, "20ms"), "1h  ", 4));
	echom = echod_start(text);
	ck_assert_uint_eq(echod_log_count(echom, "watching 10001 targets"), 1);
	write_many(100);
	echod_wait_log(echom, "targets.json: 10000 targets");
	WAIT_UNTIL(endpoint_status(echom, "/healthz") == 200);
	echod_stop_now(echom);
}
