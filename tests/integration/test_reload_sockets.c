/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The sockets over reloads: opened, kept and closed, without a loss and without a leak. */

#include "config.h"

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"
#include "integration/showing.h"

#define SINGLE "[server]\nworkers = 1\n"
#define ONE "[listener a]\naddress = 127.0.0.1:0\n"
#define TWO "[listener b]\naddress = 127.0.0.2:0\n"

static void expect_datagrams(const char *host, uint16_t port)
{
	int fd = datagram_socket(host);

	expect_datagram_echo(fd, host, port, "datagram", 8);
	close(fd);
}

static void expect_streams(const char *host, uint16_t port)
{
	int fd = connect_to(host, port);

	expect_echo(fd, "stream", 6);
	close(fd);
}

TEST(a_listener_is_added_kept_and_closed)
{
	struct echod *echod = echod_start(ONE);
	uint16_t one = port_of(echod), two;
	int kept = connect_to("127.0.0.1", one), lost;

	expect_echo(kept, "x", 1);
	echod_reload(echod, ONE TWO);
	two = echod_port(echod, "tcp 127.0.0.2");
	expect_streams("127.0.0.1", one);
	expect_streams("127.0.0.2", two);
	expect_datagrams("127.0.0.2", two);
	lost = connect_to("127.0.0.2", two);
	expect_echo(lost, "x", 1);
	echod_reload(echod, ONE);
	ck_assert_int_lt(try_connect("127.0.0.2", two), 0);
	ck_assert_uint_eq(echod_log_count(echod, ": stopped serving tcp 127.0.0.2:"), 1);
	expect_streams("127.0.0.1", one);
	expect_datagrams("127.0.0.1", one);
	expect_echo(kept, "kept", 4);
	expect_echo(lost, "goes on", 7);
	/* The same number again and again, told once. */
	ck_assert_uint_eq(port_of(echod), one);
	ck_assert_uint_eq(echod_log_count(echod, ": listening on"), 4);
	close(kept);
	close(lost);
}

TEST(socket_files_come_and_go_with_their_listeners)
{
	struct echod *echod = echod_start(ONE);
	int fd;

	echod_reload(echod, ONE "address = unix:@DIR@/s unixgram:@DIR@/d\n");
	fd = connect_to(echod_path(echod, "s"), 0);
	expect_echo(fd, "x", 1);
	echod_reload(echod, ONE "address = unix:@DIR@/s\nprefix = >\n");
	ck_assert_int_ne(access(echod_path(echod, "d"), F_OK), 0);
	send_all(fd, "x", 1);
	expect_text(fd, ">x");
	echod_reload(echod, ONE);
	ck_assert_int_ne(access(echod_path(echod, "s"), F_OK), 0);
	send_all(fd, "x", 1);
	expect_text(fd, "x");
	close(fd);
}

/* In a network of its own nobody else has the number at another address. */
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
		expect_streams("127.0.0.2", port);
		expect_datagrams("127.0.0.2", port);
		expect_streams("127.0.0.1", port);
		expect_datagrams("127.0.0.1", port);
		echod_reload(echod, one);
		expect_echo(fd, "x", 1);
		ck_assert_int_lt(try_connect("127.0.0.2", port), 0);
		expect_streams("127.0.0.1", port);
		expect_datagrams("127.0.0.1", port);
	}
	ck_assert_uint_eq(echod_log_count(echod, "reload failed"), 0);
	close(fd);
}

TEST(port_0_keeps_its_number_while_its_text_stays)
{
	struct echod *echod;
	uint16_t port;

	/* Where that is possible: elsewhere some program may have the number for TCP. */
	(void)own_network();
	echod = echod_start("[listener a]\naddress = localhost:0\nprotocol = udp\n");
	port = echod_port(echod, "udp 127.0.0.1");
	echod_reload(echod, "[listener x]\naddress = localhost:0\n" TWO);
	ck_assert_uint_eq(echod_port(echod, "tcp 127.0.0.1"), port);
	expect_streams("127.0.0.1", port);
	expect_datagrams("127.0.0.1", port);
	echod_reload(echod, TWO "[listener y]\naddress = localhost:0\nprotocol = tcp\n");
	ck_assert_uint_eq(echod_port(echod, "tcp 127.0.0.1"), port);
	expect_streams("127.0.0.1", port);
	ck_assert_uint_eq(echod_log_count(echod, ": listening on udp 127.0.0.1:"), 1);
	ck_assert_uint_eq(echod_log_count(echod, ": listening on tcp 127.0.0.1:"), 1);
}

/* More than are accepted in a turn queue up while it is stopped; then their listener goes. */
TEST(who_waits_in_the_queue_of_a_gone_listener_is_served)
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
		expect_streams("127.0.0.1", port_of(echod));
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

/* A sanitizer keeps what was freed for a while, and books of its own. */
#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
	HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
#define GROWTH_ALLOWED_KIB SIZE_MAX
#else
#define GROWTH_ALLOWED_KIB 256
#endif

TEST(fifty_reloads_under_traffic_leave_nothing_behind)
{
	struct echod *echod = echod_start(ONE);
	int stream = connect_to("127.0.0.1", port_of(echod)), descriptors;
	int datagrams = datagram_socket("127.0.0.1");
	/* Who asks from a port that is served gets no answer: no listener must get this one. */
	int reserved = reserve_port_of(datagrams);
	size_t resident;

	rounds(echod, 10, stream, datagrams);
	descriptors = echod_descriptors(echod);
	resident = echod_resident_kib(echod);
	rounds(echod, 50, stream, datagrams);
	ck_assert_int_eq(echod_descriptors(echod), descriptors);
	if (echod_resident_kib(echod) > resident)
		ck_assert_uint_le(echod_resident_kib(echod) - resident, GROWTH_ALLOWED_KIB);
	ck_assert_uint_eq(echod_counter(echod, "reloads_failure"), 0);
	ck_assert_uint_eq(echod_counter(echod, "udp_received_datagrams"),
			  echod_counter(echod, "udp_echoed_datagrams"));
	close(stream);
	close(datagrams);
	close(reserved);
}
