/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A started echod is confined, and can still do what it needs for a reload and its end. */

#include "config.h"

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

#define ONE "[listener a]\naddress = 127.0.0.1:0\n"

static void expect_confined(pid_t thread, bool confined)
{
	ck_assert_int_eq(atoi(process_status(thread, "Seccomp:")), confined ? 2 : 0);
	ck_assert_int_eq(atoi(process_status(thread, "NoNewPrivs:")), confined);
}

/* Where it is an error that echod cannot be confined, it does not start. */
static void need_kernel(void)
{
	struct echod *echod;

	if (makes_more_calls())
		skip("a sanitizer or gcov makes calls of its own");
	echod = echod_spawn(ECHOD(.config = "[server]\nsandbox = kill\n" ONE));
	WAIT_UNTIL(!echod_running(echod) || strstr(echod_notified(echod), "READY=1"));
	if (!echod_running(echod))
		skip("this system cannot confine echod: %s", echod_log(echod));
	echod_stop(echod);
}

TEST(control_and_workers_are_confined_and_serve)
{
	struct echod *echod;
	pid_t worker;
	int fd;

	need_kernel();
	echod = echod_start("[server]\nworkers = 2\nsandbox = auto\n" ONE);
	ck_assert_uint_eq(echod_workers(echod, &worker), 2);
	expect_confined(echod_pid(echod), true);
	expect_confined(worker, true);
	fd = connect_to("127.0.0.1", port_of(echod));
	expect_echo(fd, "in", 2);
	echod_end(echod);
	ck_assert_uint_eq(echod_log_count(echod, "sandbox"), 0);
}

TEST(sandbox_no_confines_nothing)
{
	struct echod *echod = echod_start("[server]\nsandbox = no\n" ONE);
	pid_t worker;

	(void)echod_workers(echod, &worker);
	expect_confined(echod_pid(echod), false);
	expect_confined(worker, false);
	echod_reload(echod, "[server]\nsandbox = auto\n" ONE);
	ck_assert_uint_eq(echod_log_count(echod, "sandbox has changed"), 1);
}

static const char *strict_at(const char *directory)
{
	static char config[512];

	(void)snprintf(config, sizeof(config),
		       "[server]\nsandbox = kill\n[listener a]\naddress = unix:%s/s\n", directory);
	return config;
}

static bool has_socket(const char *directory)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/s", directory);
	return access(path, F_OK) == 0;
}

/* What the setting promises of a reload, in both directions. */
TEST(a_reload_may_use_the_directories_of_the_start_and_no_others)
{
	char known[256], unknown[256];
	struct echod *echod;

	need_kernel();
	(void)snprintf(known, sizeof(known), "%s", test_path("known.XXXXXX"));
	(void)snprintf(unknown, sizeof(unknown), "%s", test_path("unknown.XXXXXX"));
	ck_assert(mkdtemp(known) && mkdtemp(unknown));
	echod = echod_start(strict_at(known));
	echod_reload(echod, "[server]\nsandbox = kill\n" ONE);
	ck_assert(!has_socket(known));
	echod_reload(echod, strict_at(known));
	ck_assert(has_socket(known));
	ck_assert_uint_eq(echod_counter(echod, "reloads_failure"), 0);

	echod_reload(echod, strict_at(unknown));
	ck_assert_uint_eq(echod_counter(echod, "reloads_failure"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "sandbox was made without it: a restart"), 1);
	echod_end(echod);
	ck_assert(!has_socket(known));
}
