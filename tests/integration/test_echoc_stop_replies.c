/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Replies that waited while echoc itself was stopped, of which nobody knows when they came: they
 * are not called late.
 */

#include "config.h"

#include <sys/un.h>

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/held_server.h"
#include "integration/json_lines.h"
#include "integration/net.h"

#define TIMEOUT_MS 1000
#define PAUSE_MS (TIMEOUT_MS + 500)

static double sum_of(const struct echoc *echoc, const char *name)
{
	return json_get(echoc->output, "summary", name);
}

static void let_pass(int64_t ms)
{
	int64_t begun = now_ms();

	WAIT_UNTIL(now_ms() - begun >= ms);
}

static void expect_books(struct echoc *echoc, int status, double received, double late)
{
	echoc_finish(echoc, NULL, 0);
	EXPECT(echoc, status, "");
	ck_assert_uint_gt(json_check(echoc->output), 0);
	ck_assert_double_eq(sum_of(echoc, "received"), received);
	ck_assert_double_eq(sum_of(echoc, "late"), late);
}

/* The kernel has one stamp for both replies, which is that of the second. */
TEST(a_later_reply_does_not_make_an_earlier_one_late)
{
	struct held_server server;
	struct datagram second;
	struct echoc echoc;

	held_server_start(&server, SOCK_STREAM);
	echoc = echoc_start(
		ECHOC_ARGS("ping", "--json", "-c", "2", "-i", "50ms", "-W", "1s", server.target));
	held_server_take(&server);
	second = server.message;
	held_server_take(&server);
	echoc_pause(&echoc);
	send_all(server.fd, second.data, second.size);
	let_pass(PAUSE_MS);
	held_server_answer(&server);
	kill(echoc.pid, SIGCONT);
	expect_books(&echoc, 1, 1, 1);
}

/* Of a unix stream there is none at all. */
TEST(a_reply_without_a_stamp_is_received)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct held_server server = {.fd = -1};
	char target[sizeof(name.sun_path) + 8];
	struct echoc echoc;

	snprintf(name.sun_path, sizeof(name.sun_path), "/tmp/echoc-stop.%d", (int)getpid());
	snprintf(target, sizeof(target), "unix:%s", name.sun_path);
	server.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(server.listener, (struct sockaddr *)&name, sizeof(name)), 0);
	ck_assert_int_eq(listen(server.listener, 1), 0);
	echoc = echoc_start(ECHOC_ARGS("ping", "--json", "-c", "1", "-W", "1s", target));
	held_server_take(&server);
	unlink(name.sun_path);
	echoc_pause(&echoc);
	held_server_answer(&server);
	let_pass(PAUSE_MS);
	kill(echoc.pid, SIGCONT);
	expect_books(&echoc, 0, 1, 0);
}

/* It goes on when all is over: the time to send, the timeout and the time for the rest. */
TEST_EACH(what_waits_for_a_stopped_bench_is_received, 2)
{
	struct held_server server;
	struct echoc echoc;

	held_server_start(&server, _i == 1 ? SOCK_DGRAM : SOCK_STREAM);
	echoc = echoc_start(
		ECHOC_ARGS("bench", _i == 1 ? "-u" : "-v", "--json", "-d", "100ms", server.target));
	held_server_take(&server);
	WAIT_UNTIL(echoc_is_asleep(&echoc));
	echoc_pause(&echoc);
	held_server_answer(&server);
	let_pass(PAUSE_MS);
	kill(echoc.pid, SIGCONT);
	echoc_finish(&echoc, NULL, 0);
	/* It may have sent another one first, which nobody answers. */
	EXPECT(&echoc, echoc.status, "was itself stopped for 1.");
	ck_assert_double_eq(sum_of(&echoc, "received"), 1);
	ck_assert_double_eq(sum_of(&echoc, "late"), 0);
}

/* With what was due meanwhile: it is sent at once, and all of it is older than the timeout. */
TEST(what_was_due_while_a_bench_was_stopped_is_received)
{
	struct echoc echoc = echoc_start(ECHOC_ARGS("bench", "-u", "--json", "-r", "100", "-d",
						    "4s", FAULTY(.datagram = true)));

	echoc_await(&echoc, "interval");
	echoc_pause(&echoc);
	let_pass(PAUSE_MS);
	kill(echoc.pid, SIGCONT);
	expect_books(&echoc, 0, 400, 0);
}
