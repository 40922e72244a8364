/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sockets that the kernel refuses, and tables of them for which memory runs out: what failed is
 * named, nothing is left behind, and what was open before is not touched.
 */

#include "config.h"

#include "echod/sockets/socket_options.h"
#include "echod/sockets/socket_table.h"
#include "unit/config_text.h"
#include "unit/faults.h"
#include "unit/listening.h"
#include "unit/log_lines.h"

static void set_up(void)
{
	log_lines_begin(LEVEL_WARNING);
}

static struct address unix_address(const char *name)
{
	(void)unlink(test_path(name));
	return at(test_path(name), 0);
}

/* Opens while CALL fails after SKIP others; false: it was not called as often. */
static bool fails_at(enum socket_kind kind, const struct address *address, unsigned skip,
		     const char *call, const char *step)
{
	int lowest = fault_lowest_fd();
	struct listen_socket *opened;

	reason.text[0] = '\0';
	fault_after(skip, call, EPERM);
	opened = listen_socket_open(kind, address, &reason);
	if (!fault_over()) {
		ck_assert_msg(opened != NULL, "%s", reason.text);
		listen_socket_release(opened);
		return false;
	}
	ck_assert_msg(opened == NULL, "%s %u", call, skip);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_msg(strstr(reason.text, step) != NULL, "%s", reason.text);
	ck_assert_int_eq(fault_lowest_fd(), lowest);
	ck_assert_int_eq(fault_blocks(), 0);
	return true;
}

TEST_CASE("listening_faults", set_up, log_lines_end);

TEST(each_step_that_fails_is_named_and_undone)
{
	struct address address = at("127.0.0.1", 0);
	unsigned options = 0;

	ck_assert(fails_at(SOCKET_TCP, &address, 0, "socket", ": socket: Operation not permitted"));
	while (options < 10)
		ck_assert(
			fails_at(SOCKET_TCP, &address, options++, "setsockopt", ": setsockopt: "));
	/* The next one turns Fast Open off, which the kernel may not have at all. */
	fault_after(options, "setsockopt", EPERM);
	listen_socket_release(listen_socket_open(SOCKET_TCP, &address, &reason));
	ck_assert(fault_over());
	ck_assert(!fails_at(SOCKET_TCP, &address, options + 1, "setsockopt", ""));
	ck_assert(fails_at(SOCKET_TCP, &address, 0, "bind", ": bind: "));
	ck_assert(fails_at(SOCKET_TCP, &address, 0, "listen", ": listen: "));
	ck_assert(fails_at(SOCKET_TCP, &address, 0, "getsockname", ": getsockname: "));
	ck_assert(fails_at(SOCKET_TCP, &address, 0, MEMORY, "cannot listen on tcp 127.0.0.1:0"));
	for (unsigned skip = 0; skip < 3; skip++)
		ck_assert(fails_at(SOCKET_UDP, &address, skip, "getsockopt", ": setsockopt: "));
	need_ipv6();
	address = at("::1", 0);
	ck_assert(fails_at(SOCKET_UDP, &address, 0, "setsockopt", ": setsockopt: "));
}

TEST(a_file_that_cannot_be_judged_is_neither_replaced_nor_removed)
{
	struct address address = unix_address("judged");
	struct listen_socket *socket;
	struct stat status;

	fault_next("lstat", EACCES);
	ck_assert_ptr_null(listen_socket_open(SOCKET_UNIX, &address, &reason));
	ck_assert(fault_over());
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_lt(lstat(address.un.sun_path, &status), 0);

	fault_after(1, "lstat", EIO);
	socket = listen_socket_open(SOCKET_UNIX, &address, &reason);
	ck_assert(fault_over());
	ck_assert_ptr_nonnull(socket);
	listen_socket_unlink(socket);
	listen_socket_release(socket);
	ck_assert_int_eq(lstat(address.un.sun_path, &status), 0);

	/* It is stale now. Whether it is takes a second socket to find out. */
	ck_assert(fails_at(SOCKET_UNIX, &address, 1, "socket", ": socket: "));
	ck_assert_int_eq(lstat(address.un.sun_path, &status), 0);
	ck_assert_int_eq(unlink(address.un.sun_path), 0);
}

TEST(a_kernel_without_the_family_is_named)
{
	struct address address = at("127.0.0.1", 0);

	fault_next("socket", EAFNOSUPPORT);
	ck_assert_ptr_null(listen_socket_open(SOCKET_TCP, &address, &reason));
	ck_assert_ptr_nonnull(
		strstr(reason.text, "this kernel does not have that protocol family"));
}

