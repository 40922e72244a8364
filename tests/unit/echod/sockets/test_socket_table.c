/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The table of sockets, opened for configurations: what is in it, and what is logged of it. */

#include "config.h"

#include "echod/sockets/socket_table.h"

#include <stdarg.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "unit/config_text.h"
#include "unit/log_lines.h"

#define WORKERS 2

static struct reason reason;
static struct socket_table *table;
static bool alone; /* in a network of our own, where no other program has a port */

static void set_up(void)
{
	alone = own_network();
	log_lines_begin(LEVEL_WARNING);
}

static struct socket_table *try_open(const char *text)
{
	struct config *config = load_good(text);
	struct socket_table *opened = socket_table_open(NULL, config, WORKERS, &reason);
	int error = errno;

	config_release(config);
	errno = error;
	return opened;
}

PRINTF_LIKE(1, 2) static void open_text(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	table = try_open(text);
	ck_assert_msg(table != NULL, "%s", reason.text);
}

static void tear_down(void)
{
	socket_table_free(table);
	log_lines_end();
}

static uint16_t port_of(size_t index)
{
	return address_port(&table->bindings[index].address);
}

static void expect_binding(size_t index, enum socket_kind kind, const char *host)
{
	const struct binding *binding = &table->bindings[index];
	struct address address = at(host, address_port(&binding->address));

	ck_assert_uint_lt(index, table->count);
	ck_assert_int_eq(binding->kind, kind);
	ck_assert(address_equal(&binding->address, &address));
	ck_assert_uint_eq(binding->socket_count, socket_is_unix(kind) ? 1 : WORKERS);
	for (size_t i = 0; i < binding->socket_count; i++)
		ck_assert(address_equal(&binding->sockets[i]->address, &address));
}

TEST_CASE("open", set_up, tear_down);

TEST(port_zero_is_one_number_for_families_protocols_and_workers)
{
	need_ipv6();
	open_text("[listener a]\naddress = *:0\n");
	ck_assert_uint_eq(table->count, 4);
	expect_binding(0, SOCKET_TCP, "0.0.0.0");
	expect_binding(1, SOCKET_TCP, "::");
	expect_binding(2, SOCKET_UDP, "0.0.0.0");
	expect_binding(3, SOCKET_UDP, "::");
	ck_assert_uint_ne(port_of(0), 0);
	for (size_t i = 1; i < 4; i++)
		ck_assert_uint_eq(port_of(i), port_of(0));
	ck_assert_uint_eq(socket_table_sockets(table), 4 * WORKERS);
}

TEST(each_address_with_port_zero_gets_its_own)
{
	open_text("[listener a]\naddress = 127.0.0.1:0\naddress = 127.0.0.2:0\n"
		  "[listener b]\naddress = 127.0.0.3:0\nprotocol = udp\n");
	ck_assert_uint_eq(table->count, 5);
	ck_assert_uint_eq(port_of(0), port_of(1));
	ck_assert_uint_eq(port_of(2), port_of(3));
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(table->bindings[i].listener, "a");
	expect_binding(4, SOCKET_UDP, "127.0.0.3");
	ck_assert_str_eq(table->bindings[4].listener, "b");
}

static void write_setting(const char *path, const char *value)
{
	int fd = alone ? open(path, O_WRONLY | O_CLOEXEC) : -1;

	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		skip("may not write %s", path);
	close(fd);
}

TEST_EACH(a_number_that_another_protocol_lacks_is_not_taken, 2)
{
	write_setting("/proc/sys/net/ipv4/ip_local_port_range", "40000 40007");
	for (uint16_t port = 40000; port < 40002; port++) {
		struct address address = at("127.0.0.1", port);
		int fd = new_socket(&address, SOCK_DGRAM);

		/* Also when its owner would share it. */
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &_i, sizeof(_i)), 0);
		ck_assert_int_eq(bind(fd, &address.sa, address.length), 0);
	}
	for (int i = 0; i < 10; i++) {
		open_text("[listener a]\naddress = 127.0.0.1:0\n");
		ck_assert_uint_ge(port_of(0), 40002);
		ck_assert_uint_eq(port_of(1), port_of(0));
		socket_table_free(table);
		table = NULL;
	}
}

TEST(unix_addresses_are_opened_once)
{
	const char *stream = test_path("s"), *datagram = test_path("d");

	open_text("[listener a]\naddress = unix:%s unixgram:%s\n", stream, datagram);
	ck_assert_uint_eq(table->count, 2);
	expect_binding(0, SOCKET_UNIX, stream);
	expect_binding(1, SOCKET_UNIXGRAM, datagram);
	socket_table_release(table);
	ck_assert_uint_eq(table->bindings[0].socket_count, 0);
	ck_assert_uint_eq(table->bindings[1].socket_count, 0);
	ck_assert_int_eq(access(stream, F_OK), -1);
	ck_assert_int_eq(access(datagram, F_OK), -1);
}

