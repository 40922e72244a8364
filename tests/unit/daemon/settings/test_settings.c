/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A table of settings that is not echod's: a repeated section first, and values of each kind. */

#include "config.h"

#include "daemon/settings/settings.h"

#include <sys/mman.h>

#include "base/netlist.h"
#include "daemon/settings/findings.h"
#include "daemon/settings/values.h"
#include "support/test.h"

struct target {
	char name[NAME_MAX_LENGTH + 1];
	uint64_t interval;
	bool watched;
	struct netlist from;
};

struct group {
	char name[NAME_MAX_LENGTH + 1];
	uint64_t size;
};

struct program {
	struct target *targets;
	size_t target_count;
	struct group *groups;
	size_t group_count;
	struct target defaults;
	uint64_t workers;
};

enum { IN_TARGET = 1, IN_DEFAULTS = 2, IN_SERVER = 4, IN_GROUP = 8, WATCHED = 1 };

#define TARGET(field) .sections = IN_TARGET | IN_DEFAULTS, .offset = offsetof(struct target, field)

static const struct setting table[] = {
	{"interval", TARGET(interval), .type = &duration_value, .max = 60000, .default_text = "1s",
	 .applies_to = WATCHED},
	{"from", TARGET(from), .type = &networks_value, .default_text = ""},
	{"watched", .sections = IN_TARGET, .offset = offsetof(struct target, watched),
	 .type = &boolean_value, .default_text = "", .required = true},
	{"workers", .sections = IN_SERVER, .offset = offsetof(struct program, workers),
	 .type = &number_value, .max = 8, .default_text = "1", .restart = true},
	{"size", .sections = IN_GROUP, .offset = offsetof(struct group, size),
	 .type = &number_value, .max = 8, .default_text = "", .required = true},
};

static const struct section sections[] = {
	{"target", IN_TARGET, offsetof(struct program, targets), sizeof(struct target),
	 offsetof(struct program, target_count), &sections[1]},
	{.name = "defaults", .bit = IN_DEFAULTS, .offset = offsetof(struct program, defaults)},
	{.name = "server", .bit = IN_SERVER},
	{"group", IN_GROUP, offsetof(struct program, groups), sizeof(struct group),
	 offsetof(struct program, group_count), &sections[1]},
};

static const char *no_effect(const struct setting *setting, const void *values)
{
	const struct target *target = values;

	return setting->applies_to == WATCHED && !target->watched ? "is not watched" : NULL;
}

static const struct schema schema = {sections, ARRAY_SIZE(sections), table, ARRAY_SIZE(table),
				     no_effect};

static struct program program;
static char reported[1024];

static void report(enum log_level level UNUSED, const char *line)
{
	const char *place = strchr(line, ':');

	strncat(reported, place, sizeof(reported) - strlen(reported) - 1);
	strncat(reported, "\n", sizeof(reported) - strlen(reported) - 1);
}

static enum config_file load(const char *text)
{
	char path[32];
	struct settings_source source = {.path = path};
	int fd = memfd_create("settings", MFD_CLOEXEC);
	enum config_file result;

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	result = settings_load(&schema, &program, &source, report);
	close(fd);
	return result;
}

static void clear(void)
{
	settings_clear(&schema, &program);
	ck_assert_ptr_null(program.targets);
	ck_assert_uint_eq(program.target_count, 0);
}

TEST_CASE("settings", NULL, clear);

TEST(a_dump_has_the_sections_of_the_table_in_its_order)
{
	static const char file[] = "[server]\nworkers = 2\n[target a]\nwatched = yes\n"
				   "[defaults]\nfrom = ::1\n"
				   "[target b]\nwatched = no\nfrom = 192.0.2.0/24 ::2\n";
	char text[512] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_int_eq(load(file), CONFIG_FILE_READ);
	ck_assert_str_eq(reported, "");
	ck_assert_int_eq(settings_dump(&schema, &program, out), 0);
	(void)fclose(out);
	ck_assert_str_eq(text, "[target a]\ninterval = 1s\nfrom = ::1\nwatched = yes\n"
			       "\n[target b]\n#interval = (no effect here)\n"
			       "from = 192.0.2.0/24 ::2\nwatched = no\n"
			       "\n[defaults]\ninterval = 1s\nfrom = ::1\n"
			       "\n[server]\nworkers = 2\n");
}

TEST(findings_name_the_sections_of_the_table)
{
	ck_assert_int_eq(load("[target a]\ninterval = 3\n[listener]\n[target a]\nwatched = no\n"
			      "[server]\nwatched = yes\n[group g]\n"),
			 CONFIG_FILE_BAD);
	ck_assert_str_eq(reported,
			 ":1: [target a] has no watched: add one\n"
			 ":2: warning: interval has no effect: [target a] is not watched\n"
			 ":3: unknown section [listener]: use [target NAME], [defaults], "
			 "[server] or [group NAME]\n"
			 ":4: [target a] already exists: names must be unique\n"
			 ":7: watched does not belong in [server]: allowed there are workers\n"
			 ":8: [group g] has no size: add one\n");
}

TEST(a_list_is_dumped_in_lines_that_can_be_read_back)
{
	static const char nets[] = " 10.0.0.0/8 10.0.0.0/8 10.0.0.0/8 10.0.0.0/8";
	char file[400], text[600] = "", wanted[300];
	FILE *out = fmemopen(text, sizeof(text), "w");

	/* A line of 190 bytes, the maximum, and what does not fit into it. */
	(void)snprintf(wanted, sizeof(wanted), "from =%s%s%s%s 1.1.1.1\nfrom = ::1\n", nets, nets,
		       nets, nets);
	(void)snprintf(file, sizeof(file), "[defaults]\n%s", wanted);
	ck_assert_int_eq(load(file), CONFIG_FILE_READ);
	ck_assert_int_eq(settings_dump(&schema, &program, out), 0);
	(void)fclose(out);
	ck_assert_ptr_nonnull(strstr(text, wanted));
}

TEST(findings_can_be_cleared_twice)
{
	struct findings findings = {0};

	findings_error(&findings, 1, "wrong");
	findings_clear(&findings);
	findings_clear(&findings);
	ck_assert(findings_report(&findings, "", report));
	ck_assert_str_eq(reported, "");
}

static unsigned changes;

static void count_change(const char *key)
{
	ck_assert_str_eq(key, "workers");
	changes++;
}

TEST(only_what_waits_for_a_restart_is_compared)
{
	struct program next = {.workers = 2};

	ck_assert_int_eq(load("[defaults]\ninterval = 5\n"), CONFIG_FILE_READ);
	settings_compare(&schema, &program, &next, count_change);
	ck_assert_uint_eq(changes, 1);
	next.workers = 1;
	settings_compare(&schema, &program, &next, count_change);
	ck_assert_uint_eq(changes, 1);
}
