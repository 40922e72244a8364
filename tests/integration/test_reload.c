/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A reload: what changes, what stays, and that a bad one changes nothing; and the sockets over many
 * reloads: opened, kept and closed, without a loss and without a leak.
 */

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
}

TEST(a_timeout_in_force_is_that_of_the_reload)
{
	struct echod *echod = echod_start(ONE);
	int fd = connect_to("127.0.0.1", port_of(echod));

	expect_echo(fd, "x", 1);
	echod_reload(echod, ONE "idle_timeout = 50ms\n");
	expect_end(fd);
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
}

TEST(drain_timeout_is_that_of_the_reload)
{
	struct echod *echod = echod_start("[server]\ndrain_timeout = 10m\n" ONE);
	struct stalled stalled = stall(echod);

	echod_reload(echod, "[server]\ndrain_timeout = 100ms\n" ONE);
	echod_end(echod);
	expect_gone(stalled.fd);
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

/* No further line comes that could report how many were suppressed. */
TEST(at_log_level_info_the_end_of_a_flood_of_lines_is_logged)
{
	struct echod *echod = echod_start(ONE);

	echod_reload(echod, "[server]\nlog_level = info\n" ONE);
	for (int i = 0; i < FLOOD; i++)
		close(connect_to("127.0.0.1", port_of(echod)));
	echod_wait_log(echod, " suppressed\n");
	echod_reload(echod, ONE);
}

TEST(a_bad_file_changes_nothing_and_is_explained)
{
	struct echod *echod = echod_start(ONE "prefix = old\n");
	int fd = connect_to("127.0.0.1", port_of(echod)), descriptors;

	expect_prefixed(fd, "oldx");
	descriptors = echod_descriptors(echod);
	echod_reload(echod, ONE "prefix = new\n" TWO "[server]\nlog_level = loud\nworkers = 0\n");
	ck_assert_uint_eq(echod_log_count(echod, "echod.conf:7: log_level: \"loud\""), 1);
	ck_assert_uint_eq(echod_log_count(echod, "echod.conf:8: workers: "), 1);
	expect_unchanged(echod, fd, descriptors, 1);
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
}

TEST(an_address_that_cannot_be_opened_changes_nothing)
{
	/* To a sandbox the directory would be unknown, which hides what else is wrong. */
	struct echod *echod = echod_start("[server]\nsandbox = no\n" ONE "prefix = old\n");
	int fd = connect_to("127.0.0.1", port_of(echod)), descriptors;
	uint16_t stream_port, datagram_port;
	char config[256];

	expect_prefixed(fd, "oldx");
	descriptors = echod_descriptors(echod);
	occupy(SOCK_STREAM, &stream_port);
	occupy(SOCK_DGRAM, &datagram_port);
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
	expect_stream("127.0.0.1", port_of(echod));
}

#define SINGLE "[server]\nworkers = 1\n"

TEST(a_listener_is_added_kept_and_closed)
{
	struct echod *echod = echod_start(ONE);
	uint16_t one = port_of(echod), two;
	int kept = connect_to("127.0.0.1", one), lost;

	expect_echo(kept, "x", 1);
	echod_reload(echod, ONE TWO);
	two = echod_port(echod, "tcp 127.0.0.2");
	expect_stream("127.0.0.1", one);
	expect_served("127.0.0.2", two);
	lost = connect_to("127.0.0.2", two);
	expect_echo(lost, "x", 1);
	echod_reload(echod, ONE);
	ck_assert_int_lt(try_connect("127.0.0.2", two), 0);
	ck_assert_uint_eq(echod_log_count(echod, ": stopped serving tcp 127.0.0.2:"), 1);
	expect_served("127.0.0.1", one);
	expect_echo(kept, "kept", 4);
	expect_echo(lost, "goes on", 7);
	/* The same number each time, logged once. */
	ck_assert_uint_eq(port_of(echod), one);
	ck_assert_uint_eq(echod_log_count(echod, ": listening on"), 4);
}

/* In a network of its own no other program has the number at another address. */
TEST(one_address_becomes_all_and_one_again)
{
	struct echod *echod;
	char all[64], one[64];
	uint16_t port;
	int fd;

	need_own_network();
	echod = echod_start(ONE);
	port = port_of(echod);
	snprintf(one, sizeof(one), "[listener a]\naddress = 127.0.0.1:%d\n", port);
	snprintf(all, sizeof(all), "[listener a]\naddress = *:%d\n", port);
	fd = connect_to("127.0.0.1", port);
	for (int turn = 0; turn < 3; turn++) {
		echod_reload(echod, all);
		expect_echo(fd, "x", 1);
		expect_served("127.0.0.2", port);
		expect_served("127.0.0.1", port);
		echod_reload(echod, one);
		expect_echo(fd, "x", 1);
		ck_assert_int_lt(try_connect("127.0.0.2", port), 0);
		expect_served("127.0.0.1", port);
	}
	ck_assert_uint_eq(echod_log_count(echod, "reload failed"), 0);
}

/* More than are accepted in a turn queue up while it is stopped; then their listener is removed. */
TEST(clients_in_the_queue_of_a_removed_listener_are_served)
{
	struct echod *echod = echod_start(SINGLE ONE TWO "prefix = old\n");
	uint16_t port = echod_port(echod, "tcp 127.0.0.2");
	int clients[WAITING];

	echod_pause(echod);
	connect_and_say_hello(clients, "127.0.0.2", port);
	echod_write_config(echod, SINGLE ONE);
	echod_signal(echod, SIGHUP);
	echod_signal(echod, SIGCONT);
	echod_wait_log(echod, "reloaded");
	ck_assert_int_lt(try_connect("127.0.0.2", port), 0);
	for (size_t i = 0; i < WAITING; i++) {
		expect_text(clients[i], "oldhello");
		close(clients[i]);
	}
}

/* No connect and no datagram is lost while the other listener comes and goes. */
static void one_round(struct echod *echod, const char *config, int stream, int datagrams)
{
	echod_write_config(echod, config);
	echod_signal(echod, SIGHUP);
	for (int i = 0; i < 5; i++) {
		expect_echo(stream, "light", 5);
		expect_datagram_echo(datagrams, "127.0.0.1", port_of(echod), "traffic", 7);
		expect_stream("127.0.0.1", port_of(echod));
	}
	WAIT_UNTIL(echod_notified_count(echod, "RELOADING=1") + 1 ==
		   echod_notified_count(echod, "READY=1"));
}

static void rounds(struct echod *echod, int count, int stream, int datagrams)
{
	for (int i = 0; i < count; i += 2) {
		one_round(echod, ONE "idle_timeout = 1m\n" TWO "address = unix:@DIR@/s\n", stream,
			  datagrams);
		one_round(echod, ONE, stream, datagrams);
	}
	WAIT_UNTIL(echod_counter(echod, "tcp_connections") == 1);
}

TEST(fifty_reloads_under_traffic_leave_nothing_behind)
{
	/* The directory of its UNIX socket has to be known from the start. */
	struct echod *echod = echod_start(ONE TWO "address = unix:@DIR@/s\n");
	int stream = connect_to("127.0.0.1", port_of(echod)), descriptors;
	int datagrams = datagram_socket("127.0.0.1");
	size_t resident;

	/* A port that is served gets no reply, so no listener may get the number of this one. */
	reserve_port_of(datagrams);
	rounds(echod, 10, stream, datagrams);
	descriptors = echod_descriptors(echod);
	resident = echod_resident_kib(echod);
	rounds(echod, 50, stream, datagrams);
	ck_assert_int_eq(echod_descriptors(echod), descriptors);
	if (!instrumented()) /* a sanitizer keeps for a while what was freed */
		ck_assert_uint_le(echod_resident_kib(echod), resident + 256);
	ck_assert_uint_eq(echod_counter(echod, "reloads_failure"), 0);
	ck_assert_uint_eq(echod_counter(echod, "udp_received_datagrams"),
			  echod_counter(echod, "udp_echoed_datagrams"));
}
