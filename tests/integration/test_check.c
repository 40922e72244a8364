/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Checking a file (-t) and showing what it comes to (-T). What echod does when no file is named:
 * port 7, and the file at the default place once there is one; in a network and with files of its
 * own, as far as that is permitted.
 */

#include "config.h"

#include <sched.h>
#include <sys/mount.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

TEST(a_check_of_the_file_opens_no_socket)
{
	char config[128], ok[512];
	struct echod *echod;
	uint16_t port;

	occupy(SOCK_STREAM, &port);
	snprintf(config, sizeof(config), "[listener a]\naddress = 127.0.0.1:%d unix:@DIR@/s\n",
		 port);
	echod = finished_with(config, ARGUMENTS("-t"), 0);
	snprintf(ok, sizeof(ok), "%s: ok\n", echod_path(echod, "echod.conf"));
	ck_assert_str_eq(echod_output(echod), ok);
	ck_assert_str_eq(echod_log(echod), "");
	ck_assert_int_ne(access(echod_path(echod, "s"), F_OK), 0);
}

TEST(a_check_prints_every_error_with_its_line)
{
	struct echod *echod = finished_with("[server]\nworkers = none\n\n[listener a]\n"
					    "address = nowhere:7\nudp_rate = -1\n",
					    ARGUMENTS("--test"), BAD_FILE);
	const char *log = echod_log(echod);

	ck_assert_uint_eq(lines(log), 3);
	ck_assert_ptr_nonnull(strstr(log, "echod.conf:2: workers: "));
	ck_assert_ptr_nonnull(strstr(log, "echod.conf:5: address: "));
	ck_assert_ptr_nonnull(strstr(log, "echod.conf:6: udp_rate: "));
	ck_assert_str_eq(echod_output(echod), "");
}

static void fill_the_disk(void *arg UNUSED)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (full < 0 || dup2(full, STDOUT_FILENO) < 0)
		_exit(FAILURE + USAGE);
}

TEST(what_cannot_be_written_is_no_success)
{
	static const char *const options[] = {"-t", "-T", "-V", "-h"};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct echod *echod =
			finished(ECHOD(.config = "", .arguments = ARGUMENTS(options[i]),
				       .prepare = fill_the_disk),
				 FAILURE);

		expect_one_line(echod, "cannot write to standard output", "");
	}
}

TEST(a_dump_reads_back_the_same)
{
	struct echod *first = finished_with("[server]\nmax_clients = 77\n", ARGUMENTS("-T"), 0);
	struct echod *second = finished_with(echod_output(first), ARGUMENTS("--dump"), 0);

	ck_assert_ptr_nonnull(strstr(echod_output(first), "max_clients = 77\n"));
	ck_assert_ptr_nonnull(strstr(echod_output(first), "[listener echo]\naddress = *:7\n"));
	ck_assert_str_eq(echod_output(first), echod_output(second));
	ck_assert_str_eq(echod_log(second), "");
}

static const char default_file[] = SYSCONFDIR "/echod.conf";

/*
 * An empty directory in place of the one with the default file, for this process and its children.
 */
static void begin_with_nothing(void)
{
	if (geteuid() != 0 || !own_network() || unshare(CLONE_NEWNS) < 0)
		skip("this takes root, and a network and files of its own");
	if (access(SYSCONFDIR, F_OK) < 0)
		skip("there is no " SYSCONFDIR);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("echod-test", SYSCONFDIR, "tmpfs", 0, NULL) < 0)
		skip("mount: %s", strerror(errno));
}

static void write_default_file(const char *text)
{
	FILE *file = fopen(default_file, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void reload(struct echod *echod)
{
	size_t ready = echod_notified_count(echod, "READY=1");

	echod_signal(echod, SIGHUP);
	WAIT_UNTIL(echod_notified_count(echod, "READY=1") > ready);
}

TEST_EACH(without_a_file_port_7_is_served, 2)
{
	begin_with_nothing();
	(void)loopback_of(_i);
	echod_start_with(ECHOD(.config = NULL));
	expect_served(loopback_of(_i), 7);
	if (_i == 0)
		expect_served("127.0.0.5", 7);
}

TEST(a_file_that_comes_is_read_and_then_must_stay)
{
	struct echod *echod;

	begin_with_nothing();
	echod = echod_start_with(ECHOD(.config = NULL));
	reload(echod);
	expect_served("127.0.0.1", 7);
	write_default_file("[listener a]\naddress = 127.0.0.2:8\n");
	reload(echod);
	expect_served("127.0.0.2", 8);
	ck_assert_int_lt(try_connect("127.0.0.1", 7), 0);
	ck_assert_int_eq(unlink(default_file), 0);
	reload(echod);
	ck_assert_uint_eq(echod_log_count(echod, "reload failed"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "not found: create it"), 1);
	expect_served("127.0.0.2", 8);
}

TEST(a_bad_file_at_the_default_place_is_refused)
{
	struct echod *echod;

	begin_with_nothing();
	write_default_file("[listener]\n");
	echod = finished_with(NULL, NULL, BAD_FILE);
	ck_assert_uint_eq(echod_log_count(echod, "echod.conf:1: a listener needs a name"), 1);
}
