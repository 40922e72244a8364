/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* More clients than descriptors: the limit leaves enough for a reload and the metrics. */

#include "config.h"

#include <sys/resource.h>

#include "integration/endpoint.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

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

TEST(clients_leave_descriptors_for_a_reload_and_the_metrics)
{
	struct echod *echod = start_with_descriptors(64, SERVER "1000\n" LISTENER);
	uint16_t port = echod_port(echod, "tcp 127.0.0.1");
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
	echod_stop(echod);
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
	echod_stop(echod);
}

TEST(descriptors_for_one_client_are_warned_about)
{
	struct echod *echod = start_with_descriptors(50, SERVER "auto\n" LISTENER);
	int fd = connect_to("127.0.0.1", echod_port(echod, "tcp 127.0.0.1"));

	expect_warnings(echod, "descriptors allow only 1 client: raise LimitNOFILE=", 1);
	expect_echo(fd, "the one", 7);
	close(fd);
	echod_stop(echod);
}
