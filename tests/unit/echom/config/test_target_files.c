/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Files of targets that come, change and go: what is watched then, and what is said about it. */

#include "config.h"

#include "unit/target_files_scene.h"

TEST_CASE("target_files", set_up_files, tear_down_files);

TEST(targets_of_files_follow_those_of_the_configuration)
{
	configure("a b", "[defaults]\ninterval = 5s\nlabels = site=ams\n[target x]\naddress = x\n");
	write_file("a", "[{\"targets\":[\"a\",\"b:9\"],\"labels\":{\"role\":\"core\"}}]");
	write_file("b", ONE("[::1]"));
	load();
	expect_said("");
	ck_assert_str_eq(watched(), "x,site=\"ams\" a:7,role=\"core\" b:9,role=\"core\" "
				    "[::1]:7,site=\"ams\"");
	for (size_t i = 0; i < list->count; i++)
		ck_assert_uint_eq(list->targets[i].interval, 5000);
	ck_assert_uint_eq(target_files_count(files), 2);
	ck_assert_uint_eq(target_files_bad(files) + target_files_missing(files), 0);
}

TEST(the_protocol_of_the_defaults_decides_about_ports_and_flows)
{
	configure("a", "[defaults]\nprotocol = stamp\nflows = 4\n");
	write_file("a", ONE("a"));
	load();
	ck_assert_str_eq(watched(), "a:862");
	ck_assert_uint_eq(list->targets[0].flows, 4);
	configure("a", "[defaults]\nprotocol = tcp\nflows = 4\n");
	load();
	ck_assert_str_eq(watched(), "a:7");
	ck_assert_uint_eq(list->targets[0].flows, 1);
}

TEST(without_files_the_list_is_that_of_the_configuration)
{
	configure("", "[target x]\naddress = x\n");
	load();
	ck_assert_str_eq(watched(), "x");
	ck_assert_ptr_null(list->configured);
	ck_assert_uint_eq(target_files_count(files), 0);
	ck_assert(!refresh());
	target_files_free(NULL);
}

TEST(a_bad_configuration_is_none)
{
	struct target_files *next;

	configure("a", "[target x]\n");
	ck_assert_ptr_null(load_next(&next));
	ck_assert_ptr_null(next);
	expect_said("E conf:3: [target x] has no address: add one\n");
}

static const struct {
	void (*write)(const char *name, const char *text);
} ways[] = {{write_file}, {replace_file}};

TEST_EACH(a_change_is_noticed_and_reported, ARRAY_SIZE(ways))
{
	configure("a", "");
	ways[_i].write("a", ONE("a"));
	load();
	ck_assert(!refresh());
	expect_said("");
	ways[_i].write("a", "[{\"targets\":[\"b\",\"c\"]}]");
	ck_assert(refresh());
	ck_assert_str_eq(watched(), "b:7 c:7");
	expect_said("N a: 2 targets\n");
	ways[_i].write("a", ONE("d"));
	ck_assert(refresh());
	ck_assert_str_eq(watched(), "d:7");
	expect_said("N a: 1 target\n");
	ck_assert(!refresh());
	expect_said("");
}

/* As Kubernetes changes a ConfigMap: the link's own path stays. */
TEST(a_link_to_another_file_is_a_change)
{
	configure("link", "");
	write_file("a", ONE("a"));
	write_file("b", ONE("b"));
	ck_assert_int_eq(symlink("a", path_of("link")), 0);
	load();
	ck_assert_str_eq(watched(), "a:7");
	ck_assert_int_eq(symlink("b", path_of("new")), 0);
	ck_assert_int_eq(rename(path_of("new"), path_of("link")), 0);
	ck_assert(refresh());
	ck_assert_str_eq(watched(), "b:7");
}

TEST(the_same_text_is_no_change)
{
	configure("a", "");
	write_file("a", ONE("a"));
	load();
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		ways[i].write("a", ONE("a"));
		ck_assert(!refresh());
	}
	expect_said("");
}

TEST(a_file_may_come_later_and_go_again)
{
	configure("a", "");
	load();
	expect_said("W a: not found: no targets until it exists\n");
	ck_assert_str_eq(watched(), "");
	ck_assert_uint_eq(target_files_missing(files), 1);
	ck_assert(!refresh());
	expect_said("");
	write_file("a", ONE("a"));
	ck_assert(refresh());
	expect_said("N a: 1 target\n");
	ck_assert_uint_eq(target_files_missing(files), 0);
	ck_assert_int_eq(unlink(path_of("a")), 0);
	for (int i = 0; i < 3; i++)
		ck_assert(!refresh());
	expect_said("W a: not found; its earlier targets stay\n");
	ck_assert_str_eq(watched(), "a:7");
	write_file("a", ONE("a"));
	ck_assert(!refresh());
	expect_said("N a: good again, with the same targets\n");
	ck_assert_uint_eq(target_files_missing(files), 0);
}

/* With other defaults or paths even texts in force may not go together. */
TEST(what_could_not_be_put_in_force_is_offered_again)
{
	configure("a", "");
	write_file("a", ONE("a"));
	load();
	write_file("a", ONE("b"));
	ck_assert(refresh());
	target_files_retry(files);
	ck_assert(refresh());
	ck_assert(!refresh());
	ck_assert_str_eq(watched(), "b:7");
}

TEST(a_dump_shows_the_targets_of_files_as_comments)
{
	char *text = NULL;
	size_t length;
	FILE *out;
	struct watchlist *again;
	struct target_files *next;

	configure("a", "[target x]\naddress = x\n");
	write_file("a", "[{\"targets\":[\"a\"],\"labels\":{\"site\":\"x \\\"y\\\"\",\"z\":\"\"}}]");
	load();
	out = open_memstream(&text, &length);
	ck_assert_int_eq(watchlist_dump(list, out), 0);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text,
				     "\n\n# Targets of targets_file, with the settings of "
				     "[defaults]:\n#a:7\n#  site=\"x \\\"y\\\"\"\n#  z=\"\"\n"));
	write_file("conf", text);
	again = load_next(&next);
	ck_assert_ptr_nonnull(again);
	ck_assert_uint_eq(again->count, 2);
	expect_said("");
	watchlist_release(again);
	target_files_free(next);
	free(text);
}

TEST(a_long_name_is_dumped_as_a_line_that_can_be_read)
{
	char text[1024], *dumped = NULL;
	size_t length;
	FILE *out;

	configure("a", "");
	(void)snprintf(text, sizeof(text),
		       "[{\"targets\":[\"%0255d\"],\"labels\":{\"%s%0120d\":\"%0128d\"}}]", 0, "l",
		       0, 0);
	write_file("a", text);
	load();
	out = open_memstream(&dumped, &length);
	ck_assert_int_eq(watchlist_dump(list, out), 0);
	fclose(out);
	write_file("conf", dumped);
	load();
	expect_said("");
	free(dumped);
}