/* A host where ::1 cannot be had. */
static void lose_ipv6(void)
{
	write_setting("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
}

TEST(without_ipv6_a_pair_is_ipv4_and_one_warning)
{
	lose_ipv6();
	open_text("[listener a]\naddress = localhost:0\n[listener b]\naddress = localhost:7007\n");
	ck_assert_uint_eq(table->count, 4);
	expect_binding(0, SOCKET_TCP, "127.0.0.1");
	expect_binding(1, SOCKET_UDP, "127.0.0.1");
	ck_assert_uint_eq(port_of(0), port_of(1));
	ck_assert_uint_eq(port_of(2), 7007);
	ck_assert_str_eq(log_lines(), "<4>this host has no IPv6: serving IPv4 only\n");
}

TEST(without_ipv6_an_address_asked_for_is_an_error)
{
	lose_ipv6();
	ck_assert_ptr_null(try_open("[listener a]\naddress = [::1]:0\n"));
	ck_assert(errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);
	ck_assert_ptr_nonnull(strstr(reason.text, "[::1]:0"));
	ck_assert_str_eq(log_lines(), "");
}

TEST(every_address_is_announced_once)
{
	unsigned first, second;
	char expected[512];

	open_text("[listener a]\naddress = 127.0.0.1:0\naddress = 127.0.0.2:0\n");
	first = port_of(0);
	second = port_of(2);
	log_set_level(LEVEL_NOTICE);
	socket_table_announce(table, NULL);
	snprintf(expected, sizeof(expected),
		 "<5>listening on tcp 127.0.0.1:%u\n<5>listening on udp 127.0.0.1:%u\n"
		 "<5>listening on tcp 127.0.0.2:%u\n<5>listening on udp 127.0.0.2:%u\n",
		 first, first, second, second);
	/* What may follow, that buffers are small, depends on the host. */
	ck_assert_mem_eq(log_lines(), expected, strlen(expected));
	socket_table_announce(table, table);
	ck_assert_str_eq(log_lines(), "");
}

TEST(what_is_gone_is_logged)
{
	struct socket_table none = {0};
	char expected[128];

	open_text("[listener a]\naddress = 127.0.0.1:0\nprotocol = udp\n");
	log_set_level(LEVEL_NOTICE);
	socket_table_announce_gone(table, &none);
	snprintf(expected, sizeof(expected), "<5>stopped serving udp 127.0.0.1:%u\n",
		 (unsigned)port_of(0));
	ck_assert_str_eq(log_lines(), expected);
	socket_table_announce_gone(table, table);
	ck_assert_str_eq(log_lines(), "");
}

TEST(ports_served_over_udp_get_no_answer)
{
	static struct guard_ports ports, expected;

	open_text("[listener a]\naddress = 127.0.0.1:0\nprotocol = tcp\n"
		  "[listener b]\naddress = 127.0.0.2:0\nprotocol = udp\n");
	guard_ports_init(&ports);
	guard_ports_init(&expected);
	guard_ports_refuse(&expected, port_of(1));
	socket_table_refuse_ports(table, &ports);
	ck_assert_mem_eq(&ports, &expected, sizeof(ports));
}

#define WORKERS_MAX 8

/* The workers that serve one socket, as bits. */
static unsigned servers_of(size_t index, size_t socket, size_t workers)
{
	unsigned servers = 0;

	for (size_t worker = 0; worker < workers; worker++)
		servers |= (unsigned)socket_table_assigns(table, index, socket, worker, workers)
			   << worker;
	return servers;
}

TEST(each_worker_has_its_own_socket)
{
	open_text("[listener a]\naddress = 127.0.0.1:0\n");
	for (size_t i = 0; i < table->count; i++) {
		for (size_t socket = 0; socket < WORKERS; socket++)
			ck_assert_uint_eq(servers_of(i, socket, WORKERS), 1U << socket);
	}
}

/* Its place in the table may change with any reload; the worker that reads it must not. */
TEST(unix_datagram_sockets_belong_to_the_first_worker)
{
	open_text("[listener a]\naddress = unixgram:%s unixgram:%s\n", test_path("a"),
		  test_path("b"));
	for (size_t i = 0; i < table->count; i++)
		ck_assert_uint_eq(servers_of(i, 0, WORKERS), 1);
	socket_table_release(table);
}

/* COUNT sockets of one address, as a unit with ReusePort=yes makes them. */
static size_t hand_group(struct handed_socket *handed, enum handed_kind kind, size_t count,
			 const char *name)
{
	struct address address = at("127.0.0.1", 0);
	int yes = 1;

	for (size_t i = 0; i < count; i++) {
		struct handed_socket *one = &handed[i];

		memset(one, 0, sizeof(*one));
		one->kind = kind;
		one->shares_address = true;
		one->fd = new_socket(&address, kind == HANDED_STREAM ? SOCK_STREAM : SOCK_DGRAM);
		ck_assert_int_eq(setsockopt(one->fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)),
				 0);
		ck_assert_int_eq(bind(one->fd, &address.sa, address.length), 0);
		ck_assert_int_eq(getsockname(one->fd, &address.sa, &address.length), 0);
		one->address = address;
		snprintf(one->name, sizeof(one->name), "%s", name);
	}
	return count;
}

