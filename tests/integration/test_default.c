/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What echod does when no file is named: port 7, and the file at the default place once there is
 * one. In a network and with files of its own, as far as that is permitted.
 */

#include "config.h"

#include <sched.h>
#include <sys/mount.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

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

static void expect_echo_at(const char *host, uint16_t port)
{
	int stream = connect_to(host, port), datagrams = datagram_socket(host);

	expect_echo(stream, "x", 1);
	expect_datagram_echo(datagrams, host, port, "x", 1);
	close(stream);
	close(datagrams);
}

TEST(without_a_file_port_7_is_served)
{
	struct echod_setup setup = {.config = NULL};

	begin_with_nothing();
	echod_start_with(&setup);
	expect_echo_at("127.0.0.1", 7);
	expect_echo_at("127.0.0.5", 7);
	if (has_ipv6())
		expect_echo_at("::1", 7);
}

TEST(a_file_that_comes_is_read_and_then_must_stay)
{
	struct echod_setup setup = {.config = NULL};
	struct echod *echod;

	begin_with_nothing();
	echod = echod_start_with(&setup);
	reload(echod);
	expect_echo_at("127.0.0.1", 7);
	write_default_file("[listener a]\naddress = 127.0.0.2:8\n");
	reload(echod);
	expect_echo_at("127.0.0.2", 8);
	ck_assert_int_lt(try_connect("127.0.0.1", 7), 0);
	ck_assert_int_eq(unlink(default_file), 0);
	reload(echod);
	ck_assert_uint_eq(echod_log_count(echod, "reload failed"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "not found: create it"), 1);
	expect_echo_at("127.0.0.2", 8);
}

TEST(a_bad_file_at_the_default_place_is_refused)
{
	struct echod_setup setup = {.config = NULL};
	struct echod *echod;

	begin_with_nothing();
	write_default_file("[listener]\n");
	echod = echod_spawn(&setup);
	ck_assert_int_eq(echod_wait(echod), 6);
	ck_assert_uint_eq(echod_log_count(echod, "echod.conf:1: a listener needs a name"), 1);
	echod_free(echod);
}
