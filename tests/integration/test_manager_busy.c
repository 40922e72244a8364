/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a service manager is told that does not read for a while. */

#include "config.h"

#include "base/address.h"
#include "integration/harness.h"
#include "integration/process.h"
#include "integration/scenes.h"

#define LISTENER "[listener a]\naddress = 127.0.0.1:0\n"

/* A manager whose socket is full already. */
static int busy_manager(void)
{
	struct address name = {.length = sizeof(name.un), .un.sun_family = AF_UNIX};
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int others = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(name.un.sun_path, sizeof(name.un.sun_path), "%s/manager", test_directory());
	unlink(name.un.sun_path);
	ck_assert_int_eq(bind(manager, &name.sa, name.length), 0);
	while (sendto(others, "x", 1, 0, &name.sa, name.length) == 1)
		;
	ck_assert_int_eq(errno, EAGAIN);
	close(others);
	return manager;
}

/* The next that it hears and that is not from those others, nor a sign of life or a mere status. */
static const char *heard_of_state(int manager)
{
	static char text[2048];
	ssize_t size;

	do {
		WAIT_UNTIL((size = recv(manager, text, sizeof(text) - 1, 0)) > 0);
		text[size] = '\0';
	} while (strcmp(text, "x") == 0 || strncmp(text, "STATUS=", 7) == 0);
	return text;
}

/* When it counts it has gone on from whatever it told before. */
static void expect_unimpeded(struct echod *echod)
{
	ck_assert_uint_eq(echod_counter(echod, "tcp_connections"), 0);
}

static void expect_heard(int manager, const char *start)
{
	const char *text = heard_of_state(manager);

	ck_assert_msg(strncmp(text, start, strlen(start)) == 0, "heard: %s", text);
}

static struct echod *spawn_for_busy_manager(void)
{
	struct echod_setup setup = {
		.config = LISTENER,
		.environment = ARGUMENTS("NOTIFY_SOCKET=@DIR@/../manager"),
	};
	struct echod *echod = echod_spawn(&setup);

	echod_wait_log(echod, "listening on tcp");
	expect_unimpeded(echod);
	return echod;
}

TEST(a_manager_that_was_busy_hears_that_all_is_ready)
{
	int manager = busy_manager();
	struct echod *echod = spawn_for_busy_manager();

	expect_heard(manager, "READY=1\nSTATUS=");
	echod_stop(echod);
	expect_heard(manager, "STOPPING=1\n");
	close(manager);
}

TEST(a_manager_that_was_busy_hears_of_the_last_reload_in_order)
{
	int manager = busy_manager();
	struct echod *echod = spawn_for_busy_manager();

	for (size_t reloads = 1; reloads <= 3; reloads++) {
		echod_signal(echod, SIGHUP);
		WAIT_UNTIL(echod_log_count(echod, ": reloaded") == reloads);
		expect_unimpeded(echod);
	}
	expect_heard(manager, "RELOADING=1\nMONOTONIC_USEC=");
	expect_heard(manager, "READY=1\nSTATUS=");
	echod_stop(echod);
	expect_heard(manager, "STOPPING=1\n");
	close(manager);
}