TEST(a_probe_that_cannot_be_made_has_failed)
{
	struct address address = at("127.0.0.1", 0);
	int lowest = fault_lowest_fd();

	fault_next("socket", EMFILE);
	ck_assert_int_eq(listen_socket_probe(SOCKET_UDP, &address, &reason), -1);
	ck_assert_int_eq(errno, EMFILE);
	ck_assert_ptr_nonnull(strstr(reason.text, ": socket: Too many open files"));
	fault_next("setsockopt", EPERM);
	ck_assert_int_eq(listen_socket_probe(SOCKET_TCP, &address, &reason), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(fault_lowest_fd(), lowest);
}

static int datagram_fd(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

TEST(a_socket_that_cannot_be_adopted_stays_its_owners)
{
	static const char *const calls[] = {MEMORY, "getsockname", "getsockopt", "socket",
					    "setsockopt"};
	int fd = datagram_fd();

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct listen_socket *adopted;

		fault_next(calls[i], ENOBUFS);
		adopted = listen_socket_adopt(fd, SOCKET_UDP, &reason);
		ck_assert(fault_over());
		ck_assert_ptr_null(adopted);
		ck_assert_ptr_nonnull(strstr(reason.text, "No buffer space available"));
		ck_assert_int_eq(fault_blocks(), 0);
	}
	ck_assert_int_eq(close(fd), 0);
}

TEST(handed_sockets_without_memory_for_them_are_an_error)
{
	struct handed_socket handed[2] = {{.fd = datagram_fd(), .kind = HANDED_DATAGRAM},
					  {.fd = datagram_fd(), .kind = HANDED_DATAGRAM}};
	struct socket_table *table = NULL;

	for (unsigned skip = 0; !table; skip++) {
		struct socket_table *next;

		/* Those adopted before are closed, as the daemon ends. */
		for (size_t i = 0; i < ARRAY_SIZE(handed); i++) {
			close(handed[i].fd);
			handed[i].fd = datagram_fd();
			handed[i].address = at("127.0.0.1", 1);
		}
		fault_after(skip, MEMORY, ENOMEM);
		next = socket_table_adopt(handed, ARRAY_SIZE(handed), &reason);
		if (fault_over()) {
			ck_assert_ptr_null(next);
			ck_assert_int_eq(fault_blocks(), 0);
			ck_assert_uint_lt(skip, 10);
			continue;
		}
		ck_assert_uint_eq(skip, 6); /* the table, the list in it, and two for each */
		table = next;
	}
	socket_table_free(table);
}

TEST(what_the_kernel_does_not_report_counts_as_nothing)
{
	struct listen_socket *socket = open_at(SOCKET_UDP, "127.0.0.1", 0);

	fault_next("getsockopt", ENOPROTOOPT);
	ck_assert_uint_eq(listen_socket_drops(socket), 0);
	for (unsigned skip = 0; skip < 2; skip++) {
		fault_after(skip, "getsockopt", ENOPROTOOPT);
		ck_assert(!socket_options_buffers_small(socket->fd, SOCKET_UDP));
		ck_assert(fault_over());
	}
	listen_socket_release(socket);
}

static struct socket_table *try_open(const struct socket_table *held, struct config *config)
{
	return socket_table_open(held, config, 2, &reason);
}

/* How often opening CONFIG beside HELD allocates; each allocation fails once. */
static unsigned each_allocation_fails(const struct socket_table *held, struct config *config)
{
	int lowest = fault_lowest_fd();

	for (unsigned skip = 0;; skip++) {
		struct socket_table *opened;

		fault_after(skip, MEMORY, ENOMEM);
		opened = try_open(held, config);
		if (!fault_over()) {
			ck_assert_msg(opened != NULL, "%s", reason.text);
			socket_table_release(opened);
			socket_table_free(opened);
			return skip;
		}
		ck_assert_ptr_null(opened);
		ck_assert_int_eq(errno, ENOMEM);
		ck_assert_int_eq(fault_blocks(), 0);
		ck_assert_int_eq(fault_lowest_fd(), lowest);
	}
}

TEST(a_table_for_which_memory_runs_out_leaves_the_one_in_force_alone)
{
	struct address address = unix_address("kept");
	struct config *one = load_good("[listener a]\naddress = 127.0.0.1:0\n");
	struct config *two;
	struct socket_table *held;
	char text[512];

	ck_assert_uint_ge(each_allocation_fails(NULL, one), 8);
	held = try_open(NULL, one);
	ck_assert_ptr_nonnull(held);
	(void)snprintf(text, sizeof(text),
		       "[listener a]\naddress = 127.0.0.1:0 unix:%s\n"
		       "[listener b]\naddress = 127.0.0.2:0\nprotocol = tcp\n",
		       address.un.sun_path);
	two = load_good(text);
	ck_assert_uint_ge(each_allocation_fails(held, two), 8);
	ck_assert_uint_eq(socket_table_sockets(held), 4);
	connect_to("127.0.0.1", address_port(&held->bindings[0].address));
	ck_assert_int_lt(unlink(address.un.sun_path), 0);
	socket_table_free(held);
	config_release(one);
	config_release(two);
}

TEST(a_host_without_ipv6_serves_the_rest_and_logs_it_once)
{
	struct config *config =
		load_good("[listener a]\naddress = *:0 localhost:0\nprotocol = udp\n");
	struct socket_table *table;
	const char *said_so;

	need_ipv6();
	/* A probe of an IPv4 datagram socket has no options. */
	fault_next_times(2, "setsockopt", EAFNOSUPPORT);
	table = try_open(NULL, config);
	ck_assert(fault_over());
	ck_assert_msg(table != NULL, "%s", reason.text);
	ck_assert_uint_eq(table->count, 2);
	for (size_t i = 0; i < table->count; i++)
		ck_assert_int_eq(table->bindings[i].address.sa.sa_family, AF_INET);
	said_so = strstr(log_lines(), "no IPv6: serving IPv4 only\n");
	ck_assert_ptr_nonnull(said_so);
	ck_assert_ptr_null(strstr(said_so + 1, "no IPv6"));
	socket_table_free(table);
	/* Any other error is none of a missing family. */
	fault_next("setsockopt", ENOMEM);
	ck_assert_ptr_null(try_open(NULL, config));
	config_release(config);
}
