/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* One file of targets: what it may say, and how each mistake is called. */

#include "config.h"

#include <stdlib.h>

#include "base/bounded_text.h"
#include "echom/config/file_sd.h"
#include "support/test.h"

static struct watchlist configured = {.defaults = {.interval = 500}};
static struct target_set set;
static struct reason reason;

static void set_up(void)
{
	ck_assert_int_eq(target_set_begin(&set, &configured), 0);
}

static void tear_down(void)
{
	target_set_clear(&set);
}

TEST_CASE("file_sd", set_up, tear_down);

static int read_text(const char *text)
{
	return file_sd_read(&set, 0, text, strlen(text), &reason);
}

/* "a:7{,site="ams"} b:7{}" */
static const char *targets_text(void)
{
	static char bytes[2048];
	struct bounded_text text;

	bounded_text_begin(&text, bytes, sizeof(bytes));
	for (size_t i = 0; i < set.count; i++) {
		ck_assert_str_eq(watch_name(&set.targets[i]), set.targets[i].address);
		ck_assert_uint_eq(set.targets[i].interval, 500);
		bounded_text_add(&text, "%s%s{", i > 0 ? " " : "", watch_name(&set.targets[i]));
		labels_write(&set.targets[i].labels, &text);
		bounded_text_add(&text, "}");
	}
	return bytes;
}

static const struct {
	const char *text, *targets;
} good[] = {
	{"[]", ""},
	{"[{}]", ""},
	{"[{\"targets\":[]}]", ""},
	{"[{\"targets\":null,\"labels\":null}]", ""},
	{"[{\"labels\":{\"a\":\"b\"}}]", ""},
	{"[{\"targets\":[\"a\"]}]", "a:7{}"},
	{"[{\"targets\":[\"a:9\",\"192.0.2.1\",\"[2001:db8::1]:9\",\"::1\",\"fe80::1%eth0\"]}]",
	 "a:9{} 192.0.2.1:7{} [2001:db8::1]:9{} [::1]:7{} [fe80::1%eth0]:7{}"},
	{"[{\"targets\":[\"a\",\"b\"],\"labels\":{\"site\":\"ams\",\"r_1\":\"x y\"}}]",
	 "a:7{,site=\"ams\",r_1=\"x y\"} b:7{,site=\"ams\",r_1=\"x y\"}"},
	{"[{\"labels\":{\"site\":\"ams\"},\"targets\":[\"a\"]},{\"targets\":[\"b\"]}]",
	 "a:7{,site=\"ams\"} b:7{}"},
	{"[{\"targets\":[\"a\"],\"labels\":{\"__meta_x\":\"\\n\",\"x\":\"\",\"__address__\":\"c\"}}"
	 "]",
	 "a:7{,x=\"\"}"},
	{"[{\"targets\":[\"a\"],\"labels\":{\"x\":\"=\\\"\\\\ \\u00e9\"}}]",
	 "a:7{,x=\"=\\\"\\\\ \xc3\xa9\"}"},
};

TEST_EACH(groups_of_targets_are_read, ARRAY_SIZE(good))
{
	ck_assert_msg(read_text(good[_i].text) == 0, "%s", reason.text);
	ck_assert_str_eq(targets_text(), good[_i].targets);
}

