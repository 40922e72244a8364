/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What becomes of an echoc that is stopped for a while, or is to stop: what it did itself is not
 * called the path's, and replies that waited meanwhile, whose time of arrival is unknown, are
 * not called late.
 */

#include "config.h"

#include <sys/un.h>
#include <time.h>

#include "base/ancillary.h"
#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/held_server.h"
#include "integration/json_lines.h"
#include "integration/net.h"

static bool is_stamped_as_it_comes(int fd)
{
	struct address self = at("127.0.0.1", port_bound_to(fd));
	_Alignas(struct cmsghdr) unsigned char control[256];
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct timespec stamp, sent;

	send_datagram(fd, &self, "x", 1);
	clock_gettime(CLOCK_REALTIME, &sent);
	ck_assert_int_eq(recvmsg(fd, &message, 0), 1);
	for (struct cmsghdr *note = CMSG_FIRSTHDR(&message); note;
	     note = ancillary_next(&message, note)) {
		if (note->cmsg_level != SOL_SOCKET || note->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(note), sizeof(stamp));
		return stamp.tv_sec < sent.tv_sec ||
		       (stamp.tv_sec == sent.tv_sec && stamp.tv_nsec < sent.tv_nsec);
	}
	return false;
}

/*
 * The kernel stamps what comes from a moment after the first socket of the host has asked for that.
 * Until then it says when it was read. This one stays open.
 */
static void have_stamps(void)
{
	const int on = 1;
	int fd = datagram_socket("127.0.0.1");

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)), 0);
	WAIT_UNTIL(is_stamped_as_it_comes(fd));
}

#define TIMEOUT_MS 2000

/* The reply waits in the socket until after the timeout, but it had come in time. */
TEST_EACH(a_reply_that_came_while_stopped_is_received, 2)
{
	const char *transport = _i == 1 ? "-u" : "-v";
	struct held_server server;
	struct echoc echoc;
	int64_t stopped;

	have_stamps();
	held_server_start(&server, _i == 1 ? SOCK_DGRAM : SOCK_STREAM);
	echoc = echoc_start(ECHOC_ARGS("ping", transport, "--json", "-c", "2", "-i", "200ms", "-W",
				       "2s", server.target));
	held_server_take(&server);
	WAIT_UNTIL(echoc_is_asleep(&echoc)); /* from there its timers go first when it goes on */
	echoc_pause(&echoc);
	held_server_answer(&server);
	stopped = now_ms();
	WAIT_UNTIL(now_ms() - stopped > TIMEOUT_MS + 500);
	kill(echoc.pid, SIGCONT);
	held_server_take(&server);
	held_server_answer(&server);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, NULL);
	ck_assert_uint_eq(json_check(echoc.output), 4);
	ck_assert_double_eq(sum_of(&echoc, "received"), 2);
	ck_assert_double_ge(sum_of(&echoc, "skipped"), 10);
	ck_assert_double_lt(json_get(echoc.output, "reply", "rtt_us"), TIMEOUT_MS * 1000);
}

#define FLOOD 1000

/* More than any socket has room for. */
TEST(what_our_own_socket_dropped_is_named)
{
	struct held_server server;
	struct echoc echoc;

	held_server_start(&server, SOCK_DGRAM);
	echoc = echoc_start(ECHOC_ARGS("ping", "-u", "-q", "-c", "1", "-s", "60000", "-W", "20s",
				       server.target));
	held_server_take(&server);
	echoc_pause(&echoc);
	for (int i = 0; i < FLOOD; i++)
		held_server_answer(&server);
	kill(echoc.pid, SIGCONT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, "1 sent, 1 received",
	       " dropped by our own socket's buffer, not by the network:\n"
	       "  raise net.core.rmem_max");
}

