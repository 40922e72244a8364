/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The forms of an address, in the file and with -l; which listener serves what. */

#include "config.h"

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

static void expect_served_from(const char *own, const char *host, uint16_t port)
{
	int stream = connect_to(host, port), datagrams = datagram_socket(own);

	expect_echo(stream, "stream", 6);
	expect_datagram_echo(datagrams, host, port, "datagram", 8);
	close(stream);
	close(datagrams);
}

static void expect_served(const char *host, uint16_t port)
{
	expect_served_from(host, host, port);
}

/* One number for all families and protocols; 0 where IPv6 is absent, for its half. */
static uint16_t expect_one_number(struct echod *echod, const char *v4, const char *v6)
{
	char where[64];
	uint16_t port;

	snprintf(where, sizeof(where), "tcp %s", v4);
	port = echod_port(echod, where);
	ck_assert_uint_ne(port, 0);
	snprintf(where, sizeof(where), "udp %s", v4);
	ck_assert_uint_eq(echod_port(echod, where), port);
	for (int udp = 0; udp < 2 && has_ipv6(); udp++) {
		snprintf(where, sizeof(where), "%s %s", udp ? "udp" : "tcp", v6);
		ck_assert_uint_eq(echod_port(echod, where), port);
	}
	return port;
}

static void check_wildcard(const char *config)
{
	struct echod *echod = echod_start(config);
	uint16_t port = expect_one_number(echod, "0.0.0.0", "[::]");

	expect_served("127.0.0.1", port);
	expect_served("127.0.0.5", port);
	if (has_ipv6())
		expect_served("::1", port);
	else /* [::] can be bound where IPv6 is only disabled */
		ck_assert_uint_eq(echod_log_count(echod, "no IPv6"),
				  echod_log_count(echod, "listening on tcp [::]:") == 0);
	echod_stop(echod);
}

TEST_CASE("forms");

TEST(a_star_or_nothing_is_every_address_of_both_families)
{
	check_wildcard("[listener a]\naddress = *:0\n");
	check_wildcard("[listener a]\naddress = :0\n");
}

TEST(localhost_is_both_loopback_addresses_and_no_other)
{
	struct echod *echod = echod_start("[listener a]\naddress = localhost:0\n");
	uint16_t port = expect_one_number(echod, "127.0.0.1", "[::1]");

	expect_served("127.0.0.1", port);
	if (has_ipv6())
		expect_served("::1", port);
	ck_assert_int_lt(try_connect("127.0.0.2", port), 0);
}

TEST(an_ipv6_address_stands_in_brackets)
{
	struct echod *echod;

	need_ipv6();
	echod = echod_start("[listener a]\naddress = [::1]:0\n");
	expect_served("::1", echod_port(echod, "tcp [::1]"));
}

TEST(a_link_local_address_has_its_interface)
{
	struct echod *echod;

	need_own_network();
	need_ipv6();
	add_address("fe80::7%lo");
	add_address("fe80::8%lo");
	echod = echod_start("[listener a]\naddress = [fe80::7%lo]:0\n");
	expect_served_from("fe80::8%lo", "fe80::7%lo", echod_port(echod, "tcp [fe80::7%lo]"));
}

static void expect_local_datagram_echo(const struct echod *echod)
{
	struct address own = at(echod_path(echod, "client"), 0), to = at(echod_path(echod, "d"), 0);
	int fd = new_socket(&own, SOCK_DGRAM);
	char came[16];

	ck_assert_int_eq(bind(fd, &own.sa, own.length), 0);
	send_datagram(fd, &to, "local", 5);
	recv_exact(fd, came, 5);
	ck_assert_mem_eq(came, "local", 5);
	close(fd);
}

TEST(unix_paths_are_served_as_streams_and_datagrams)
{
	struct echod *echod = echod_start("[listener a]\naddress = unix:@DIR@/s unixgram:@DIR@/d\n"
					  "greeting = hello\n");
	int fd = connect_to(echod_path(echod, "s"), 0);

	expect_text(fd, "hello");
	expect_echo(fd, "stream", 6);
	close(fd);
	expect_local_datagram_echo(echod);
	ck_assert_uint_eq(echod_log_count(echod, ": listening on unix /"), 1);
	ck_assert_uint_eq(echod_log_count(echod, ": listening on unixgram /"), 1);
}

