/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the service manager receives, even if it does not read for a while. */

#include "config.h"

#include <time.h>

#include "base/address.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

#define LISTENER "[listener a]\naddress = 127.0.0.1:0\n"

/* Enough for one to be on every worker. */
#define CONNECTIONS 16
#define WATCHDOG_MS 2000

TEST(ready_comes_with_a_status_when_everything_listens)
{
	struct echod *echod = echod_start(LISTENER "address = unix:@DIR@/s\n");
	const char *told = echod_notified(echod);
	int fd = try_connect("127.0.0.1", port_of(echod));
	int local = try_connect(echod_path(echod, "s"), 0);

	ck_assert_msg(strncmp(told, "READY=1\nSTATUS=", 15) == 0, "told: %s", told);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(local, 0);
	ck_assert_uint_eq(echod_log_count(echod, "listening on tcp 127.0.0.1:"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "listening on udp 127.0.0.1:"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "listening on unix /"), 1);
}

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* RELOADING=1 with its time, then READY=1, and nothing between; *TOLD is moved behind. */
static void expect_reloading_then_ready(const char **told, uint64_t from, uint64_t until)
{
	static const char reloading[] = "RELOADING=1\nMONOTONIC_USEC=";
	const char *at = strstr(*told, "RELOADING=1");
	char *end;
	uint64_t when;

	ck_assert_ptr_nonnull(at);
	ck_assert_msg(strncmp(at, reloading, strlen(reloading)) == 0, "told: %s", at);
	when = strtoull(at + strlen(reloading), &end, 10);
	ck_assert_uint_ge(when, from);
	ck_assert_uint_le(when, until);
	ck_assert_msg(strncmp(end, "\n\nREADY=1\nSTATUS=", 17) == 0, "told: %s", end);
	*told = end + 2;
}

TEST(a_reload_is_announced_and_in_force_when_it_is_ready)
{
	static const char config[] = "[server]\nworkers = 2\n" LISTENER;
	struct echod *echod = echod_start(config);
	int fds[CONNECTIONS];

	for (size_t i = 0; i < CONNECTIONS; i++) {
		fds[i] = connect_to("127.0.0.1", port_of(echod));
		expect_echo(fds[i], "x", 1);
	}
	for (int turn = 0; turn < 10; turn++) {
		size_t before = strlen(echod_notified(echod));
		uint64_t from = now_usec();
		const char *told;

		echod_reload(echod, turn % 2 == 0 ? "[server]\nworkers = 2\n" LISTENER
						    "prefix = >\n"
						  : config);
		told = echod_notified(echod) + before;
		expect_reloading_then_ready(&told, from, now_usec());
		for (size_t i = 0; i < CONNECTIONS; i++) {
			send_all(fds[i], "x", 1);
			expect_text(fds[i], turn % 2 == 0 ? ">x" : "x");
			ck_assert(nothing_to_read(fds[i]));
		}
	}
}

TEST(a_reload_that_fails_is_announced_and_ends_in_ready_too)
{
	struct echod *echod = echod_start(LISTENER);
	size_t before = strlen(echod_notified(echod));
	uint64_t from = now_usec();
	const char *told;

	echod_reload(echod, "nonsense\n");
	told = echod_notified(echod) + before;
	expect_reloading_then_ready(&told, from, now_usec());
	ck_assert_uint_eq(echod_log_count(echod, "reload failed"), 1);
}

TEST(a_stop_is_announced_with_the_time_it_may_take)
{
	struct echod *echod = echod_start("[server]\ndrain_timeout = 7s\n" LISTENER);
	const char *told;
	uint64_t usec;

	echod_end(echod);
	told = strstr(echod_notified(echod), "STOPPING=1");
	ck_assert_ptr_nonnull(told);
	told = strstr(told, "EXTEND_TIMEOUT_USEC=");
	ck_assert_ptr_nonnull(told);
	usec = strtoull(strchr(told, '=') + 1, NULL, 10);
	ck_assert_uint_ge(usec, 7000000);
	ck_assert_uint_lt(usec, 60000000);
	ck_assert_uint_eq(echod_notified_count(echod, "STOPPING=1"), 1);
}

static struct echod *start_watched(const char *usec, const char *config)
{
	char variable[64];

	snprintf(variable, sizeof(variable), "WATCHDOG_USEC=%s", usec);
	return echod_start_with(ECHOD(.config = config, .environment = ARGUMENTS(variable)));
}

