/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A worker on its own thread, directed as by control, with clients at its sockets. */

#include "config.h"

#include "echod/worker/worker.h"

#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "echod/guard/client_table.h"
#include "echod/guard/rate_limit.h"
#include "echod/serving/loop.h"
#include "echod/sockets/socket_table.h"
#include "echod/worker/plan.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "unit/config_text.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"

static struct shared_tables shared;
static struct loop *loops[1];
static struct socket_table *table;
static struct worker *worker;
static int answer_fd;

static atomic_uint looks; /* waits of any thread that do not sleep */

int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
	if (timeout == 0)
		atomic_fetch_add(&looks, 1);
	return (int)syscall(SYS_epoll_pwait, epoll, events, room, timeout, NULL, 0);
}

static void set_up(void)
{
	memset(&shared, 0, sizeof(shared));
	shared.clients = client_table_new();
	shared.rates = rate_limit_new();
	shared.loops = loops;
	shared.loop_count = ARRAY_SIZE(loops);
	client_table_set_limit(shared.clients, 100);
	answer_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	worker = worker_new(0, &shared, answer_fd);
	ck_assert_ptr_nonnull(worker);
}

static void tear_down(void)
{
	worker_free(worker);
	socket_table_free(table);
	table = NULL;
	client_table_free(shared.clients);
	rate_limit_free(shared.rates);
	close(answer_fd);
}

static void start(void)
{
	ck_assert_int_eq(worker_start(worker, SANDBOX_NO), 0);
}

static void give(const char *text)
{
	struct config *config = load_good(text);
	struct socket_table *next;
	struct reason reason;

	next = socket_table_open(table, config, 1, &reason);
	ck_assert_msg(next != NULL, "%s", reason.text);
	worker_give_plan(worker, plan_new(config, next, NULL, 0, 1));
	socket_table_free(table);
	table = next;
	config_release(config);
}

static bool rung(void)
{
	uint64_t rings;

	return read(answer_fd, &rings, sizeof(rings)) == sizeof(rings);
}

static void ask_and_wait(void)
{
	worker_ask(worker);
	WAIT_UNTIL(rung() && worker_answered(worker));
}

static void stop_and_wait(bool abort)
{
	worker_stop(worker, abort);
	WAIT_UNTIL(worker_ended(worker));
}

static int dial(void)
{
	return connect_to("127.0.0.1", address_port(&table->bindings[0].address));
}

/* A client of a worker that serves TEXT. */
static int served(const char *text)
{
	start();
	give(text);
	ask_and_wait();
	return dial();
}

TEST_CASE("worker", set_up, tear_down);

TEST(what_was_handed_over_before_a_question_is_done_by_its_answer)
{
	int fd = served(PLAIN "prefix = 1>\n");

	send_all(fd, "x", 1);
	expect_text(fd, "1>x");
	give(PLAIN "prefix = 2>\n");
	ask_and_wait();
	send_all(fd, "x", 1);
	expect_text(fd, "2>x");
	close(fd);
	stop_and_wait(false);
}

TEST(an_answer_is_for_the_last_question)
{
	ck_assert(worker_answered(worker));
	for (int i = 0; i < 3; i++)
		worker_ask(worker);
	ck_assert(!worker_answered(worker));
	start();
	WAIT_UNTIL(rung());
	ck_assert(worker_answered(worker));
	ask_and_wait();
	stop_and_wait(false);
}

TEST(the_count_is_whole_when_a_question_is_answered)
{
	uint64_t expected = 0;
	char data[1000] = "";
	int fd = served(PLAIN);

	for (size_t size = 1; size <= sizeof(data); size += 37) {
		expect_echo(fd, data, size);
		expected += size;
		ask_and_wait();
		ck_assert_uint_eq(worker_counted(worker)[TCP_RECEIVED_BYTES], expected);
		ck_assert_uint_eq(worker_counted(worker)[TCP_SENT_BYTES], expected);
	}
	close(fd);
	stop_and_wait(false);
}

TEST(a_plan_that_was_never_carried_out_is_freed)
{
	for (int i = 0; i < 3; i++)
		give(PLAIN);
	/* The worker is freed without ever having been started; the sanitizer counts. */
}

TEST_EACH(a_stop_ends_a_worker_that_serves_nothing, 2)
{
	start();
	worker_stop(worker, _i);
	WAIT_UNTIL(rung());
	ck_assert(worker_ended(worker));
}