static void expect_prefix(const char *host, uint16_t port, const char *echo)
{
	int fd = connect_to(host, port);

	send_all(fd, "x", 1);
	expect_text(fd, echo);
	close(fd);
}

TEST_CASE("listeners");

TEST(each_listener_has_its_own_settings)
{
	struct echod *echod = echod_start("[defaults]\nprefix = d\n"
					  "[listener a]\naddress = 127.0.0.1:0\nprefix = a\n"
					  "[listener b]\naddress = 127.0.0.2:0 127.0.0.3:0\n");

	expect_prefix("127.0.0.1", port_of(echod), "ax");
	expect_prefix("127.0.0.2", echod_port(echod, "tcp 127.0.0.2"), "dx");
	expect_prefix("127.0.0.3", echod_port(echod, "tcp 127.0.0.3"), "dx");
}

/* One number at two addresses: the number that the first echod got is free for the second one. */
TEST(the_more_specific_of_two_addresses_wins)
{
	struct echod *echod;
	char config[256];
	uint16_t port;

	need_own_network();
	echod = echod_start("[listener a]\naddress = *:0\n");
	port = echod_port(echod, "tcp 0.0.0.0");
	echod_stop(echod);
	snprintf(config, sizeof(config),
		 "[listener all]\naddress = *:%d\nprefix = all\n"
		 "[listener one]\naddress = 127.0.0.2:%d\nprefix = one\n",
		 port, port);
	echod = echod_start(config);
	expect_prefix("127.0.0.1", port, "allx");
	expect_prefix("127.0.0.2", port, "onex");
}

TEST(a_setting_that_nothing_here_uses_is_a_warning)
{
	struct echod *echod = echod_start("[listener a]\naddress = 127.0.0.1:0\nprotocol = udp\n"
					  "idle_timeout = 5\n");

	ck_assert_uint_eq(echod_log_count(echod, "echod.conf:4: warning: idle_timeout"), 1);
}

static const char file_with_listeners[] =
	"[defaults]\nprefix = d\n[listener echo]\naddress = 127.0.0.9:0\nprefix = f\n";

TEST(option_l_replaces_the_listeners_but_not_the_defaults)
{
	struct echod_setup setup = {
		.config = file_with_listeners,
		.arguments = ARGUMENTS("-l", "127.0.0.1:0", "--listen", "127.0.0.2:0")};
	struct echod *echod = echod_start_with(&setup);

	expect_prefix("127.0.0.1", port_of(echod), "dx");
	expect_prefix("127.0.0.2", echod_port(echod, "tcp 127.0.0.2"), "dx");
	ck_assert_uint_eq(echod_log_count(echod, "127.0.0.9"), 0);
	echod_reload(echod, "[defaults]\nprefix = new\n[server]\nlog_level = info\n");
	expect_prefix("127.0.0.1", port_of(echod), "newx");
	expect_prefix("127.0.0.2", echod_port(echod, "tcp 127.0.0.2"), "newx");
	echod_wait_log(echod, " on echo2 opened");
	ck_assert_uint_eq(echod_log_count(echod, ": listening on tcp"), 2);
}

TEST(option_l_gives_the_names_echo_echo2_and_so_on)
{
	struct echod *echod = finished_with(
		file_with_listeners, ARGUMENTS("-T", "-l", "*:1", "-l", "*:2", "-l", "unix:/x"), 0);
	const char *output = echod_output(echod);

	ck_assert_ptr_nonnull(strstr(output, "[listener echo]\naddress = *:1\n"));
	ck_assert_ptr_nonnull(strstr(output, "[listener echo2]\naddress = *:2\n"));
	ck_assert_ptr_nonnull(strstr(output, "[listener echo3]\naddress = unix:/x\n"));
	ck_assert_ptr_null(strstr(output, "127.0.0.9"));
	echod_free(echod);
}