/* Three more signs of life, each in time; false if one was late, as on a stalled machine. */
static bool in_rhythm(struct echod *echod)
{
	size_t signs = echod_notified_count(echod, "WATCHDOG=1");

	for (int i = 0; i < 3; i++) {
		int64_t since = now_ms();

		WAIT_UNTIL(echod_notified_count(echod, "WATCHDOG=1") > signs);
		if (now_ms() - since >= WATCHDOG_MS)
			return false;
		signs = echod_notified_count(echod, "WATCHDOG=1");
	}
	return true;
}

TEST(the_watchdog_is_fed_also_during_a_stop)
{
	struct echod *echod = start_watched("2000000", "[server]\ndrain_timeout = 10m\n" LISTENER);

	stall(echod);
	WAIT_UNTIL(in_rhythm(echod));
	echod_signal(echod, SIGTERM);
	echod_wait_log(echod, "stopping: 1 connection");
	WAIT_UNTIL(in_rhythm(echod));
	echod_stop_now(echod);
}

TEST(a_stalled_worker_keeps_the_watchdog_silent)
{
	struct echod *echod = start_watched("200000", "[server]\nworkers = 2\n" LISTENER);
	pid_t worker;
	size_t signs;
	int64_t held;

	ck_assert_uint_eq(echod_workers(echod, &worker), 2);
	WAIT_UNTIL(echod_notified_count(echod, "WATCHDOG=1") > 1);
	hold_thread(worker);
	signs = echod_notified_count(echod, "WATCHDOG=1");
	held = now_ms();
	WAIT_UNTIL(now_ms() - held > 10 * 50);
	/* It may have answered once more before. */
	ck_assert_uint_le(echod_notified_count(echod, "WATCHDOG=1"), signs + 1);
	release_thread(worker);
	WAIT_UNTIL(echod_notified_count(echod, "WATCHDOG=1") > signs + 1);
}

/* Other questions to the worker in the meantime must not delay the sign of life. */
TEST(a_late_answer_is_a_sign_of_life_at_once)
{
	struct echod *echod = start_watched("1000000", "[server]\nworkers = 2\n" LISTENER);
	pid_t worker;
	int64_t held;
	size_t signs;

	ck_assert_uint_eq(echod_workers(echod, &worker), 2);
	hold_thread(worker);
	echod_signal(echod, SIGUSR1);
	held = now_ms();
	WAIT_UNTIL(now_ms() - held > 4 * 250);
	signs = echod_notified_count(echod, "WATCHDOG=1");
	release_thread(worker);
	echod_wait_log(echod, "tcp_connections=");
	ck_assert_uint_gt(echod_notified_count(echod, "WATCHDOG=1"), signs);
}

static bool echoes(int fd)
{
	char byte;

	send_all(fd, "x", 1);
	for (int tries = 0; tries < 50; tries++) {
		if (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
			return true;
		look_again_soon();
	}
	return false;
}

/* A client that reconnects at once must not be accepted and closed again. */
TEST(connections_end_when_nobody_listens_any_more)
{
	struct echod *echod = echod_start("[server]\nworkers = 2\n" LISTENER);
	int fds[CONNECTIONS], served = -1;
	pid_t worker;

	ck_assert_uint_eq(echod_workers(echod, &worker), 2);
	for (size_t i = 0; i < CONNECTIONS; i++)
		fds[i] = connect_to("127.0.0.1", port_of(echod));
	hold_thread(worker);
	for (size_t i = 0; i < CONNECTIONS && served < 0; i++)
		served = echoes(fds[i]) ? fds[i] : -1;
	if (served < 0)
		skip("all connections went to one worker");
	echod_signal(echod, SIGTERM);
	echod_wait_log(echod, "stopping: ");
	for (int i = 0; i < 50; i++) {
		expect_echo(served, "x", 1);
		look_again_soon();
	}
	release_thread(worker);
	expect_end(served);
	ck_assert_int_eq(echod_wait(echod), 0);
}

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

/* The next message, except those of the others, signs of life and mere status. */
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

/* It answers with its counters, so it does not wait for the manager. */
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
	struct echod *echod =
		echod_spawn(ECHOD(.config = LISTENER,
				  .environment = ARGUMENTS("NOTIFY_SOCKET=@DIR@/../manager")));

	echod_wait_log(echod, "listening on tcp");
	expect_unimpeded(echod);
	return echod;
}

TEST(a_manager_that_was_busy_is_notified_of_ready_later)
{
	int manager = busy_manager();
	struct echod *echod = spawn_for_busy_manager();

	expect_heard(manager, "READY=1\nSTATUS=");
	echod_stop(echod);
	expect_heard(manager, "STOPPING=1\n");
}
