/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A daemon of daemon/ and base/ alone (tests/daemon/minid.c): its file is checked and dumped, a
 * reload changes all or nothing, and the service manager hears of it.
 */

#include "config.h"

#include "integration/endpoint.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

/* It is built beside the directory of this program. */
static void run_minid(void)
{
	static char path[4096 + 32];
	ssize_t length = readlink("/proc/self/exe", path, 4096);
	char *end;

	ck_assert_int_gt(length, 0);
	path[length] = '\0';
	end = strrchr(path, '/');
	snprintf(end, sizeof(path) - (size_t)(end - path), "/../daemon/minid");
	ck_assert_int_eq(setenv("ECHOD", path, 1), 0);
}

TEST_CASE("daemon", run_minid);

static void expect_page(struct echod *minid, const char *text)
{
	int fd = connect_to("127.0.0.1", echod_port(minid, "http 127.0.0.1"));

	ck_assert_str_eq(endpoint_get_over(fd, "/", NULL), text);
}

TEST(a_wrong_file_is_refused_with_its_lines)
{
	static const char file[] = "[server]\ntext = a\nlisten = nowhere\ntext = b\n[page]\n";
	struct echod *minid = finished_with(file, ARGUMENTS("-t"), BAD_FILE);
	const char *log = echod_log(minid);

	ck_assert_uint_eq(lines(log), 3);
	ck_assert_ptr_nonnull(strstr(log, "echod.conf:3: listen: \"nowhere\" has no port"));
	ck_assert_ptr_nonnull(strstr(log, "echod.conf:4: text is already set on line 2"));
	ck_assert_ptr_nonnull(strstr(log, "echod.conf:5: unknown section [page]: use [server]"));
	ck_assert_str_eq(echod_output(minid), "");
}

TEST(a_good_file_is_ok_and_dumped_with_its_defaults)
{
	static const char file[] = "[server]\ntext = \\x41 \\\\\n";
	struct echod *minid = finished_with(file, ARGUMENTS("-t"), 0);

	ck_assert_ptr_nonnull(strstr(echod_output(minid), "echod.conf: ok\n"));
	echod_free(minid);
	minid = finished_with(file, ARGUMENTS("-T"), 0);
	ck_assert_str_eq(echod_output(minid), "[server]\nlisten = 127.0.0.1:0\ntext = A \\\\\n");
}

TEST(a_reload_changes_all_or_nothing)
{
	struct echod *minid = echod_start("");

	expect_page(minid, "hello\n");
	echod_reload(minid, "[server]\ntext = again\nlisten = 127.0.0.1:1\n");
	expect_page(minid, "again\n");
	ck_assert_uint_eq(echod_log_count(minid, "listen has changed: restart to apply"), 1);
	echod_reload(minid, "[server]\ntext = never\nlisten = 7\n");
	expect_page(minid, "again\n");
	ck_assert_uint_eq(echod_log_count(minid, "echod.conf:3: listen: \"7\" has no port"), 1);
	ck_assert_uint_eq(echod_notified_count(minid, "STATUS=reload failed"), 1);
	echod_stop(minid);
}

TEST(the_service_manager_is_notified_of_each_step)
{
	struct echod *minid = echod_start("");

	echod_reload(minid, "[server]\ntext = again\n");
	ck_assert_uint_eq(echod_notified_count(minid, "RELOADING=1"), 1);
	ck_assert_uint_eq(echod_notified_count(minid, "READY=1"), 2);
	echod_end(minid);
	ck_assert_uint_eq(echod_notified_count(minid, "STOPPING=1"), 1);
}