static const struct {
	const char *text, *reason;
} bad[] = {
	{"", "1:1: expected \"[\", the list of groups, found the end of the file"},
	{"- targets: [a]", "1:1: expected \"[\", the list of groups, found a number"},
	{"{\"targets\":[\"a\"]}", "1:1: expected \"[\", the list of groups, found an object"},
	{"[\"a\"]", "1:2: expected \"{\", a group of targets, found a string"},
	{"[null]", "1:2: expected \"{\", a group of targets, found \"n\""},
	{"[{\"targets\":\"a\"}]", "1:13: expected \"[\", the list of targets, found a string"},
	{"[{\"targets\":[1]}]", "1:14: expected a target, \"HOST:PORT\", found a number"},
	{"[{\"targets\":[[\"a\"]]}]", "1:14: expected a target, \"HOST:PORT\", found an array"},
	{"[{\"targets\":[\"a\"],\"labels\":[]}]",
	 "1:28: expected \"{\", the labels, found an array"},
	{"[{\"labels\":{\"a\":1}}]",
	 "1:17: expected a string, the value of the label, found a number"},
	{"[{\"labels\":{\"a\":null}}]",
	 "1:17: expected a string, the value of the label, found \"n\""},
	{"[{\"labels\":{\"__a\":1}}]",
	 "1:19: expected a string, the value of the label, found a number"},
	{"[{\"target\":[\"a\"]}]", "1:3: unknown key \"target\": allowed are targets and labels"},
	{"[{\"Targets\":[\"a\"]}]", "1:3: unknown key \"Targets\": allowed are targets and labels"},
	{"[{\"\\u001b[2J\":[]}]", "1:3: a control character: only text is allowed"},
	{"[{\"targets\":[],\"targets\":[]}]", "1:16: \"targets\" is given twice"},
	{"[{\"labels\":{},\"labels\":{}}]", "1:15: \"labels\" is given twice"},
	{"[{\"targets\":[\"\"]}]", "1:14: missing host"},
	{"[{\"targets\":[\":7\"]}]", "1:14: missing host"},
	{"[{\"targets\":[\"a:0\"]}]", "1:14: port 0: must be from 1 to 65535"},
	{"[{\"targets\":[\"a:b\"]}]", "1:14: port \"b\" is not a whole number"},
	{"[{\"targets\":[\"http://a/\"]}]", "1:14: port \"//a/\" is not a whole number"},
	{"[{\"targets\":[\"a b\"]}]", "1:14: \"a b\" is not a host: letters, digits and . - _ : %"},
	{"[{\"targets\":[\"a\\\"\"]}]",
	 "1:14: \"a\"\" is not a host: letters, digits and . - _ : %"},
	{"[{\"targets\":[\"\xc3\xa9\"]}]",
	 "1:14: \"\xc3\xa9\" is not a host: letters, digits and . - _ : %"},
	{"[{\"targets\":[\"a\\n\"]}]", "1:14: a control character: only text is allowed"},
	{"[{\"targets\":[\"a\\u009b\"]}]", "1:14: a control character: only text is allowed"},
	{"[{\"labels\":{\"1a\":\"b\"}}]",
	 "1:18: \"1a\" is not the name of a label: letters, digits "
	 "and _, not beginning with a digit"},
	{"[{\"labels\":{\"\":\"b\"}}]",
	 "1:16: \"\" is not the name of a label: letters, digits and "
	 "_, not beginning with a digit"},
	{"[{\"labels\":{\"target\":\"b\"}}]",
	 "1:22: \"target\" is a label of echom's own: choose another name"},
	{"[{\"labels\":{\"a\":\"b\",\n\"a\":\"c\"}}]", "2:5: label \"a\" is given twice"},
	{"[{\"labels\":{\"a\":\"\\r\"}}]", "1:17: a control character: only text is allowed"},
	{"[{\"labels\":{\"a\\t\":\"\"}}]", "1:13: a control character: only text is allowed"},
	{"[{\"targets\":[\"a\"]},]", "1:20: expected \"{\", a group of targets, found \"]\""},
	{"[{\"targets\":[\"a\"]}", "1:19: expected \",\" or \"]\", found the end of the file"},
	{"[{\"targets\":[\"a\"]}] {}", "1:21: expected the end of the file, found an object"},
};

TEST_EACH(what_is_wrong_is_named_with_its_place, ARRAY_SIZE(bad))
{
	ck_assert_int_eq(read_text(bad[_i].text), -1);
	ck_assert_msg(strncmp(reason.text, bad[_i].reason, strlen(bad[_i].reason)) == 0, "%s",
		      reason.text);
}

/* COUNT labels l0, l1, ... of a target, the last with a value of LENGTH bytes. */
static int read_labels(unsigned count, unsigned length)
{
	static char text[8192];
	size_t used = (size_t)snprintf(text, sizeof(text), "[{\"targets\":[\"a\"],\"labels\":{");

	for (unsigned i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\"l%u\":\"%0*u\"",
					 i > 0 ? "," : "", i, i + 1 < count ? 1 : (int)length, 0);
	(void)snprintf(text + used, sizeof(text) - used, "}}]");
	return read_text(text);
}

TEST(labels_are_bounded)
{
	ck_assert_int_eq(read_labels(LABELS_MAX, LABEL_LENGTH_MAX), 0);
	ck_assert_uint_eq(set.targets[0].labels.count, LABELS_MAX);
	ck_assert_int_eq(read_labels(1, LABEL_LENGTH_MAX + 1), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "the string is longer than 128 bytes"));
	ck_assert_int_eq(read_labels(LABELS_MAX + 1, 1), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "a target has at most 16 labels"));
}

TEST(the_longest_host_fits_and_no_longer_one)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "[{\"targets\":[\"%0255d:65535\"]}]", 0);
	ck_assert_int_eq(read_text(text), 0);
	ck_assert_uint_eq(strlen(watch_name(&set.targets[0])), 255 + 6);
	(void)snprintf(text, sizeof(text), "[{\"targets\":[\"%0256d:65535\"]}]", 0);
	ck_assert_int_eq(read_text(text), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "is too long"));
	(void)snprintf(text, sizeof(text), "[{\"targets\":[\"%0280d\"]}]", 0);
	ck_assert_int_eq(read_text(text), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "the string is longer than 279 bytes"));
}

TEST(there_is_a_limit_to_targets)
{
	size_t size = 8 * (FILE_TARGETS_MAX + 8), used;
	char *text = malloc(size);

	ck_assert_ptr_nonnull(text);
	used = (size_t)snprintf(text, size, "[{\"targets\":[\"a\"");
	for (unsigned i = 1; i < FILE_TARGETS_MAX; i++) {
		memcpy(text + used, ",\"a\"", 4);
		used += 4;
	}
	memcpy(text + used, "]}]", 4);
	ck_assert_int_eq(read_text(text), 0);
	ck_assert_uint_eq(set.count, FILE_TARGETS_MAX);
	ck_assert_int_eq(read_text("[{\"targets\":[\"a\"]}]"), -1);
	ck_assert_str_eq(reason.text, "1:14: more than 100000 targets");
	free(text);
}
