/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One listening socket and several workers on their threads: who accepts, how evenly, and how often
 * in vain.
 */

#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "echod/guard/client_table.h"
#include "echod/guard/rate_limit.h"
#include "echod/serving/loop.h"
#include "echod/sockets/socket_table.h"
#include "echod/worker/plan.h"
#include "echod/worker/worker.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "unit/config_text.h"

#define WORKERS 4
#define EACH 8 /* connections of a worker, up to which they are spread exactly */
#define CLIENTS (WORKERS * EACH)

static struct shared_tables shared;
static struct loop *loops[WORKERS];
static struct worker *workers[WORKERS];
static struct socket_table *table;
static int answer_fd;
static char path[108];

static atomic_uint accepted, in_vain;
static atomic_bool refusing;		  /* the thread that accepts next has no descriptors */
static _Atomic(pthread_t) refused_thread; /* which one that is */

static bool is_refused(void)
{
	pthread_t nobody = 0;

	if (!atomic_load(&refusing))
		return false;
	(void)atomic_compare_exchange_strong(&refused_thread, &nobody, pthread_self());
	return atomic_load(&refused_thread) == pthread_self();
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	long result = -1;

	if (is_refused())
		errno = EMFILE;
	else
		result = syscall(SYS_accept4, fd, address, length, flags);
	atomic_fetch_add(result < 0 ? &in_vain : &accepted, 1);
	return (int)result;
}

static void give(const char *name, const char *settings)
{
	char text[512];
	struct config *config;
	struct socket_table *next;
	struct reason reason;

	snprintf(text, sizeof(text), "[listener %s]\naddress = unix:%s\n%s", name, path, settings);
	config = load_good(text);
	next = socket_table_open(table, config, WORKERS, &reason);
	ck_assert_msg(next != NULL, "%s", reason.text);
	for (size_t i = 0; i < WORKERS; i++)
		worker_give_plan(workers[i], plan_new(config, next, NULL, i, WORKERS));
	if (table != NULL) {
		socket_table_subtract(table, next);
		socket_table_release(table);
		socket_table_free(table);
	}
	table = next;
	config_release(config);
}

static void ask_and_wait(void)
{
	for (size_t i = 0; i < WORKERS; i++)
		worker_ask(workers[i]);
	for (size_t i = 0; i < WORKERS; i++)
		WAIT_UNTIL(worker_answered(workers[i]));
}

static uint64_t accepted_by(size_t worker)
{
	return worker_counted(workers[worker])[TCP_ACCEPTED];
}

static void set_up(void)
{
	memset(&shared, 0, sizeof(shared));
	shared.clients = client_table_new();
	shared.rates = rate_limit_new();
	shared.loops = loops;
	shared.loop_count = WORKERS;
	client_table_set_limit(shared.clients, 1000);
	kept_echo_init(&shared.kept, WORKERS);
	answer_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	snprintf(path, sizeof(path), "%s/shared", test_directory());
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i] = worker_new(i, &shared, answer_fd);
		ck_assert_ptr_nonnull(workers[i]);
		ck_assert_int_eq(worker_start(workers[i], SANDBOX_NO), 0);
	}
	give("x", "");
	ask_and_wait();
}

static void tear_down(void)
{
	for (size_t i = 0; i < WORKERS; i++)
		worker_stop(workers[i], true);
	for (size_t i = 0; i < WORKERS; i++)
		worker_join(workers[i]);
	for (size_t i = 0; i < WORKERS; i++)
		worker_free(workers[i]);
	socket_table_release(table);
	socket_table_free(table);
	table = NULL;
	client_table_free(shared.clients);
	rate_limit_free(shared.rates);
	close(answer_fd);
}

static int call(void)
{
	int fd = connect_to(path, 0);

	expect_echo(fd, "x", 1);
	return fd;
}

static void call_all(int clients[static CLIENTS])
{
	for (size_t i = 0; i < CLIENTS; i++)
		clients[i] = call();
}

