/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Files of targets that are wrong, or for which something runs out: what they said before stays. */

#include "config.h"

#include <errno.h>

#include "unit/faults.h"
#include "unit/target_files_scene.h"

TEST_CASE("target_files_bad", set_up_files, tear_down_files);

TEST(a_bad_file_keeps_what_it_said_and_is_reported_once)
{
	configure("a b", "");
	write_file("a", ONE("a"));
	write_file("b", ONE("b"));
	load();
	write_file("a", "[{\"targets\":[\"a\"");
	write_file("b", ONE("c"));
	ck_assert(refresh());
	expect_said("E a:1:17: expected \",\" or \"]\", found the end of the file; its earlier "
		    "targets stay\nN b: 1 target\n");
	ck_assert_str_eq(watched(), "a:7 c:7");
	ck_assert_uint_eq(target_files_bad(files), 1);
	for (int i = 0; i < 3; i++)
		ck_assert(!refresh());
	expect_said("");
	write_file("a", "[{\"targets\":[\"\"");
	ck_assert(!refresh());
	expect_said("E a:1:14: missing host; its earlier targets stay\n");
	write_file("a", ONE("d"));
	ck_assert(refresh());
	expect_said("N a: 1 target\n");
	ck_assert_str_eq(watched(), "d:7 c:7");
	ck_assert_uint_eq(target_files_bad(files), 0);
}

TEST(a_file_that_is_bad_at_the_start_has_no_targets)
{
	configure("a", "[target x]\naddress = x\n");
	write_file("a", "");
	load();
	expect_said("E a:1:1: expected \"[\", the list of groups, found the end of the file\n");
	ck_assert_str_eq(watched(), "x");
	ck_assert_uint_eq(target_files_bad(files), 1);
}

TEST(a_reload_keeps_the_targets_of_a_bad_file)
{
	configure("a b", "");
	write_file("a", ONE("a"));
	write_file("b", ONE("b"));
	load();
	write_file("a", "[");
	configure("a", "[defaults]\nlabels = site=ams\n");
	load();
	expect_said("E a:1:2: expected \"{\", a group of targets, found the end of the file; its "
		    "earlier targets stay\n");
	ck_assert_str_eq(watched(), "a:7,site=\"ams\"");
	configure("a", "[target x]\n");
	said[0] = '\0';
	{
		struct target_files *next;

		ck_assert_ptr_null(load_next(&next));
		target_files_free(next);
	}
	write_file("a", ONE("c"));
	ck_assert(refresh());
	ck_assert_str_eq(watched(), "c:7,site=\"ams\"");
}

TEST(no_two_targets_have_one_name)
{
	configure("a b", "[target b]\naddress = b\n");
	write_file("b", "[]");
	write_file("a", "[{\"targets\":[\"a\", \"b\"]},\n {\"targets\":[\"a:7\"]}]");
	load();
	expect_said("E a:2:14: target \"a:7\" is also in a:1:14\n");
	ck_assert_str_eq(watched(), "b");
	write_file("a", ONE("b")); /* named b:7, other than the configuration's */
	ck_assert(refresh());
	ck_assert_str_eq(watched(), "b b:7");
	write_file("b", "[{\"targets\":[\"c\",\"b\"]}]");
	said[0] = '\0';
	ck_assert(!refresh());
	expect_said("E b:1:18: target \"b:7\" is also in a:1:14; its earlier targets stay\n");
}

TEST(of_two_files_with_one_target_the_newer_is_wrong)
{
	configure("a b", "");
	write_file("a", ONE("a"));
	write_file("b", ONE("b"));
	load();
	write_file("a", "[{\"targets\":[\"a\",\"b\"]}]");
	ck_assert(!refresh());
	expect_said("E a:1:18: target \"b:7\" is also in b:1:14; its earlier targets stay\n");
	ck_assert_str_eq(watched(), "a:7 b:7");
	/* It moves: now the other one is without it. */
	write_file("b", ONE("c"));
	ck_assert(refresh());
	expect_said("N a: 2 targets\nN b: 1 target\n");
	ck_assert_str_eq(watched(), "a:7 b:7 c:7");
}

