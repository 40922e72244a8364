/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * From one table of sockets to the next: what is kept, what is new, what goes, what a failure
 * leaves.
 */

#include "config.h"

#include "echod/sockets/socket_table.h"

#include <stdarg.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "unit/config_text.h"
#include "unit/log_lines.h"

#define WORKERS 2

static struct reason reason;
static struct socket_table *held;

static void set_up(void)
{
	(void)own_network(); /* if allowed: no other program has a port there */
	log_lines_begin(LEVEL_WARNING);
	held = NULL;
}

static void tear_down(void)
{
	socket_table_free(held);
	log_lines_end();
}

PRINTF_LIKE(1, 2) static struct socket_table *try_open(const char *format, ...)
{
	struct socket_table *table;
	struct config *config;
	char text[1024];
	va_list args;
	int error;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	config = load_good(text);
	table = socket_table_open(held, config, WORKERS, &reason);
	error = errno;
	config_release(config);
	errno = error;
	return table;
}

/* Opens the next table beside the one held. */
#define open_next(...) must(try_open(__VA_ARGS__))

static struct socket_table *must(struct socket_table *table)
{
	ck_assert_msg(table != NULL, "%s", reason.text);
	return table;
}

/* NEXT is in force, what is left of what was held goes. */
static void change_to(struct socket_table *next)
{
	if (held != NULL) {
		socket_table_subtract(held, next);
		socket_table_release(held);
		socket_table_free(held);
	}
	held = next;
}

static unsigned port_of(const struct socket_table *table, size_t index)
{
	return address_port(&table->bindings[index].address);
}

static bool serves(const char *host, unsigned port)
{
	int fd = try_connect(host, (uint16_t)port);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* All sockets of both are the same ones. */
static void expect_kept(const struct binding *before, const struct binding *after)
{
	ck_assert_uint_eq(after->socket_count, before->socket_count);
	for (size_t i = 0; i < before->socket_count; i++)
		ck_assert_ptr_eq(after->sockets[i], before->sockets[i]);
}

TEST_CASE("reload", set_up, tear_down);

TEST(what_stays_is_kept_what_is_new_is_opened_what_goes_is_closed)
{
	struct socket_table *next;
	unsigned going;

	change_to(open_next("[listener a]\naddress = 127.0.0.1:0\naddress = 127.0.0.2:0\n"));
	going = port_of(held, 2);
	next = open_next("[listener a]\naddress = 127.0.0.1:%u\naddress = 127.0.0.3:0\n",
			 port_of(held, 0));
	ck_assert_uint_eq(next->count, 4);
	expect_kept(&held->bindings[0], &next->bindings[0]);
	expect_kept(&held->bindings[1], &next->bindings[1]);
	socket_table_subtract(held, next);
	ck_assert_uint_eq(held->count, 2);
	ck_assert_uint_eq(port_of(held, 0), going);
	ck_assert(serves("127.0.0.2", going));
	change_to(next);
	ck_assert(!serves("127.0.0.2", going));
	ck_assert(serves("127.0.0.1", port_of(held, 0)));
	ck_assert(serves("127.0.0.3", port_of(held, 2)));
}

TEST(port_zero_keeps_its_number_while_the_text_is_the_same)
{
	unsigned port;

	change_to(open_next("[listener a]\naddress = *:0\n"));
	port = port_of(held, 0);
	for (int i = 0; i < 5; i++) {
		struct socket_table *next = open_next("[listener z]\naddress = 127.0.0.1:0\n"
						      "[listener renamed]\naddress = *:0\n");

		ck_assert_uint_eq(port_of(next, 2), port);
		ck_assert_uint_ne(port_of(next, 0), port);
		expect_kept(&held->bindings[held->count - 1], &next->bindings[next->count - 1]);
		change_to(next);
	}
}

TEST(the_number_that_port_zero_became_is_not_for_another_listener)
{
	char expected[128];

	change_to(open_next("[listener a]\naddress = localhost:0\n"));
	ck_assert_ptr_null(try_open("[listener b]\naddress = 127.0.0.1:%u\n"
				    "[listener a]\naddress = localhost:0\n",
				    port_of(held, 0)));
	ck_assert_int_eq(errno, EADDRINUSE);
	snprintf(expected, sizeof(expected),
		 "tcp 127.0.0.1:%u for [listener b]: it is what port 0 of [listener a] became",
		 port_of(held, 0));
	ck_assert_msg(strstr(reason.text, expected) != NULL, "%s", reason.text);
	ck_assert(serves("127.0.0.1", port_of(held, 0)));
	/* It may well become that number in the file. */
	change_to(open_next("[listener b]\naddress = 127.0.0.1:%u\n", port_of(held, 0)));
}

TEST(a_protocol_added_to_port_zero_gets_the_number_of_the_other)
{
	struct socket_table *next;

	change_to(open_next("[listener a]\naddress = 127.0.0.1:0\nprotocol = tcp\n"));
	next = open_next("[listener a]\naddress = 127.0.0.1:0\nprotocol = tcp udp\n");
	ck_assert_uint_eq(next->count, 2);
	ck_assert_uint_eq(port_of(next, 1), port_of(held, 0));
	expect_kept(&held->bindings[0], &next->bindings[0]);
	change_to(next);
}

TEST(one_address_becomes_all_of_them_and_back)
{
	unsigned port;

	change_to(open_next("[listener a]\naddress = 127.0.0.1:0\n"));
	port = port_of(held, 0);
	for (int i = 0; i < 2; i++) {
		change_to(open_next("[listener a]\naddress = *:%u\n", port));
		ck_assert(serves("127.0.0.2", port));
		change_to(open_next("[listener a]\naddress = 127.0.0.1:%u\n", port));
		ck_assert(serves("127.0.0.1", port));
		ck_assert(!serves("127.0.0.2", port));
	}
}

/* An address in use by another socket. */
static unsigned taken_port(int type)
{
	struct address address = at("127.0.0.1", 0);
	int fd = new_socket(&address, type);

	ck_assert_int_eq(bind(fd, &address.sa, address.length), 0);
	ck_assert(type == SOCK_DGRAM || listen(fd, 1) == 0);
	ck_assert_int_eq(getsockname(fd, &address.sa, &address.length), 0);
	return address_port(&address);
}

TEST(a_failure_leaves_everything_as_it_was)
{
	const char *directory = test_directory();
	struct socket_table before;

	change_to(open_next("[listener a]\naddress = 127.0.0.1:0\naddress = unix:%s/kept\n",
			    directory));
	before = *held;
	ck_assert_ptr_null(try_open("[listener a]\naddress = 127.0.0.1:%u\n"
				    "address = unix:%s/kept\naddress = unix:%s/new\n"
				    "address = unixgram:%s/newgram\naddress = 127.0.0.3:7077\n"
				    "address = unix:%s/nowhere/x\n",
				    port_of(held, 0), directory, directory, directory, directory));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_mem_eq(&before, held, sizeof(before));
	ck_assert(serves("127.0.0.1", port_of(held, 0)));
	ck_assert(!serves("127.0.0.3", 7077));
	ck_assert(serves(test_path("kept"), 0));
	ck_assert_int_eq(access(test_path("new"), F_OK), -1);
	ck_assert_int_eq(access(test_path("newgram"), F_OK), -1);
}

TEST_EACH(everything_is_probed_before_anything_is_opened, 2)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	static const char *const protocols[] = {"tcp", "udp"};
	const char *path = test_path("early");

	ck_assert_ptr_null(try_open("[listener a]\nprotocol = %s\naddress = unix:%s\n"
				    "address = 127.0.0.1:%u\n",
				    protocols[_i], path, taken_port(types[_i])));
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(reason.text, "another program has it"));
	ck_assert_ptr_nonnull(strstr(reason.text, protocols[_i]));
	ck_assert_int_eq(access(path, F_OK), -1);
}

