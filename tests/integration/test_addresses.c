/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The forms of an address, in the file and with -l; which listener serves what; unix sockets, and
 * the life of their files.
 */

#include "config.h"

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

#define UNIXGRAM_MOST 65535

static void expect_served_from(const char *own, const char *host, uint16_t port)
{
	int stream = connect_to(host, port), datagrams = datagram_socket(own);

	expect_echo(stream, "stream", 6);
	expect_datagram_echo(datagrams, host, port, "datagram", 8);
	close(stream);
	close(datagrams);
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

	/* Each address, family and protocol is announced once, not by every worker. */
	ck_assert_uint_eq(echod_log_count(echod, "listening on tcp 0.0.0.0:"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "listening on udp 0.0.0.0:"), 1);
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
	struct echod *echod;
	uint16_t port;

	need_ipv6();
	echod = echod_start("[listener a]\naddress = localhost:0\n");
	port = expect_one_number(echod, "127.0.0.1", "[::1]");
	expect_served("127.0.0.1", port);
	expect_served("::1", port);
	ck_assert_int_lt(try_connect("127.0.0.2", port), 0);
	ck_assert_int_eq(errno, ECONNREFUSED);
}

TEST(without_ipv6_there_is_one_warning_and_ipv4)
{
	static const char knob[] = "/proc/sys/net/ipv6/conf/all/disable_ipv6";
	struct echod *echod;
	FILE *file;

	need_own_network();
	file = fopen(knob, "we");
	if (file == NULL || fputs("1", file) < 0 || fclose(file) != 0)
		skip("cannot write to %s", knob);
	echod = echod_start("[listener both]\naddress = localhost:0\n");
	ck_assert_uint_eq(echod_log_count(echod, "no IPv6"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "listening on tcp [::1]"), 0);
	expect_served("127.0.0.1", port_of(echod));
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
	struct echod *echod = echod_start_with(
		ECHOD(.config = file_with_listeners,
		      .arguments = ARGUMENTS("-l", "127.0.0.1:0", "--listen", "127.0.0.2:0")));

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
}

static const char both[] = "[listener local]\n"
			   "address = unix:@DIR@/stream\n"
			   "address = unixgram:@DIR@/datagram\n";

/* A datagram socket with a name of its own in the directory of ECHOD. */
static int named_socket(const struct echod *echod, const char *name)
{
	int fd = datagram_socket(echod_path(echod, name)), room = 1024 * 1024;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	return fd;
}

static void expect_local_echo(const struct echod *echod, int fd, const void *data, size_t size)
{
	expect_datagram_echo(fd, echod_path(echod, "datagram"), 0, data, size);
}

TEST_CASE("unix sockets");

TEST(streams_and_datagrams_come_back)
{
	struct echod *echod = echod_start(both);
	int stream = connect_to(echod_path(echod, "stream"), 0),
	    datagram = named_socket(echod, "me");
	static char data[512 * 1024];

	fill(data, sizeof(data), 1);
	pump(stream, stream, data, sizeof(data), sizeof(data));
	expect_local_echo(echod, datagram, "", 0);
	expect_local_echo(echod, datagram, data, 1);
	expect_local_echo(echod, datagram, data, UNIXGRAM_MOST);
	ck_assert_uint_eq(echod_log_count(echod, ": listening on unix /"), 1);
	ck_assert_uint_eq(echod_log_count(echod, ": listening on unixgram /"), 1);
	/* Streams count as tcp, datagrams as udp. */
	echod_wait_counter(echod, "tcp_accepted", 1);
	echod_wait_counter(echod, "sent_bytes_tcp", sizeof(data));
	echod_wait_counter(echod, "udp_echoed_datagrams", 3);
	echod_wait_counter(echod, "sent_bytes_udp", 1 + UNIXGRAM_MOST);
}

TEST(an_urgent_byte_comes_back_in_its_place)
{
	struct echod *echod = echod_start(both);
	int fd = connect_to(echod_path(echod, "stream"), 0);

	send_all(fd, "ab", 2);
	if (send(fd, "U", 1, MSG_OOB) < 0 && errno == EOPNOTSUPP)
		skip("this kernel has no urgent bytes on UNIX sockets");
	send_all(fd, "cd", 2);
	expect_text(fd, "abUcd");
}

TEST(a_sender_with_an_abstract_name_is_answered)
{
	struct echod *echod = echod_start(both);
	struct address to = at(echod_path(echod, "datagram"), 0);
	int fd = new_socket(&to, SOCK_DGRAM);

	/* Without a path the kernel chooses a name. */
	ck_assert_int_eq(bind(fd, &to.sa, sizeof(to.un.sun_family)), 0);
	expect_local_echo(echod, fd, "abstract", 8);
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static const char *config_for(const char *stream, const char *datagram)
{
	static char text[512];

	snprintf(text, sizeof(text), "[listener local]\naddress = unix:%s\naddress = unixgram:%s\n",
		 stream, datagram);
	return text;
}

TEST(files_are_gone_after_the_stop)
{
	const char *stream = test_path("a"), *datagram = test_path("b");
	struct echod *echod = echod_start(config_for(stream, datagram));

	ck_assert(exists(stream) && exists(datagram));
	echod_stop(echod);
	ck_assert(!exists(stream) && !exists(datagram));
}

/* Starts an echod that must fail, and returns once it did. */
static void expect_refusal(const char *config, const char *why)
{
	struct echod *echod = finished_with(config, NULL, FAILURE);

	ck_assert_uint_eq(echod_log_count(echod, why), 1);
	ck_assert_uint_eq(echod_log_count(echod, "listening on"), 0);
}

TEST(a_live_socket_is_not_taken_over)
{
	const char *stream = test_path("a"), *datagram = test_path("b");
	int fd;

	echod_start(config_for(stream, datagram));
	fd = connect_to(stream, 0);
	expect_refusal(config_for(stream, test_path("c")), stream);
	expect_refusal(config_for(test_path("c"), datagram), datagram);
	expect_echo(fd, "still there", 11);
	close(fd);
	fd = connect_to(stream, 0);
	expect_echo(fd, "and found", 9);
	close(fd);
	expect_datagram_echo(datagram_socket(test_path("me")), datagram, 0, "too", 3);
	/* What did open before the refusal is taken back. */
	ck_assert(!exists(test_path("c")));
}