/* The kernel has no room for the replies to 1 and 2 behind many to 3. */
TEST(what_our_own_socket_dropped_is_no_outage)
{
	struct held_server server;
	struct datagram earlier[2];
	struct echoc echoc;

	held_server_start(&server, SOCK_DGRAM);
	echoc = echoc_start(ECHOC_ARGS("ping", "-u", "--json", "-c", "3", "-i", "20ms", "-s",
				       "60000", "-W", "3s", server.target));
	for (int i = 0; i < 2; i++) {
		held_server_take(&server);
		earlier[i] = server.message;
	}
	held_server_take(&server);
	WAIT_UNTIL(echoc_is_asleep(&echoc));
	echoc_pause(&echoc);
	for (int i = 0; i < FLOOD; i++)
		held_server_answer(&server);
	for (int i = 0; i < 2; i++)
		send_datagram(server.fd, &earlier[i].from, earlier[i].data, earlier[i].size);
	kill(echoc.pid, SIGCONT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 1, "\"reason\":\"dropped by our own socket\"");
	(void)json_check(echoc.output);
	ck_assert_double_eq(sum_of(&echoc, "lost"), 2);
	ck_assert_double_ge(sum_of(&echoc, "own_drops"), 2);
	ck_assert_double_eq(sum_of(&echoc, "outages"), 0);
	ck_assert_double_eq(sum_of(&echoc, "loss_runs"), 0);
	ck_assert_uint_eq(json_count(echoc.output, "outage"), 0);
}

#define PAUSE_MS 400

/* While it was stopped the path may have been up or down. */
TEST_EACH(a_pause_is_no_part_of_an_outage, 2)
{
	bool as_json = _i == 1;
	struct held_server server;
	struct echoc echoc;
	double duration;
	int64_t stopped;

	held_server_start(&server, SOCK_DGRAM);
	echoc = echoc_start(ECHOC_ARGS("ping", "-u", as_json ? "--json" : "-v", "-c", "6", "-i",
				       "100ms", "-W", "1s", server.target));
	for (int i = 0; i < 4; i++) {
		held_server_take(&server);
		if (i == 0)
			held_server_answer(&server);
	}
	echoc_pause(&echoc);
	stopped = now_ms();
	WAIT_UNTIL(now_ms() - stopped >= PAUSE_MS);
	kill(echoc.pid, SIGCONT);
	for (int i = 0; i < 2; i++) {
		held_server_take(&server);
		held_server_answer(&server);
	}
	echoc_finish(&echoc, NULL, 0);
	if (!as_json) {
		EXPECT(&echoc, 1, ", 3 probes, not counting 0.", " s in which echoc was stopped\n");
		return;
	}
	(void)json_check(echoc.output);
	ck_assert_double_ge(json_get(echoc.output, "outage", "paused_s"), 0.2);
	duration = json_get(echoc.output, "outage", "duration_s");
	ck_assert_double_eq_tol(json_get(echoc.output, "outage", "duration_max_s"),
				duration + json_get(echoc.output, "outage", "paused_s") + 0.1,
				0.09);
	ck_assert_double_eq_tol(sum_of(&echoc, "outage_s"), duration, 0.0011);
	ck_assert_double_eq(json_get(echoc.output, "outage", "own_losses"), 0);
}

/* Probes are not caught up after a stop, but the time of the run is what it was. */
TEST(a_pause_is_part_of_the_time_of_the_run)
{
	struct echoc echoc = echoc_start(
		ECHOC_ARGS("ping", "-u", "--json", "-i", "20ms", FAULTY(.datagram = true)));
	int64_t seen, stopped;

	echoc_await(&echoc, "\"seq\":3,");
	seen = now_ms();
	echoc_pause(&echoc);
	stopped = now_ms();
	WAIT_UNTIL(now_ms() - stopped >= PAUSE_MS);
	kill(echoc.pid, SIGCONT);
	echoc_await(&echoc, "\"seq\":15,");
	seen = now_ms() - seen;
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
	ck_assert_double_ge(1000 * sum_of(&echoc, "elapsed_s"), (double)seen - 2);
	ck_assert_double_ge(sum_of(&echoc, "skipped"), PAUSE_MS / 20 - 6);
}

static bool has_ended_by(const struct echoc *echoc, int number)
{
	kill(echoc->pid, number);
	return echoc_has_ended(echoc);
}

TEST(a_later_interrupt_does_not_wait)
{
	struct echoc echoc =
		echoc_start(ECHOC_ARGS("ping", "-u", "-c", "3", "-i", "20ms", "-W", "1h",
				       FAULTY(.datagram = true, .fault = FAULT_DROP, .at = 2)));

	echoc_await(&echoc, "seq=3 ");
	WAIT_UNTIL(has_ended_by(&echoc, SIGINT));
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 1, "seq=2 lost (stopped)", " 1 lost");
}