TEST(a_unix_socket_stays_the_one_it_is)
{
	const char *path = test_path("stays");
	struct stat before, after;

	change_to(open_next("[listener a]\naddress = unix:%s\n", path));
	ck_assert_int_eq(stat(path, &before), 0);
	change_to(open_next("[listener b]\naddress = 127.0.0.1:0\naddress = unix:%s\n", path));
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert(serves(path, 0));
	change_to(open_next("[listener b]\naddress = 127.0.0.1:0\n"));
	ck_assert_int_eq(access(path, F_OK), -1);
}

TEST(a_unix_socket_cannot_become_one_of_the_other_kind)
{
	const char *path = test_path("kind");

	change_to(open_next("[listener a]\naddress = unix:%s\n", path));
	ck_assert_ptr_null(try_open("[listener a]\naddress = unixgram:%s\n", path));
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(reason.text, "this process holds"));
	ck_assert(serves(path, 0));
	socket_table_release(held);
}

TEST_EACH(a_unix_socket_whose_file_is_gone_is_opened_anew, 2)
{
	static const char *const kinds[] = {"unix", "unixgram"};
	struct socket_table *next;
	const char *path = test_path("lost");

	change_to(open_next("[listener a]\naddress = %s:%s\n", kinds[_i], path));
	ck_assert_int_eq(unlink(path), 0);
	next = open_next("[listener a]\naddress = %s:%s\n", kinds[_i], path);
	ck_assert_ptr_ne(next->bindings[0].sockets[0], held->bindings[0].sockets[0]);
	ck_assert_ptr_nonnull(strstr(log_lines(), "/lost was removed or replaced"));
	change_to(next);
	ck_assert(!listen_socket_lost_file(held->bindings[0].sockets[0]));
	next = open_next("[listener a]\naddress = %s:%s\n", kinds[_i], path);
	expect_kept(&held->bindings[0], &next->bindings[0]);
	change_to(next);
	socket_table_release(held);
	ck_assert_int_eq(access(path, F_OK), -1);
}

TEST(what_was_opened_anew_goes_again_when_something_else_fails)
{
	const char *path = test_path("again");

	change_to(open_next("[listener a]\naddress = unix:%s\n", path));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ptr_null(try_open("[listener a]\naddress = unix:%s unix:/nowhere/x\n", path));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_uint_eq(held->bindings[0].socket_count, 1);
}

TEST(a_file_that_another_program_has_made_is_its_own)
{
	struct socket_table *table, *other;
	const char *path = test_path("taken");

	change_to(open_next("[listener a]\naddress = unix:%s\n", path));
	ck_assert_int_eq(unlink(path), 0);
	table = held;
	held = NULL;
	other = open_next("[listener a]\naddress = unix:%s\n", path);
	held = table;
	ck_assert_ptr_null(try_open("[listener a]\naddress = unix:%s\n", path));
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(reason.text, "another program has it"));
	ck_assert(serves(path, 0));
	socket_table_release(other);
	socket_table_free(other);
}
