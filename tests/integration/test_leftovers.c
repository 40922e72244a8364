/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The files of unix sockets: whose they are, when they come and when they go; and what is
 * inherited.
 */

#include "config.h"

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

static const char both_sockets[] = "[listener a]\naddress = unix:@DIR@/s unixgram:@DIR@/d\n";

static bool there(const struct echod *echod, const char *name)
{
	return access(echod_path(echod, name), F_OK) == 0;
}

TEST_CASE("files");

TEST(socket_files_are_for_everyone_and_go_at_the_end)
{
	struct echod *echod = echod_start(both_sockets);
	struct stat status;

	ck_assert_int_eq(stat(echod_path(echod, "s"), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0666);
	ck_assert_int_eq(stat(echod_path(echod, "d"), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0666);
	echod_signal(echod, SIGTERM);
	ck_assert_int_eq(echod_wait(echod), 0);
	ck_assert(!there(echod, "s"));
	ck_assert(!there(echod, "d"));
	echod_free(echod);
}

/* In a directory that outlives the echod that is killed. */
static const char in_test_directory[] = "[listener a]\naddress = unix:@DIR@/../s\n";

TEST(a_stale_socket_file_is_replaced)
{
	struct echod *killed = echod_start(in_test_directory);
	struct echod *next;
	int fd;

	echod_signal(killed, SIGKILL);
	ck_assert_int_eq(echod_wait(killed), 128 + SIGKILL);
	ck_assert(there(killed, "../s"));
	next = echod_start(in_test_directory);
	fd = connect_to(echod_path(next, "../s"), 0);
	expect_echo(fd, "again", 5);
	close(fd);
	echod_stop(next);
	ck_assert(!there(killed, "../s"));
	echod_free(killed);
}

TEST(a_socket_file_in_use_is_left_alone)
{
	struct echod *first = echod_start(in_test_directory);
	struct echod_setup setup = {.config = in_test_directory};
	struct echod *second = echod_spawn(&setup);
	int fd;

	ck_assert_int_eq(echod_wait(second), 1);
	ck_assert_uint_eq(echod_log_count(second, "another program has it"), 1);
	fd = connect_to(echod_path(first, "../s"), 0);
	expect_echo(fd, "mine", 4);
	close(fd);
	echod_free(second);
	echod_stop(first);
}

TEST(a_file_that_is_no_socket_is_left_alone)
{
	struct echod_setup setup = {
		.config = "[listener a]\naddress = unix:@DIR@/new unix:@DIR@/echod.conf\n"};
	struct echod *echod = echod_spawn(&setup);
	struct stat status;

	ck_assert_int_eq(echod_wait(echod), 1);
	ck_assert_uint_eq(echod_log_count(echod, "it is no socket"), 1);
	ck_assert_int_eq(stat(echod_path(echod, "echod.conf"), &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	ck_assert(!there(echod, "new"));
	echod_free(echod);
}

TEST(a_socket_file_that_somebody_replaced_is_not_removed)
{
	struct echod *first = echod_start(in_test_directory);
	struct echod *second;
	int fd;

	ck_assert_int_eq(unlink(echod_path(first, "../s")), 0);
	second = echod_start(in_test_directory);
	echod_stop(first);
	fd = connect_to(echod_path(second, "../s"), 0);
	expect_echo(fd, "there", 5);
	close(fd);
	echod_stop(second);
}

TEST(a_path_without_a_directory_is_named)
{
	struct echod_setup setup = {.config = "[listener a]\naddress = unix:@DIR@/none/s\n"};
	struct echod *echod = echod_spawn(&setup);

	ck_assert_int_eq(echod_wait(echod), 1);
	ck_assert_uint_eq(echod_log_count(echod, "/none/s: bind: No such file or directory"), 1);
	echod_free(echod);
}

static void close_standard_descriptors(void *arg UNUSED)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
}

TEST_CASE("descriptors");

/*
 * A line of the log must never go into a socket that happens to have the number of standard error.
 */
TEST(closed_standard_descriptors_are_not_reused)
{
	struct echod_setup setup = {.config = both_sockets, .prepare = close_standard_descriptors};
	struct echod *echod = echod_start_with(&setup);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		char path[64], what[256] = "";

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)echod_pid(echod), fd);
		ck_assert_int_gt(readlink(path, what, sizeof(what) - 1), 0);
		ck_assert_msg(strcmp(what, "/dev/null") == 0, "descriptor %d is %s", fd, what);
	}
}
