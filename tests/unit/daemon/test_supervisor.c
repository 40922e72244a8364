/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A daemon under a service manager that this test plays: what it says, and when. */

#include "config.h"

#include "daemon/supervisor.h"

#include <event2/event.h>
#include <sys/un.h>

#include "daemon/notify.h"
#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/faults.h"

static struct event_base *base;
static struct supervisor supervisor;
static char text[4096];
static int manager;
static unsigned status_due, watchdog_due;

static void on_status_due(void *arg)
{
	ck_assert_ptr_eq(arg, &manager);
	status_due++;
}

static void on_watchdog_due(void *arg)
{
	ck_assert_ptr_eq(arg, &manager);
	watchdog_due++;
}

/* The kernel picks a free abstract name. */
static void set_up(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(un);

	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&un, sizeof(sa_family_t)), 0);
	ck_assert_int_eq(getsockname(manager, (struct sockaddr *)&un, &length), 0);
	(void)snprintf(text, sizeof(text), "@%.*s",
		       (int)(length - offsetof(struct sockaddr_un, sun_path) - 1), un.sun_path + 1);
	setenv("NOTIFY_SOCKET", text, 1);
	setenv("WATCHDOG_USEC", "4000000", 1);
	notify_open();
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
}

static void tear_down(void)
{
	notify_detach();
	notify_close();
	event_base_free(base);
	close(manager);
}

static int start(void)
{
	return supervisor_init(&supervisor, base, on_status_due, on_watchdog_due, &manager);
}

/* The next datagram, or "" when there is none. */
static const char *heard(void)
{
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void pass(int64_t ms)
{
	fake_ms += ms;
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK), 0);
}

TEST_CASE("supervisor", set_up, tear_down);

TEST(a_status_line_is_sent_when_it_has_changed)
{
	ck_assert_int_eq(start(), 0);
	supervisor_ready(&supervisor, "one");
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=one\n");
	supervisor_status(&supervisor, "one");
	ck_assert_str_eq(heard(), "");
	supervisor_status(&supervisor, "two");
	ck_assert_str_eq(heard(), "STATUS=two\n");
	supervisor_ready(&supervisor, "two");
	ck_assert_str_eq(heard(), "READY=1\nSTATUS=two\n");
}

TEST(it_shows_that_the_last_reload_failed)
{
	ck_assert_int_eq(start(), 0);
	supervisor_ready(&supervisor, "one");
	(void)heard();
	supervisor.reload_failed = true;
	supervisor_status(&supervisor, "one");
	ck_assert_str_eq(heard(), "STATUS=the last reload failed, see the log; one\n");
	supervisor.reload_failed = false;
	supervisor_status(&supervisor, "one");
	ck_assert_str_eq(heard(), "STATUS=one\n");
}

TEST(the_daemon_is_asked_in_time)
{
	ck_assert_int_eq(start(), 0);
	pass(999);
	ck_assert_uint_eq(watchdog_due, 0);
	pass(1);
	ck_assert_uint_eq(watchdog_due, 1);
	for (int second = 1; second < 30; second++)
		pass(1000);
	ck_assert_uint_eq(watchdog_due, 30);
	ck_assert_uint_eq(status_due, 3);
	ck_assert_str_eq(heard(), ""); /* what it says is up to the daemon */
}

TEST(no_more_than_the_manager_wants)
{
	notify_close();
	setenv("NOTIFY_SOCKET", text, 1);
	unsetenv("WATCHDOG_USEC");
	notify_open();
	ck_assert_int_eq(start(), 0);
	pass(10000);
	ck_assert_uint_eq(status_due, 1);
	ck_assert_uint_eq(watchdog_due, 0);
	notify_close();
	unsetenv("NOTIFY_SOCKET");
	notify_open();
	ck_assert_int_eq(event_del(&supervisor.status_timer), 0);
	ck_assert_int_eq(start(), 0);
	pass(10000);
	ck_assert_uint_eq(status_due, 1);
}

TEST_EACH(without_memory_it_does_not_start, 2)
{
	int result;

	fault_after((unsigned)_i, MEMORY, ENOMEM);
	result = start();
	ck_assert(fault_over());
	ck_assert_int_eq(result, -1);
}
