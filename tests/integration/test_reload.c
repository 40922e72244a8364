/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A reload: what changes, what stays, and that a bad one changes nothing. */

#include "config.h"

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"
#include "integration/showing.h"

#define ONE "[listener a]\naddress = 127.0.0.1:0\n"
#define TWO "[listener b]\naddress = 127.0.0.2:0\n"

static void expect_prefixed(int fd, const char *echo)
{
	send_all(fd, "x", 1);
	expect_text(fd, echo);
	ck_assert(nothing_to_read(fd));
}

TEST(a_connection_follows_its_listener_by_name)
{
	struct echod *echod = echod_start(ONE "prefix = 1\n");
	char moved[128];
	int fd = connect_to("127.0.0.1", port_of(echod)), other;

	expect_prefixed(fd, "1x");
	/* Another listener has its address now, and it is served elsewhere. */
	snprintf(moved, sizeof(moved),
		 "[listener a]\naddress = 127.0.0.2:0\nprefix = 2\n"
		 "[listener c]\naddress = 127.0.0.1:%d\nprefix = 3\n",
		 port_of(echod));
	echod_reload(echod, moved);
	expect_prefixed(fd, "2x");
	other = connect_to("127.0.0.1", port_of(echod));
	expect_prefixed(other, "3x");
	close(fd);
	close(other);
}

TEST(a_connection_without_a_listener_keeps_its_last_settings)
{
	struct echod *echod = echod_start(ONE "prefix = 1\n" TWO);
	int fd = connect_to("127.0.0.1", port_of(echod));

	expect_prefixed(fd, "1x");
	echod_reload(echod, TWO "[defaults]\nprefix = d\n");
	expect_prefixed(fd, "1x");
	echod_reload(echod, TWO "[defaults]\nprefix = e\n");
	expect_prefixed(fd, "1x");
	echod_reload(echod, TWO "[listener a]\naddress = unix:@DIR@/s\nprefix = back\n");
	expect_prefixed(fd, "backx");
	close(fd);
}

TEST(a_timeout_in_force_is_that_of_the_reload)
{
	struct echod *echod = echod_start(ONE);
	int fd = connect_to("127.0.0.1", port_of(echod));

	expect_echo(fd, "x", 1);
	echod_reload(echod, ONE "idle_timeout = 50ms\n");
	expect_end(fd);
	close(fd);
}

TEST(limits_and_lists_concern_new_connections_only)
{
	struct echod *echod = echod_start(ONE);
	int fds[3], late;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_to("127.0.0.1", port_of(echod));
		expect_echo(fds[i], "x", 1);
	}
	echod_reload(echod, ONE "deny = 127.0.0.1\nmax_clients_per_ip = 1\n"
				"[server]\nmax_clients = 1\n");
	late = connect_from("127.0.0.2", "127.0.0.1", port_of(echod));
	expect_gone(late);
	ck_assert_uint_eq(echod_counter(echod, "tcp_rejected_max_clients"), 1);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		expect_echo(fds[i], "still", 5);
		close(fds[i]);
	}
	close(late);
}

/* Connections count from their start, also when there was no limit yet. */
TEST(a_limit_by_address_counts_who_was_there_before)
{
	struct echod *echod = echod_start(ONE);
	int before = connect_to("127.0.0.1", port_of(echod)), late;

	expect_echo(before, "x", 1);
	echod_reload(echod, ONE "max_clients_per_ip = 1\n");
	late = connect_to("127.0.0.1", port_of(echod));
	expect_gone(late);
	close(before);
	WAIT_UNTIL(echod_counter(echod, "tcp_connections") == 0);
	close(late);
	late = connect_to("127.0.0.1", port_of(echod));
	expect_echo(late, "x", 1);
	close(late);
}

TEST(drain_timeout_is_that_of_the_reload)
{
	struct echod *echod = echod_start("[server]\ndrain_timeout = 10m\n" ONE);
	struct stalled stalled = stall(echod, port_of(echod));

	echod_reload(echod, "[server]\ndrain_timeout = 100ms\n" ONE);
	echod_signal(echod, SIGTERM);
	ck_assert_int_eq(echod_wait(echod), 0);
	expect_gone(stalled.fd);
	stalled_free(&stalled);
	echod_free(echod);
}

TEST(settings_that_take_a_restart_are_named)
{
	struct echod *echod = echod_start("[server]\nworkers = 2\n" ONE);

	echod_reload(echod, "[server]\nworkers = 1\nuser = nobody\nmetrics = 127.0.0.1:1\n" ONE
			    "prefix = new\n");
	ck_assert_uint_eq(echod_log_count(echod, "workers has changed"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "user has changed"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "metrics has changed"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "restart"), 3);
	/* Nothing to say when they are back at what is in force; and all else has changed. */
	echod_reload(echod, "[server]\nworkers = 2\nlog_level = debug\nmax_clients = 9\n"
			    "drain_timeout = 1s\nbusy_poll = 1us\n" ONE
			    "idle_timeout = 9\nudp_rate = 9\n");
	ck_assert_uint_eq(echod_log_count(echod, "restart"), 3);
	ck_assert_uint_eq(echod_counter(echod, "tcp_connections_max"), 9);
}

/* As it was: the same sockets, the same settings, and the failure counted. */
static void expect_unchanged(struct echod *echod, int fd, int descriptors, uint64_t failures)
{
	int fresh = connect_to("127.0.0.1", port_of(echod));

	expect_prefixed(fd, "oldx");
	expect_prefixed(fresh, "oldx");
	close(fresh);
	WAIT_UNTIL(echod_counter(echod, "tcp_connections") == 1);
	ck_assert_int_eq(echod_descriptors(echod), descriptors);
	ck_assert_uint_eq(echod_counter(echod, "reloads_failure"), failures);
	ck_assert_uint_eq(echod_counter(echod, "reloads_success"), 0);
	ck_assert_uint_eq(echod_log_count(echod, "reload failed"), failures);
	ck_assert_uint_eq(echod_log_count(echod, ": listening on"), 2);
}