/* As timeout(1) does: one to its child, one to the group that both are in. */
TEST(two_signals_at_once_are_one)
{
	struct held_server server;
	struct echoc echoc;

	held_server_start(&server, SOCK_DGRAM);
	echoc = echoc_start(ECHOC_ARGS("ping", "-u", "-i", "1h", "-W", "1h", server.target));
	held_server_take(&server);
	echoc_pause(&echoc);
	kill(echoc.pid, SIGTERM);
	kill(echoc.pid, SIGINT);
	kill(echoc.pid, SIGCONT);
	/* SIGQUIT has it print a line, by which it has seen the others. */
	kill(echoc.pid, SIGQUIT);
	echoc_await(&echoc, "0/0 received");
	held_server_answer(&server);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, "1 sent, 1 received, 0 lost");
}

TEST(two_signals_at_once_are_one_to_a_bench_too)
{
	struct echoc echoc =
		echoc_start(ECHOC_ARGS("bench", "--json", "-d", "1h", FAULTY(.fault = FAULT_NONE)));

	echoc_await(&echoc, "interval");
	echoc_pause(&echoc);
	kill(echoc.pid, SIGTERM);
	kill(echoc.pid, SIGINT);
	kill(echoc.pid, SIGCONT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, NULL);
	ck_assert_double_eq(sum_of(&echoc, "lost"), 0);
}

#define STORMS 20

/* A key that is held down: the summary comes, and the exit status is what it should be. */
TEST(no_number_of_interrupts_ends_it_without_its_summary)
{
	struct faulty faulty = {.datagram = true};
	const char *target = faulty_start(&faulty);

	for (int i = 0; i < STORMS; i++) {
		struct echoc echoc =
			echoc_start(ECHOC_ARGS("ping", "-u", "-i", "5ms", "-W", "20s", target));
		int64_t give_up_at = now_ms() + patience_ms();

		echoc_await(&echoc, "seq=2 ");
		while (!has_ended_by(&echoc, SIGINT))
			ck_assert_int_lt(now_ms(), give_up_at);
		echoc_finish(&echoc, NULL, 0);
		ck_assert_msg(echoc.status < 128, "ended by signal %d", echoc.status - 128);
		EXPECT(&echoc, echoc.status, "echo statistics");
	}
}

/* Every reply comes after the timeout, most of them after the interval that its loss was in. */
TEST(late_is_a_part_of_lost_in_every_interval)
{
	struct faulty faulty = {.datagram = true, .fault = FAULT_DELAY, .delay_ms = 500};
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-u", "-q", "--json", "-c", "30", "-i", "50ms", "-W",
				     "200ms", "--report", "200ms", faulty_start(&faulty)));
	const char *text = echoc.output;

	ck_assert_uint_ge(json_count(text, "interval"), 2);
	for (; (text = strstr(text, "{\"type\":\"interval\"")) != NULL; text++)
		ck_assert_double_le(json_get(text, "interval", "late"),
				    json_get(text, "interval", "lost"));
	ck_assert_double_ge(sum_of(&echoc, "late"), 1);
}

#define SHORT_TIMEOUT_MS 1000
#define LONG_PAUSE_MS (SHORT_TIMEOUT_MS + 500)

static void let_pass(int64_t ms)
{
	int64_t begun = now_ms();

	WAIT_UNTIL(now_ms() - begun >= ms);
}

static void expect_books(struct echoc *echoc, int status, double received, double late)
{
	echoc_finish(echoc, NULL, 0);
	EXPECT(echoc, status, NULL);
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
	let_pass(LONG_PAUSE_MS);
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
	let_pass(LONG_PAUSE_MS);
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
	let_pass(LONG_PAUSE_MS);
	kill(echoc.pid, SIGCONT);
	echoc_finish(&echoc, NULL, 0);
	/* It may have sent another one first, which is not answered. */
	EXPECT_ERRORS(&echoc, echoc.status, "was itself stopped for 1.");
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
	let_pass(LONG_PAUSE_MS);
	kill(echoc.pid, SIGCONT);
	expect_books(&echoc, 0, 400, 0);
}