static void close_all(const int clients[static CLIENTS])
{
	for (size_t i = 0; i < CLIENTS; i++)
		close(clients[i]);
	WAIT_UNTIL(client_table_count(shared.clients) == 0);
}

TEST_CASE("sharing", set_up, tear_down);

TEST(connections_are_spread_evenly_and_wake_one_worker)
{
	int clients[CLIENTS];

	call_all(clients);
	ask_and_wait();
	for (size_t i = 0; i < WORKERS; i++)
		ck_assert_uint_eq(accepted_by(i), EACH);
	ck_assert_uint_eq(atomic_load(&accepted), CLIENTS);
	/* A worker that has no more than the others looks whether there is another one. */
	ck_assert_uint_le(atomic_load(&in_vain), CLIENTS / 2);
	close_all(clients);
}

/* All at once, and more than the workers take in one turn. */
TEST(a_crowd_is_served_by_all)
{
	int clients[10 * CLIENTS];

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		clients[i] = connect_to(path, 0);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		expect_echo(clients[i], "x", 1);
	ask_and_wait();
	for (size_t i = 0; i < WORKERS; i++) {
		ck_assert_uint_ge(accepted_by(i), 8 * EACH);
		ck_assert_uint_le(accepted_by(i), 12 * EACH);
	}
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		close(clients[i]);
	WAIT_UNTIL(client_table_count(shared.clients) == 0);
}

/* The first worker's connections are closed as they come, so that the others never have fewer. */
TEST(who_has_fewest_gets_the_next)
{
	size_t closed = 0;
	int clients[CLIENTS];

	for (size_t i = 0; i < CLIENTS; i++) {
		uint64_t before = accepted_by(0);

		clients[i] = call();
		ask_and_wait();
		if (accepted_by(0) > before) {
			close(clients[i]);
			clients[i] = -1;
			closed++;
			WAIT_UNTIL(client_table_count(shared.clients) == i + 1 - closed);
		}
	}
	ck_assert_uint_eq(closed, CLIENTS - (WORKERS - 1));
	close_all(clients);
}

TEST(a_reload_that_keeps_the_socket_keeps_it_watched)
{
	int clients[CLIENTS];

	for (int i = 0; i < 3; i++) {
		give(i % 2 == 0 ? "y" : "x", i % 2 == 0 ? "idle_timeout = 9\n" : "");
		ask_and_wait();
		call_all(clients);
		close_all(clients);
	}
}

TEST(a_socket_that_is_opened_again_is_watched_as_well)
{
	int clients[CLIENTS];

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(unlink(path), 0);
		give("x", "");
		ask_and_wait();
		call_all(clients);
		close_all(clients);
	}
}

/* What it lacks comes free on the loops of others, one of which takes over. */
TEST(a_worker_that_cannot_accept_does_not_keep_the_others_from_it)
{
	int clients[CLIENTS], late;
	size_t left = CLIENTS;
	char echo = '\0';

	call_all(clients);
	atomic_store(&refusing, true);
	late = connect_to(path, 0);
	send_all(late, "y", 1);
	WAIT_UNTIL(atomic_load(&refused_thread) != 0);
	while (left > 0 && recv(late, &echo, 1, MSG_DONTWAIT) < 1) {
		close(clients[--left]);
		look_again_soon();
	}
	ck_assert_int_eq(echo, 'y');
	atomic_store(&refusing, false);
	while (left > 0)
		close(clients[--left]);
	close(late);
	WAIT_UNTIL(client_table_count(shared.clients) == 0);
}

TEST(a_stop_serves_who_waits_and_ends_all)
{
	int fd = call();

	socket_table_release(table);
	for (size_t i = 0; i < WORKERS; i++)
		worker_stop(workers[i], false);
	expect_end(fd);
	close(fd);
	for (size_t i = 0; i < WORKERS; i++)
		WAIT_UNTIL(worker_ended(workers[i]));
}
