/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The service manager's protocol against a socket of our own that plays the manager, byte for byte.
 */

#include "config.h"

#include <event2/event.h>
#include <sys/un.h>
#include <time.h>

#include "daemon/log.h"
#include "daemon/notify.h"
#include "support/test.h"

static char directory[] = "/tmp/test_notify.XXXXXX";
static char path[64];
static char text[4096];
static int manager = -1;

static void setup(void)
{
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(manager, 0);
}

static void teardown(void)
{
	notify_close();
	close(manager);
	manager = -1;
	if (path[0]) {
		unlink(path);
		rmdir(directory);
	}
}

static void bind_to_path(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&un, sizeof(un)), 0);
}

static void listen_on_path(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/notify", directory);
	bind_to_path();
	setenv("NOTIFY_SOCKET", path, 1);
}

static void open_at_path(void)
{
	setup();
	listen_on_path();
	notify_open();
}

/* The kernel picks a free abstract name. */
static void listen_on_abstract_name(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(un);

	ck_assert_int_eq(bind(manager, (struct sockaddr *)&un, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(getsockname(manager, (struct sockaddr *)&un, &length), 0);
	snprintf(text, sizeof(text), "@%.*s",
		 (int)(length - offsetof(struct sockaddr_un, sun_path) - 1), un.sun_path + 1);
	setenv("NOTIFY_SOCKET", text, 1);
}

/* The next datagram, or "" when there is none. */
static const char *heard(void)
{
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

TEST_CASE("protocol", setup, teardown);

TEST(an_abstract_socket_is_reached_by_its_exact_name)
{
	listen_on_abstract_name();
	notify_open();
	notify_watchdog();
	ck_assert_str_eq(heard(), "WATCHDOG=1\n");
}

TEST(without_a_manager_nothing_happens)
{
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000000", 1);
	notify_open();
	ck_assert(!notify_wanted());
	ck_assert_uint_eq(notify_watchdog_usec(), 0);
	notify_ready("x");
	notify_watchdog();
}

TEST(an_address_of_another_kind_is_ignored)
{
	static const char *const bad[] = {"", "/", "@", "relative", "vsock:2:1"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		notify_open();
		ck_assert_msg(!notify_wanted(), "%s", bad[i]);
	}
	memset(text, 'a', 200);
	text[0] = '/';
	text[200] = '\0';
	setenv("NOTIFY_SOCKET", text, 1);
	notify_open();
	ck_assert(!notify_wanted());
}

TEST(the_variables_are_removed_for_later_processes)
{
	listen_on_path();
	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_open();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
}

static uint64_t watchdog_with(const char *usec, const char *pid)
{
	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	notify_open();
	return notify_watchdog_usec();
}

TEST(the_watchdog_is_ours_only_with_our_pid_or_none)
{
	char own[16];

	listen_on_path();
	snprintf(own, sizeof(own), "%d", (int)getpid());
	ck_assert_uint_eq(watchdog_with("30000000", own), 30000000);
	ck_assert_uint_eq(watchdog_with("30000000", NULL), 30000000);
	ck_assert_uint_eq(watchdog_with("30000000", "1"), 0);
	ck_assert_uint_eq(watchdog_with("30000000", "x"), 0);
	ck_assert_uint_eq(watchdog_with("30s", own), 0);
	ck_assert_uint_eq(watchdog_with("0", own), 0);
}

TEST(a_failure_that_changes_nothing_is_one_line_at_debug_and_none_above)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	log_open();
	listen_on_path();
	notify_open();
	unlink(path);
	notify_watchdog();
	ck_assert_int_eq((int)read(ends[0], text, sizeof(text)), -1);
	/* But that it does not hear of our state is worth one. */
	notify_ready("started");
	text[read(ends[0], text, sizeof(text) - 1)] = '\0';
	ck_assert_ptr_nonnull(
		strstr(text, "warning: cannot notify the service manager yet: No such file"));
	ck_assert_ptr_eq(strchr(text, '\n') + 1, text + strlen(text));
	log_set_level(LEVEL_DEBUG);
	notify_watchdog();
	text[read(ends[0], text, sizeof(text) - 1)] = '\0';
	ck_assert_ptr_nonnull(
		strstr(text, "debug: cannot notify the service manager: No such file"));
	ck_assert_ptr_eq(strchr(text, '\n') + 1, text + strlen(text));
}

TEST_CASE("at a path", open_at_path, teardown);

static uint64_t monotonic_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

TEST(every_message_is_as_the_protocol_has_it)
{
	ck_assert(notify_wanted());
	notify_ready("serving 2 listeners");
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=serving 2 listeners\n");
	notify_status("3 connections");
	ck_assert_str_eq(heard(), "STATUS=3 connections\n");
	notify_watchdog();
	ck_assert_str_eq(heard(), "WATCHDOG=1\n");
	notify_stopping(12500000);
	ck_assert_str_eq(heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=12500000\n");
	ck_assert_str_eq(heard(), "");
}

TEST(reloading_carries_the_monotonic_time)
{
	static const char start[] = "RELOADING=1\nMONOTONIC_USEC=";
	uint64_t before = monotonic_usec();
	uint64_t told;
	char *end;

	notify_reloading();
	ck_assert_int_eq(strncmp(heard(), start, sizeof(start) - 1), 0);
	told = strtoull(text + sizeof(start) - 1, &end, 10);
	ck_assert_str_eq(end, "\n");
	ck_assert_uint_ge(told, before);
	ck_assert_uint_le(told, monotonic_usec());
}

TEST(a_manager_that_does_not_read_never_makes_us_wait)
{
	for (int i = 0; i < 5000; i++)
		notify_watchdog();
	ck_assert_str_eq(heard(), "WATCHDOG=1\n");
}

/* Until its queue is full; how many that takes. */
static int fill_queue(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), count = 0;

	memcpy(un.sun_path, path, strlen(path) + 1);
	while (sendto(other, "x", 1, 0, (struct sockaddr *)&un, sizeof(un)) == 1)
		count++;
	close(other);
	return count;
}

static void empty_queue(int count)
{
	while (count-- > 0)
		ck_assert_str_eq(heard(), "x");
}

TEST(what_a_busy_manager_must_know_reaches_it_later)
{
	struct event_base *base = event_base_new();
	int waiting = fill_queue();

	notify_attach(base);
	notify_ready("started");
	notify_reloading();
	notify_ready("reloaded");
	notify_status("lost");
	notify_ready("reloaded twice");
	/* Once in vain, the second time with success. */
	ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	empty_queue(waiting);
	ck_assert_str_eq(heard(), "");
	ck_assert_int_eq(event_base_dispatch(base), 1); /* nothing is left to do */
	ck_assert_ptr_eq(strstr(heard(), "RELOADING=1\nMONOTONIC_USEC="), text);
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=reloaded twice\n");
	ck_assert_str_eq(heard(), "");
	notify_detach();
	event_base_free(base);
}

TEST(what_is_sent_next_comes_after_what_is_kept)
{
	int waiting = fill_queue();

	notify_reloading();
	notify_stopping(1000000);
	empty_queue(waiting);
	notify_watchdog();
	ck_assert_str_eq(heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=1000000\n");
	ck_assert_str_eq(heard(), "WATCHDOG=1\n");
	ck_assert_str_eq(heard(), "");
}

/* One place in its queue, two messages for it. */
TEST(a_reload_reported_in_part_is_reported_to_its_end)
{
	int waiting = fill_queue();

	notify_reloading();
	ck_assert_str_eq(heard(), "x");
	notify_ready("reloaded");
	empty_queue(waiting - 1);
	ck_assert_ptr_eq(strstr(heard(), "RELOADING=1\n"), text);
	notify_watchdog();
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=reloaded\n");
	ck_assert_str_eq(heard(), "WATCHDOG=1\n");
}

/* The stop is over before the loop could try again. */
TEST(what_is_kept_is_sent_at_the_end)
{
	int waiting = fill_queue();

	notify_stopping(1000000);
	empty_queue(waiting);
	notify_close();
	ck_assert_str_eq(heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=1000000\n");
	ck_assert_str_eq(heard(), "");
}

TEST(a_busy_manager_is_waited_for_at_the_end_but_not_for_ever)
{
	uint64_t before;

	fill_queue();
	notify_stopping(1000000);
	before = monotonic_usec();
	notify_close();
	ck_assert_uint_ge(monotonic_usec() - before, 80 * 1000);
}

TEST(a_manager_that_made_its_socket_anew_is_found)
{
	notify_watchdog();
	close(manager);
	unlink(path);
	setup();
	bind_to_path();
	notify_status("back");
	ck_assert_str_eq(heard(), "STATUS=back\n");
}
