/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The files of unix sockets: whose they are, when they come and when they go; what is inherited;
 * and, with more clients than descriptors, the limit that leaves enough for a reload and the
 * metrics.
 */

#include "config.h"

#include <sys/resource.h>

#include "integration/endpoint.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

static const char both_sockets[] = "[listener a]\naddress = unix:@DIR@/s unixgram:@DIR@/d\n";

static bool there(const struct echod *echod, const char *name)
{
	return access(echod_path(echod, name), F_OK) == 0;
}

TEST_CASE("files");

TEST(socket_files_are_for_everyone_and_go_at_the_end)
{
	struct echod *echod = echod_start(both_sockets);
	struct stat status;

	ck_assert_int_eq(stat(echod_path(echod, "s"), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0666);
	ck_assert_int_eq(stat(echod_path(echod, "d"), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0666);
	echod_signal(echod, SIGTERM);
	ck_assert_int_eq(echod_wait(echod), 0);
	ck_assert(!there(echod, "s"));
	ck_assert(!there(echod, "d"));
	echod_free(echod);
}

/* In a directory that outlives the echod that is killed. */
static const char in_test_directory[] = "[listener a]\naddress = unix:@DIR@/../s\n";

TEST(a_stale_socket_file_is_replaced)
{
	struct echod *killed = echod_start(in_test_directory);
	struct echod *next;
	int fd;

	echod_signal(killed, SIGKILL);
	ck_assert_int_eq(echod_wait(killed), 128 + SIGKILL);
	ck_assert(there(killed, "../s"));
	next = echod_start(in_test_directory);
	fd = connect_to(echod_path(next, "../s"), 0);
	expect_echo(fd, "again", 5);
	close(fd);
	echod_stop(next);
	ck_assert(!there(killed, "../s"));
	echod_free(killed);
}

TEST(a_socket_file_in_use_is_left_alone)
{
	struct echod *first = echod_start(in_test_directory);
	struct echod_setup setup = {.config = in_test_directory};
	struct echod *second = echod_spawn(&setup);
	int fd;

	ck_assert_int_eq(echod_wait(second), 1);
	ck_assert_uint_eq(echod_log_count(second, "another program has it"), 1);
	fd = connect_to(echod_path(first, "../s"), 0);
	expect_echo(fd, "mine", 4);
	close(fd);
	echod_free(second);
	echod_stop(first);
}

TEST(a_file_that_is_no_socket_is_left_alone)
{
	struct echod_setup setup = {
		.config = "[listener a]\naddress = unix:@DIR@/new unix:@DIR@/echod.conf\n"};
	struct echod *echod = echod_spawn(&setup);
	struct stat status;

	ck_assert_int_eq(echod_wait(echod), 1);
	ck_assert_uint_eq(echod_log_count(echod, "it is no socket"), 1);
	ck_assert_int_eq(stat(echod_path(echod, "echod.conf"), &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	ck_assert(!there(echod, "new"));
	echod_free(echod);
}

TEST(a_socket_file_that_somebody_replaced_is_not_removed)
{
	struct echod *first = echod_start(in_test_directory);
	struct echod *second;
	int fd;

	ck_assert_int_eq(unlink(echod_path(first, "../s")), 0);
	second = echod_start(in_test_directory);
	echod_stop(first);
	fd = connect_to(echod_path(second, "../s"), 0);
	expect_echo(fd, "there", 5);
	close(fd);
	echod_stop(second);
}

TEST(a_path_without_a_directory_is_named)
{
	struct echod_setup setup = {.config = "[listener a]\naddress = unix:@DIR@/none/s\n"};
	struct echod *echod = echod_spawn(&setup);

	ck_assert_int_eq(echod_wait(echod), 1);
	ck_assert_uint_eq(echod_log_count(echod, "/none/s: bind: No such file or directory"), 1);
	echod_free(echod);
}

static void close_standard_descriptors(void *arg UNUSED)
{
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
}

TEST_CASE("descriptors");

/*
 * A line of the log must never go into a socket that happens to have the number of standard error.
 */
TEST(closed_standard_descriptors_are_not_reused)
{
	struct echod_setup setup = {.config = both_sockets, .prepare = close_standard_descriptors};
	struct echod *echod = echod_start_with(&setup);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		char path[64], what[256] = "";

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)echod_pid(echod), fd);
		ck_assert_int_gt(readlink(path, what, sizeof(what) - 1), 0);
		ck_assert_msg(strcmp(what, "/dev/null") == 0, "descriptor %d is %s", fd, what);
	}
}

#define SERVER "[server]\nworkers = 2\nmetrics = 127.0.0.1:0\nmax_clients = "
#define LISTENER "[listener a]\naddress = 127.0.0.1:0\nprotocol = tcp\n"
#define CLIENTS 200

/* Of 64 descriptors 32 are for other things, 2 listen, each worker has 5, and the metrics 17. */
#define SERVED 3

static void allow_descriptors(void *arg)
{
	const rlim_t *descriptors = arg;
	struct rlimit few = {.rlim_cur = *descriptors, .rlim_max = *descriptors};

	if (setrlimit(RLIMIT_NOFILE, &few) < 0)
		_exit(EXIT_FAILURE);
}

static struct echod *start_with_descriptors(rlim_t descriptors, const char *config)
{
	struct echod_setup setup = {
		.config = config, .prepare = allow_descriptors, .arg = &descriptors};

	return echod_start_with(&setup);
}

TEST_CASE("few descriptors");

TEST(clients_leave_descriptors_for_a_reload_and_the_metrics)
{
	struct echod *echod = start_with_descriptors(64, SERVER "1000\n" LISTENER);
	uint16_t port = port_of(echod);
	int clients[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = connect_to("127.0.0.1", port);
		if (i < SERVED)
			expect_echo(clients[i], "served", 6);
	}
	echod_wait_counter(echod, "tcp_rejected_max_clients", CLIENTS - SERVED);
	ck_assert_uint_eq(metric_value(echod, "tcp_connections_max"), SERVED);
	ck_assert_int_eq(endpoint_status(echod, "/healthz"), 200);
	echod_reload(echod, SERVER "1000\n" LISTENER "address = 127.0.0.2:0\n");
	ck_assert_uint_eq(echod_log_count(echod, "reloaded\n"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "Too many open files"), 0);
	ck_assert_int_eq(endpoint_status(echod, "/healthz"), 200);
	for (int i = 0; i < CLIENTS; i++) {
		if (i < SERVED)
			expect_echo(clients[i], "still", 5);
		close(clients[i]);
	}
}

static void expect_warnings(struct echod *echod, const char *text, size_t count)
{
	ck_assert_msg(echod_log_count(echod, text) == count, "not %zu times \"%s\": %s", count,
		      text, echod_log(echod));
}

TEST(a_limit_that_cannot_hold_is_said_when_it_is_set)
{
	struct echod *echod = start_with_descriptors(100, SERVER "1000\n" LISTENER);
	static const char first[] = "max_clients is 1000, but descriptors allow only 39 clients: "
				    "raise LimitNOFILE= (ulimit -n)\n";

	expect_warnings(echod, first, 1);
	echod_reload(echod, SERVER "1000\n" LISTENER);
	expect_warnings(echod, first, 1);
	echod_reload(echod, SERVER "2000\n" LISTENER);
	expect_warnings(echod, "max_clients is 2000, but descriptors allow only 39", 1);
	echod_reload(echod, SERVER "auto\n" LISTENER);
	expect_warnings(echod, "descriptors allow only", 2);
}

TEST(descriptors_for_one_client_are_warned_about)
{
	struct echod *echod = start_with_descriptors(50, SERVER "auto\n" LISTENER);
	int fd = connect_to("127.0.0.1", port_of(echod));

	expect_warnings(echod, "descriptors allow only 1 client: raise LimitNOFILE=", 1);
	expect_echo(fd, "the one", 7);
	close(fd);
}