#define FLOOD 600

/* No further line comes that could tell how many were suppressed. */
TEST(at_log_level_info_the_end_of_a_flood_of_lines_is_logged)
{
	struct echod *echod = echod_start(ONE);

	echod_reload(echod, "[server]\nlog_level = info\n" ONE);
	for (int i = 0; i < FLOOD; i++)
		close(connect_to("127.0.0.1", port_of(echod)));
	echod_wait_log(echod, " suppressed\n");
	echod_reload(echod, ONE);
}

TEST(a_bad_file_changes_nothing_and_says_why)
{
	struct echod *echod = echod_start(ONE "prefix = old\n");
	int fd = connect_to("127.0.0.1", port_of(echod)), descriptors;

	expect_prefixed(fd, "oldx");
	descriptors = echod_descriptors(echod);
	echod_reload(echod, ONE "prefix = new\n" TWO "[server]\nlog_level = loud\nworkers = 0\n");
	ck_assert_uint_eq(echod_log_count(echod, "echod.conf:7: log_level: \"loud\""), 1);
	ck_assert_uint_eq(echod_log_count(echod, "echod.conf:8: workers: "), 1);
	expect_unchanged(echod, fd, descriptors, 1);
	close(fd);
}

TEST(a_file_that_is_gone_changes_nothing)
{
	struct echod *echod = echod_start(ONE "prefix = old\n");
	int fd = connect_to("127.0.0.1", port_of(echod)), descriptors;
	size_t ready;

	expect_prefixed(fd, "oldx");
	descriptors = echod_descriptors(echod);
	ready = echod_notified_count(echod, "READY=1");
	ck_assert_int_eq(unlink(echod_path(echod, "echod.conf")), 0);
	echod_signal(echod, SIGHUP);
	WAIT_UNTIL(echod_notified_count(echod, "READY=1") > ready);
	ck_assert_uint_eq(echod_log_count(echod, "echod.conf: not found"), 1);
	expect_unchanged(echod, fd, descriptors, 1);
	echod_reload(echod, ONE "prefix = new\n");
	expect_prefixed(fd, "newx");
	close(fd);
}

TEST(an_address_that_cannot_be_opened_changes_nothing)
{
	struct echod *echod = echod_start(ONE "prefix = old\n");
	int fd = connect_to("127.0.0.1", port_of(echod)), descriptors, stream, datagram;
	uint16_t stream_port, datagram_port;
	char config[256];

	expect_prefixed(fd, "oldx");
	descriptors = echod_descriptors(echod);
	stream = occupy(SOCK_STREAM, &stream_port);
	datagram = occupy(SOCK_DGRAM, &datagram_port);
	snprintf(config, sizeof(config), ONE "address = unix:@DIR@/s 127.0.0.1:%d\n", stream_port);
	echod_reload(echod, config);
	expect_unchanged(echod, fd, descriptors, 1);
	snprintf(config, sizeof(config), TWO "address = unix:@DIR@/s 127.0.0.1:%d\n",
		 datagram_port);
	echod_reload(echod, config);
	expect_unchanged(echod, fd, descriptors, 2);
	echod_reload(echod, TWO "address = unix:@DIR@/s unixgram:@DIR@/echod.conf\n");
	expect_unchanged(echod, fd, descriptors, 3);
	ck_assert_int_ne(access(echod_path(echod, "s"), F_OK), 0);
	ck_assert_uint_eq(echod_log_count(echod, "Address already in use"), 2);
	ck_assert_uint_eq(echod_log_count(echod, "it is no socket"), 1);
	close(stream);
	close(datagram);
	close(fd);
}

TEST(several_hangups_in_a_row_end_with_the_last_file)
{
	struct echod *echod = echod_start(ONE "prefix = 0\n");
	int fd = connect_to("127.0.0.1", port_of(echod));
	size_t reloading;
	char config[128];

	for (int i = 1; i <= 30; i++) {
		snprintf(config, sizeof(config), ONE "prefix = %d.\n%s", i, i % 2 ? TWO : "");
		echod_write_config(echod, config);
		echod_signal(echod, SIGHUP);
		(void)echod_notified(echod); /* its queue is short */
	}
	WAIT_UNTIL((reloading = echod_notified_count(echod, "RELOADING=1")) > 0 &&
		   echod_notified_count(echod, "READY=1") == reloading + 1 &&
		   echod_counter(echod, "reloads_success") == reloading);
	expect_prefixed(fd, "30.x");
	close(fd);
}

TEST(after_giving_up_root_listeners_still_come_and_go)
{
	struct echod *echod;
	char wider[128];
	int fd;

	if (geteuid() != 0)
		skip("this takes root");
	echod = echod_start("[server]\nuser = nobody\n" ONE);
	echod_reload(echod, "[server]\nuser = nobody\n" ONE TWO);
	fd = connect_to("127.0.0.2", echod_port(echod, "tcp 127.0.0.2"));
	expect_echo(fd, "x", 1);
	/* The kernel does not let two users share, so this one has to be refused. */
	snprintf(wider, sizeof(wider), "[server]\nuser = nobody\n[listener a]\naddress = *:%d\n",
		 port_of(echod));
	echod_reload(echod, wider);
	ck_assert_uint_eq(echod_log_count(echod, "restart to change to it"), 1);
	expect_echo(fd, "x", 1);
	close(fd);
	fd = connect_to("127.0.0.1", port_of(echod));
	expect_echo(fd, "x", 1);
	close(fd);
}