static void adopt(const struct handed_socket *handed, size_t count)
{
	table = socket_table_adopt(handed, count, &reason);
	ck_assert_msg(table != NULL, "%s", reason.text);
	ck_assert(table->handed);
	ck_assert_uint_eq(socket_table_sockets(table), count);
}

static unsigned bits(unsigned set)
{
	return (unsigned)__builtin_popcount(set);
}

static const struct {
	enum handed_kind kind;
	size_t sockets, workers;
	unsigned servers[WORKERS_MAX]; /* of each socket */
} shares[] = {
	/* A datagram socket belongs to one worker, whatever their number. */
	{HANDED_DATAGRAM, 1, 1, {1}},
	{HANDED_DATAGRAM, 1, 4, {1}},
	{HANDED_DATAGRAM, 2, 4, {1, 2}},
	{HANDED_DATAGRAM, 4, 4, {1, 2, 4, 8}},
	{HANDED_DATAGRAM, 5, 2, {1, 2, 1, 2, 1}},
	/* No worker is without a listening one. */
	{HANDED_STREAM, 1, 1, {1}},
	{HANDED_STREAM, 1, 4, {15}},
	{HANDED_STREAM, 2, 4, {5, 10}},
	{HANDED_STREAM, 3, 4, {9, 2, 4}},
	{HANDED_STREAM, 4, 4, {1, 2, 4, 8}},
	{HANDED_STREAM, 5, 2, {1, 2, 1, 2, 1}},
};

TEST_EACH(handed_sockets_of_one_address_are_spread_over_the_workers, ARRAY_SIZE(shares))
{
	struct handed_socket handed[WORKERS_MAX];
	size_t count = hand_group(handed, shares[_i].kind, shares[_i].sockets, "echo");

	adopt(handed, count);
	ck_assert_uint_eq(table->count, 1);
	ck_assert_uint_eq(table->bindings[0].socket_count, count);
	ck_assert_str_eq(table->bindings[0].listener, "echo");
	for (size_t socket = 0; socket < count; socket++) {
		ck_assert_int_eq(table->bindings[0].sockets[socket]->fd, handed[socket].fd);
		ck_assert_uint_eq(servers_of(0, socket, shares[_i].workers),
				  shares[_i].servers[socket]);
	}
}

/* Two addresses do not begin with the same worker. */
TEST(groups_of_several_addresses_use_all_workers)
{
	struct handed_socket handed[6];
	unsigned served = 0;

	(void)hand_group(handed, HANDED_DATAGRAM, 2, "a");
	(void)hand_group(handed + 2, HANDED_STREAM, 2, "a");
	(void)hand_group(handed + 4, HANDED_DATAGRAM, 2, "a");
	adopt(handed, 6);
	ck_assert_uint_eq(table->count, 3);
	for (size_t index = 0; index < 3; index += 2) {
		for (size_t socket = 0; socket < 2; socket++) {
			unsigned servers = servers_of(index, socket, 4);

			ck_assert_uint_eq(bits(servers), 1);
			served |= servers;
		}
	}
	ck_assert_uint_eq(served, 15);
}

TEST(handed_sockets_that_differ_are_no_group)
{
	struct handed_socket handed[6];

	(void)hand_group(handed, HANDED_DATAGRAM, 2, "a");
	(void)hand_group(handed + 2, HANDED_DATAGRAM, 2, "a");
	(void)hand_group(handed + 4, HANDED_STREAM, 2, "a");
	handed[1].shares_address = false;
	strcpy(handed[3].name, "b");
	handed[5].address = at("127.0.0.2", 7);
	adopt(handed, 6);
	ck_assert_uint_eq(table->count, 6);
	for (size_t i = 0; i < table->count; i++)
		ck_assert_uint_eq(table->bindings[i].socket_count, 1);
	ck_assert_str_eq(table->bindings[3].listener, "b");
	ck_assert_int_eq(table->bindings[4].kind, SOCKET_TCP);
}