TEST(texts_in_force_that_do_not_go_together_are_wrong_too)
{
	configure("a", "");
	write_file("a", ONE("a"));
	write_file("b", ONE("a"));
	load();
	configure("b a", "");
	load();
	expect_said("E b:1:14: target \"a:7\" is also in a:1:14\n");
	ck_assert_str_eq(watched(), "a:7");
}

TEST(what_is_no_readable_file_is_bad)
{
	configure("a", "");
	write_file("a", ONE("a"));
	load();
	ck_assert_int_eq(truncate(path_of("a"), (16 << 20) + 1), 0);
	ck_assert(!refresh());
	expect_said("E a: is larger than 16777216 bytes, the maximum; its earlier targets stay\n");
	ck_assert_int_eq(unlink(path_of("a")), 0);
	ck_assert_int_eq(mkdir(path_of("a"), 0700), 0);
	ck_assert(!refresh());
	expect_said("E a: is a directory, not a file; its earlier targets stay\n");
	ck_assert_int_eq(rmdir(path_of("a")), 0);
	if (geteuid() != 0)
		skip("only root can become another user");
	write_file("a", ONE("b"));
	ck_assert_int_eq(chmod(directory, 0711), 0);
	ck_assert_int_eq(chmod(path_of("a"), 0600), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert(!refresh());
	ck_assert_int_eq(seteuid(0), 0);
	expect_said("E a: cannot open: Permission denied: the user that the daemon runs as must be "
		    "able to read it; its earlier targets stay\n");
	ck_assert_str_eq(watched(), "a:7");
}

static const struct {
	const char *paths, *error;
} refusals[] = {
	{"targets_file = a.json",
	 "targets_file: \"a.json\" does not begin with /: name the whole path"},
	{"targets_file = /a/*.json", "targets_file: \"/a/*.json\" is a pattern: name each file"},
	{"targets_file = /a /b /a", "targets_file: \"/a\" is named twice"},
};

TEST_EACH(paths_are_checked, ARRAY_SIZE(refusals))
{
	struct target_files *next;
	char line[128];

	configure("", refusals[_i].paths);
	ck_assert_ptr_null(load_next(&next));
	(void)snprintf(line, sizeof(line), "E conf:2: %s\n", refusals[_i].error);
	expect_said(line);
}

TEST(there_is_a_limit_to_files)
{
	struct target_files *next;
	char text[2048] = "[server]\n";

	for (int i = 0; i <= PATHS_MAX; i++)
		(void)snprintf(text + strlen(text), 32, "targets_file = /%d\n", i);
	write_file("conf", text);
	ck_assert_ptr_null(load_next(&next));
	expect_said("E conf:66: targets_file: more than 64 files\n");
}

TEST(without_memory_nothing_changes)
{
	unsigned refused = 0;
	bool failed = true;

	configure("a b", "[target x]\naddress = x\n");
	write_file("a", "[{\"targets\":[\"a\"],\"labels\":{\"site\":\"ams\"}}]");
	write_file("b", ONE("b"));
	for (unsigned skip = 0; failed; skip++) {
		struct target_files *next;
		struct watchlist *loaded;

		said[0] = '\0';
		fault_after(skip, MEMORY, ENOMEM);
		loaded = load_next(&next);
		failed = fault_over();
		ck_assert(loaded || strlen(said) > 0);
		ck_assert(!loaded || !failed || target_files_bad(next) > 0 || loaded->count == 3);
		refused += !loaded;
		watchlist_release(loaded);
		target_files_free(next);
	}
	ck_assert_uint_ge(refused, 8);
}

TEST(without_memory_a_change_comes_later)
{
	unsigned delayed = 0;
	bool failed = true;

	configure("a", "[target x]\naddress = x\n");
	write_file("a", ONE("a"));
	load();
	for (unsigned skip = 0; failed; skip++) {
		bool even = skip % 2 == 0, changed;

		write_file("a", even ? "[{\"targets\":[\"b\"],\"labels\":{\"site\":\"ams\"}}]"
				     : ONE("a"));
		fault_after(skip, MEMORY, ENOMEM);
		changed = refresh();
		failed = fault_over();
		delayed += !changed;
		if (!changed)
			ck_assert(refresh());
		ck_assert_str_eq(watched(), even ? "x b:7,site=\"ams\"" : "x a:7");
		said[0] = '\0';
	}
	ck_assert_uint_ge(delayed, 5);
}