TEST(a_stop_serves_waiting_clients_first)
{
	int stream, datagram = datagram_socket("127.0.0.1");

	give(PLAIN);
	stream = dial();
	send_all(stream, "in time", 7);
	send_datagram(datagram, &table->bindings[1].address, "in time", 7);
	socket_table_release(table);
	worker_stop(worker, false);
	start(); /* plan and stop are there already */
	expect_text(stream, "in time");
	expect_end(stream);
	expect_text(datagram, "in time");
	close(stream);
	close(datagram);
	WAIT_UNTIL(worker_ended(worker));
	ck_assert_uint_eq(worker_counted(worker)[TCP_SENT_BYTES], 7);
	ck_assert_uint_eq(worker_counted(worker)[TCP_CLOSED_SHUTDOWN], 1);
	ck_assert_uint_eq(worker_counted(worker)[UDP_ECHOED_DATAGRAMS], 1);
}

/* A client that sends until nothing more is taken, and reads nothing. */
static size_t send_until_full(int fd)
{
	static char data[1 << 16];
	size_t total = 0;

	for (int stuck = 0; stuck < 20;) {
		ssize_t sent = send(fd, data, sizeof(data), MSG_DONTWAIT);

		total += sent > 0 ? (size_t)sent : 0;
		stuck = sent > 0 ? 0 : stuck + 1;
		if (sent < 0)
			look_again_soon();
	}
	return total;
}

TEST(a_stop_waits_for_a_client_that_has_not_read)
{
	static char data[1 << 16];
	size_t sent, received, got = 0;
	ssize_t taken;
	int fd = served(PLAIN);

	sent = send_until_full(fd);
	ask_and_wait();
	received = (size_t)worker_counted(worker)[TCP_RECEIVED_BYTES];
	worker_stop(worker, false);
	ask_and_wait();
	ck_assert(!worker_ended(worker));
	while ((taken = recv(fd, data, sizeof(data), 0)) > 0)
		got += (size_t)taken;
	ck_assert_int_eq(taken, 0);
	ck_assert_uint_ge(got, received);
	ck_assert_uint_le(got, sent);
	close(fd);
	WAIT_UNTIL(worker_ended(worker));
}

TEST_EACH(an_abort_waits_for_nobody, 2)
{
	int fd = served(PLAIN);

	send_until_full(fd);
	if (_i == 0)
		worker_stop(worker, false);
	stop_and_wait(true);
	ck_assert_uint_eq(client_table_count(shared.clients), 0);
	expect_gone(fd);
}

TEST(plans_may_change_under_load)
{
	char text[128];
	int fd, datagram;

	fd = served(PLAIN);
	datagram = datagram_socket("127.0.0.1");
	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof(text),
			 PLAIN "[listener y]\naddress = 127.0.0.%d:0\nprotocol = tcp\n", i % 3 + 2);
		give(text);
		expect_echo(fd, text, strlen(text));
		expect_datagram_echo(datagram, "127.0.0.1",
				     address_port(&table->bindings[0].address), "x", 1);
	}
	close(fd);
	close(datagram);
	stop_and_wait(false);
}

#define MANY_LOOKS 1000

static void expect_sleeping_service(int fd)
{
	unsigned before = atomic_load(&looks);

	for (int i = 0; i < 10; i++)
		expect_echo(fd, "asleep", 6);
	ask_and_wait();
	ck_assert_uint_eq(atomic_load(&looks), before);
}

TEST(busy_poll_follows_each_plan)
{
	int fd;

	start();
	for (int i = 0; i < 3; i++) {
		give(PLAIN);
		ask_and_wait();
		fd = dial();
		expect_sleeping_service(fd);
		give("[server]\nbusy_poll = 1s\n" PLAIN);
		ask_and_wait();
		expect_echo(fd, "awake", 5);
		WAIT_UNTIL(atomic_load(&looks) > MANY_LOOKS);
		ask_and_wait();
		close(fd);
		atomic_store(&looks, 0);
	}
	stop_and_wait(false);
}

TEST_EACH(a_worker_that_polls_can_be_stopped, 2)
{
	int fd;

	start();
	give("[server]\nbusy_poll = 1s\n" PLAIN);
	ask_and_wait();
	fd = dial();
	expect_echo(fd, "awake", 5);
	WAIT_UNTIL(atomic_load(&looks) > MANY_LOOKS);
	stop_and_wait(_i);
	close(fd);
}

TEST(without_descriptors_there_is_no_worker)
{
	struct rlimit before, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(worker_new(1, &shared, answer_fd));
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
