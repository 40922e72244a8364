/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* CPU quotas of control groups, read from files of the test's own. */

#include "config.h"

#include "base/cpu_quota.h"

#include "support/test.h"

#define FILES_MAX 6
#define DEEP "/a/b/c"

struct file {
	const char *path; /* below the root of the hierarchies */
	const char *text;
};

static const struct {
	const char *groups;
	struct file files[FILES_MAX];
	uint64_t cpus;
} cases[] = {
	/* Version 2: rounded up, at least 1. */
	{"0::/a\n", {{"a/cpu.max", "200000 100000\n"}}, 2},
	{"0::/a\n", {{"a/cpu.max", "200001 100000\n"}}, 3},
	{"0::/a\n", {{"a/cpu.max", "1000 100000\n"}}, 1},
	{"0::/a", {{"a/cpu.max", "150000 100000"}}, 2},
	{"0::/a\n", {{"a/cpu.max", "max 100000\n"}}, 0},
	{"0::/a\n", {{"a/cpu.max", "0 100000\n"}}, 1},
	/* The smallest on the way to the root counts; the root of a container has a quota, too. */
	{"0::" DEEP "\n",
	 {{"a/b/c/cpu.max", "400000 100000\n"},
	  {"a/b/cpu.max", "max 100000\n"},
	  {"a/cpu.max", "300000 100000\n"}},
	 3},
	{"0::" DEEP "\n",
	 {{"a/b/c/cpu.max", "200000 100000\n"}, {"a/cpu.max", "300000 100000\n"}},
	 2},
	{"0::/\n", {{"cpu.max", "100000 50000\n"}}, 2},
	{"0::/docker/0123\n", {{"cpu.max", "250000 100000\n"}}, 3},
	{"0::/../other\n", {{"cpu.max", "250000 100000\n"}}, 3},
	/* Huge. */
	{"0::/a\n", {{"a/cpu.max", "18446744073709551615 1\n"}}, UINT64_MAX},
	{"0::/a\n", {{"a/cpu.max", "18446744073709551615 2\n"}}, UINT64_MAX / 2 + 1},
	{"0::/a\n", {{"a/cpu.max", "18446744073709551616 100000\n"}}, 0},
	/* What makes no sense. */
	{"0::/a\n", {{"a/cpu.max", "200000 0\n"}}, 0},
	{"0::/a\n", {{"a/cpu.max", "200000\n"}}, 0},
	{"0::/a\n", {{"a/cpu.max", "200000 100000 7\n"}}, 0},
	{"0::/a\n", {{"a/cpu.max", "-1 100000\n"}}, 0},
	{"0::/a\n", {{"a/cpu.max", "2e5 1e5\n"}}, 0},
	{"0::/a\n", {{"a/cpu.max", ""}}, 0},
	{"0::/a\n", {{"a/cpu.max/directory", ""}}, 0},
	{"0::/a\n", {{"b/cpu.max", "200000 100000\n"}}, 0},
	{"", {{"cpu.max", "200000 100000\n"}}, 0},
	{"0:\n", {{"cpu.max", "200000 100000\n"}}, 0},
	{"nonsense\n", {{"cpu.max", "200000 100000\n"}}, 0},
	{"0::nonsense\n", {{"cpu.max", "200000 100000\n"}}, 0},
	/* Version 1, mounted by one name or by that of all its controllers. */
	{"3:memory:/a\n2:cpu:/a\n",
	 {{"cpu/a/cpu.cfs_quota_us", "150000\n"}, {"cpu/a/cpu.cfs_period_us", "100000\n"}},
	 2},
	{"4:cpu,cpuacct:/a\n0::/b\n",
	 {{"cpu,cpuacct/a/cpu.cfs_quota_us", "30000\n"},
	  {"cpu,cpuacct/a/cpu.cfs_period_us", "10000\n"}},
	 3},
	{"4:cpuacct,cpu:/a\n",
	 {{"cpu/a/cpu.cfs_quota_us", "30000\n"}, {"cpu/a/cpu.cfs_period_us", "10000\n"}},
	 3},
	{"2:cpu:/a/b\n",
	 {{"cpu/a/b/cpu.cfs_quota_us", "-1\n"},
	  {"cpu/a/b/cpu.cfs_period_us", "100000\n"},
	  {"cpu/a/cpu.cfs_quota_us", "400000\n"},
	  {"cpu/a/cpu.cfs_period_us", "100000\n"}},
	 4},
	{"2:cpu:/a\n", {{"cpu/a/cpu.cfs_quota_us", "150000\n"}}, 0},
	{"2:cpu:/a\n", {{"cpu/a/cpu.cfs_period_us", "150000\n"}}, 0},
	{"2:cpuset:/a\n",
	 {{"cpuset/a/cpu.cfs_quota_us", "150000\n"}, {"cpuset/a/cpu.cfs_period_us", "100000\n"}},
	 0},
	/* Both: the smaller one. */
	{"2:cpu:/a\n0::/a\n",
	 {{"cpu/a/cpu.cfs_quota_us", "400000\n"},
	  {"cpu/a/cpu.cfs_period_us", "100000\n"},
	  {"a/cpu.max", "300000 100000\n"}},
	 3},
};

static void make_parents(char *path)
{
	for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		*at = '\0';
		ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
		*at = '/';
	}
}

static const char *write_file(const char *name, const char *text)
{
	static char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", test_directory(), name);
	make_parents(path);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

TEST_EACH(the_smallest_quota_is_rounded_up, ARRAY_SIZE(cases))
{
	char root[4096], name[256];

	snprintf(root, sizeof(root), "%s/%d", test_directory(), _i);
	for (const struct file *file = cases[_i].files; file->path != NULL; file++) {
		snprintf(name, sizeof(name), "%d/%s", _i, file->path);
		write_file(name, file->text);
	}
	snprintf(name, sizeof(name), "groups%d", _i);
	ck_assert_uint_eq(cpu_quota(write_file(name, cases[_i].groups), root), cases[_i].cpus);
}

TEST(without_control_groups_there_is_no_quota)
{
	ck_assert_uint_eq(cpu_quota("/nowhere/at/all", test_directory()), 0);
	ck_assert_uint_eq(cpu_quota(test_directory(), test_directory()), 0);
}

TEST(a_path_that_is_too_long_is_no_quota)
{
	static char groups[8192] = "0::/";

	memset(groups + 4, 'x', 4090);
	strcat(groups, "\n2:cpu:/a\n");
	write_file("long/cpu/a/cpu.cfs_period_us", "100000\n");
	write_file("long/cpu/a/cpu.cfs_quota_us", "200000\n");
	snprintf(groups + 6000, 1000, "%s/long", test_directory());
	ck_assert_uint_eq(cpu_quota(write_file("groups-long", groups), groups + 6000), 2);
}

/* Whatever this host has. */
TEST(the_quota_of_the_test_itself_can_be_asked_for)
{
	(void)cpu_quota(CPU_QUOTA_GROUPS, CPU_QUOTA_ROOT);
}
