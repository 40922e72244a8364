/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A whole server for which something runs out: at start it ends with a reason and leaves nothing
 * behind, on a reload nothing changes; and the limits it puts on itself.
 */

#include "config.h"

#include "echod/control/server.h"

#include <sys/resource.h>

#include "daemon/log.h"
#include "echod/control/apply.h"
#include "echod/control/monitor.h"
#include "echod/control/reload.h"
#include "echod/control/state.h"
#include "echod/guard/client_table.h"
#include "integration/harness.h"
#include "unit/config_text.h"
#include "unit/faults.h"
#include "unit/log_lines.h"

#define ONE "[server]\nworkers = 1\n[listener a]\naddress = 127.0.0.1:0\nprotocol = tcp\n"
#define TWO "[server]\nworkers = 2\n[listener a]\naddress = 127.0.0.1:0\nprotocol = tcp\n"
#define MONITORED                                                                                  \
	"[server]\nworkers = 1\nmetrics = 127.0.0.1:0\n"                                           \
	"[listener a]\naddress = 127.0.0.1:0\nprotocol = tcp\n"

static struct config_source source;
static enum exit_status status;
static struct server *server;

static void set_up(void)
{
	memset(&source, 0, sizeof(source));
	source.path = "/nowhere/at/all";
	log_lines_begin(LEVEL_NOTICE);
}

static void tear_down(void)
{
	server_free(server); /* waits for the threads */
	log_lines_end();
}

/* In place of the one before. */
static void start(const char *text)
{
	struct config *config = load_good(text);

	server_free(server);
	server = server_new(&source, 0, config, &status);
	config_release(config);
	ck_assert_msg(server != NULL, "%s", log_lines());
}

/* server_new with one failing CALL: what is logged about it. */
static const char *fail_to_start(const char *call, int error)
{
	struct config *config = load_good(ONE);

	(void)log_lines();
	fault_next(call, error);
	server = server_new(&source, 0, config, &status);
	ck_assert(fault_over());
	ck_assert_ptr_null(server);
	config_release(config);
	return log_lines();
}

TEST_CASE("server_faults", set_up, tear_down);

TEST(a_start_without_memory_is_logged_and_leaves_nothing)
{
	struct config *config = load_good(MONITORED);

	/* What libevent keeps for good, it has now. */
	start(MONITORED);
	server_free(server);
	for (unsigned skip = 0;; skip++) {
		int lowest = fault_lowest_fd();

		(void)log_lines();
		fault_after(skip, MEMORY, ENOMEM);
		server = server_new(&source, 0, config, &status);
		if (!fault_over())
			break;
		ck_assert_ptr_null(server);
		ck_assert_int_eq(status, STATUS_FAILURE);
		ck_assert_msg(strstr(log_lines(), "<3>") != NULL, "%u", skip);
		ck_assert_int_eq(fault_blocks(), 0);
		ck_assert_int_eq(fault_lowest_fd(), lowest);
	}
	ck_assert_ptr_nonnull(server);
	config_release(config);
}

TEST(without_descriptors_to_work_with_it_does_not_start)
{
	ck_assert_ptr_nonnull(strstr(fail_to_start("eventfd", EMFILE),
				     "cannot start: eventfd: Too many open files"));
	ck_assert_int_eq(status, STATUS_FAILURE);
}

TEST(a_socket_that_is_not_permitted_has_a_status_of_its_own)
{
	static const int errors[] = {EACCES, EPERM};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		ck_assert_ptr_nonnull(strstr(fail_to_start("bind", errors[i]), "cannot listen on"));
		ck_assert_int_eq(status, STATUS_NOT_PERMITTED);
	}
	fail_to_start("bind", EADDRINUSE);
	ck_assert_int_eq(status, STATUS_FAILURE);
}

TEST_EACH(a_thread_that_cannot_be_started_ends_those_that_were, 2)
{
	start(TWO);
	fault_after((unsigned)_i, "pthread_create", EAGAIN);
	ck_assert_int_eq(server_run(server), STATUS_FAILURE);
	ck_assert(fault_over());
	ck_assert_ptr_nonnull(strstr(log_lines(), "cannot start a worker thread: Resource "
						  "temporarily unavailable"));
}

TEST(a_reload_for_which_memory_runs_out_changes_nothing)
{
	const struct socket_table *table;
	const struct config *config;
	uint64_t failures = 0;
	const char *next = test_path("next");
	char path[32];
	int fd = memfd_create("echod.conf", MFD_CLOEXEC);

	ck_assert_int_gt(dprintf(fd, ONE "address = unix:%s\n", next), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	source.path = path;
	start(ONE);
	config = server->config;
	table = server->sockets;
	server->phase = SERVING;
	for (;; failures++) {
		(void)log_lines();
		fault_after((unsigned)failures, MEMORY, ENOMEM);
		reload_begin(server);
		if (!fault_over())
			break;
		ck_assert_ptr_eq(server->config, config);
		ck_assert_ptr_eq(server->sockets, table);
		ck_assert_int_eq(server->phase, SERVING);
		ck_assert(server->supervisor.reload_failed);
		ck_assert_uint_eq(server->totals.reloads_failed, failures + 1);
		ck_assert_int_eq(fault_blocks(), 0);
		ck_assert_int_eq(access(next, F_OK), -1);
		ck_assert_ptr_nonnull(strstr(log_lines(), "the configuration in force stays"));
	}
	ck_assert_uint_ge(failures, 6);
	ck_assert_ptr_ne(server->config, config);
	ck_assert_int_eq(server->phase, RELOADING);
}

TEST(a_kernel_that_gives_no_number_of_descriptors_means_the_usual)
{
	fault_next("getrlimit", EPERM);
	start(ONE);
	ck_assert(fault_over());
	ck_assert_uint_eq(server->descriptors, 1024);
}

TEST(descriptors_are_raised_as_far_as_they_may)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 256;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fault_next("setrlimit", EPERM);
	start(ONE);
	ck_assert(fault_over());
	ck_assert_uint_eq(server->descriptors, 256);
	start(ONE);
	ck_assert_uint_eq(server->descriptors, limit.rlim_max);
}

TEST(workers_are_counted_also_without_an_affinity_mask)
{
	fault_next("sched_getaffinity", EINVAL);
	start("[listener a]\naddress = 127.0.0.1:0\nprotocol = tcp\n");
	ck_assert(fault_over());
	ck_assert_uint_eq(server->rounds.count, (size_t)sysconf(_SC_NPROCESSORS_ONLN));
}

TEST(clients_are_limited_by_descriptors_but_never_to_none)
{
	start(ONE);
	server->descriptors = 5;
	(void)log_lines();
	apply_client_limit(server);
	ck_assert_uint_eq(client_table_limit(server->shared.clients), 1);
	ck_assert_ptr_nonnull(strstr(log_lines(), "descriptors allow only 1 client: "));
	apply_client_limit(server);
	ck_assert_str_eq(log_lines(), "");
	server->descriptors = UINT64_MAX;
	apply_client_limit(server);
	ck_assert_uint_eq(client_table_limit(server->shared.clients), 1048576);
}

TEST(each_v_logs_more_than_the_file_wants)
{
	static const enum log_level levels[] = {LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG, LEVEL_DEBUG};
	start(ONE);
	for (unsigned verbose = 0; verbose < ARRAY_SIZE(levels); verbose++) {
		server->verbose = verbose;
		apply_log_level(server);
		ck_assert(log_enabled(levels[verbose]));
		ck_assert(levels[verbose] == LEVEL_DEBUG ||
			  !log_enabled((enum log_level)(levels[verbose] + 1)));
	}
}
