/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a worker changes over to: sockets, services by name, and connections that follow them. */

#include "config.h"

#include "echod/worker/plan.h"

#include <stdarg.h>

#include "echod/sockets/socket_table.h"
#include "support/test.h"
#include "unit/config_text.h"
#include "unit/loop_scene.h"

static struct socket_table *table;
static struct config *config;
static struct reason reason;

static void set_up(void)
{
	(void)own_network(); /* if allowed: no other program has a port there */
	scene_open();
}

static void tear_down(void)
{
	scene_close();
	socket_table_free(table);
	config_release(config);
}

static void carry_out(struct socket_table *socket_table_next, struct config *next_config)
{
	struct plan *plan = plan_new(next_config, socket_table_next, NULL, 0, 1);

	ck_assert_ptr_nonnull(plan);
	plan_carry_out(plan, &scene_loop);
	socket_table_free(table);
	config_release(config);
	table = socket_table_next;
	config = next_config;
}

/* The only worker of a daemon whose file is now this. */
PRINTF_LIKE(1, 2) static void load(const char *format, ...)
{
	struct socket_table *socket_table_next;
	struct config *next_config;
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	next_config = load_good(text);
	socket_table_next = socket_table_open(table, next_config, 1, &reason);
	ck_assert_msg(socket_table_next != NULL, "%s", reason.text);
	carry_out(socket_table_next, next_config);
}

static unsigned port_of(size_t binding)
{
	return address_port(&table->bindings[binding].address);
}

static int dial(size_t binding)
{
	return connect_to("127.0.0.1", (uint16_t)port_of(binding));
}

static size_t count_services(void)
{
	struct service *service;
	size_t count = 0;

	LIST_FOREACH (service, &scene_loop.services, link)
		count++;
	return count;
}

static struct endpoint *endpoint_of(size_t binding)
{
	struct endpoint *endpoint;

	LIST_FOREACH (endpoint, &scene_loop.endpoints, link) {
		if (endpoint->socket == table->bindings[binding].sockets[0])
			return endpoint;
	}
	return NULL;
}

static size_t count_endpoints(void)
{
	struct endpoint *endpoint;
	size_t count = 0;

	LIST_FOREACH (endpoint, &scene_loop.endpoints, link)
		count++;
	return count;
}

TEST_CASE("plan", set_up, tear_down);

TEST(everything_of_the_file_is_served)
{
	int fd;

	load("[listener a]\naddress = 127.0.0.1:0\nprefix = a>\n"
	     "[listener b]\naddress = 127.0.0.1:7007\nprefix = b>\nprotocol = tcp\n");
	ck_assert_uint_eq(count_endpoints(), 3);
	ck_assert_uint_eq(count_services(), 2);
	scene_exchange(dial(0), "x", "a>x");
	fd = dial(2);
	scene_exchange(fd, "x", "b>x");
}

TEST(what_stays_goes_on_under_the_new_settings)
{
	struct endpoint *endpoint;
	struct service *service;
	int fd;

	load("[listener a]\naddress = 127.0.0.1:0\nprefix = 1>\n");
	endpoint = endpoint_of(0);
	service = endpoint->service;
	fd = dial(0);
	scene_exchange(fd, "x", "1>x");
	load("[listener a]\naddress = 127.0.0.1:0\nprefix = 2>\n");
	ck_assert_ptr_eq(endpoint_of(0), endpoint);
	ck_assert_ptr_eq(endpoint->service, service);
	ck_assert_uint_eq(count_endpoints(), 2);
	scene_exchange(fd, "x", "2>x");
}

TEST(a_connection_whose_listener_is_gone_keeps_the_last_settings)
{
	int fd;

	load("[listener a]\naddress = 127.0.0.1:0\nprefix = a>\n");
	fd = dial(0);
	scene_exchange(fd, "x", "a>x");
	load("[listener b]\naddress = 127.0.0.2:0\n");
	scene_exchange(fd, "y", "a>y");
	ck_assert_uint_eq(count_services(), 2);
	load("[listener a]\naddress = 127.0.0.3:0\nprefix = again>\n"); /* the name is back */
	scene_exchange(fd, "z", "again>z");
	ck_assert_uint_eq(count_services(), 1);
}

TEST(the_last_connection_of_a_gone_listener_takes_its_service_along)
{
	int fd;

	load("[listener a]\naddress = 127.0.0.1:0\n");
	fd = dial(0);
	scene_exchange(fd, "x", "x");
	load("[listener b]\naddress = 127.0.0.2:0\n");
	ck_assert_uint_eq(count_services(), 2);
	close(fd);
	TURN_UNTIL(count_services() == 1);
	ck_assert_str_eq(LIST_FIRST(&scene_loop.services)->name, "b");
}

TEST(a_socket_may_change_its_listener)
{
	struct endpoint *endpoint;
	int before, after;
	unsigned port;

	load("[listener a]\naddress = 127.0.0.1:0\nprefix = a>\n");
	port = port_of(0);
	endpoint = endpoint_of(0);
	before = dial(0);
	scene_exchange(before, "x", "a>x");
	load("[listener b]\naddress = 127.0.0.1:%u\nprefix = b>\n", port);
	ck_assert_ptr_eq(endpoint_of(0), endpoint);
	after = dial(0);
	scene_exchange(after, "x", "b>x");
	scene_exchange(before, "x", "a>x");
	close(before);
	TURN_UNTIL(count_services() == 1);
}

TEST(listeners_may_swap_their_sockets)
{
	unsigned first, second;

	load("[listener a]\naddress = 127.0.0.1:0\nprefix = a>\n"
	     "[listener b]\naddress = 127.0.0.1:7007\nprefix = b>\n");
	first = port_of(0);
	second = port_of(2);
	for (int i = 0; i < 2; i++) {
		load("[listener a]\naddress = 127.0.0.1:%u\nprefix = a>\n"
		     "[listener b]\naddress = 127.0.0.1:%u\nprefix = b>\n",
		     i == 0 ? second : first, i == 0 ? first : second);
		ck_assert_uint_eq(count_services(), 2);
		scene_exchange(dial(0), "x", "a>x");
	}
}

TEST(a_listener_may_move_away_while_another_takes_its_socket)
{
	unsigned port;

	load("[listener a]\naddress = 127.0.0.1:0\nprefix = a>\n");
	port = port_of(0);
	load("[listener a]\naddress = 127.0.0.2:0\nprefix = a>\n"
	     "[listener c]\naddress = 127.0.0.1:%u\nprefix = c>\n",
	     port);
	scene_exchange(dial(2), "x", "c>x");
	ck_assert_uint_eq(count_services(), 2);
}

TEST(clients_waiting_at_a_removed_socket_are_served)
{
	int stream, datagram = datagram_socket("127.0.0.1");
	struct address to;
	char byte;

	load("[listener a]\naddress = 127.0.0.1:0\n");
	to = table->bindings[1].address;
	stream = dial(0);
	send_datagram(datagram, &to, "d", 1);
	load("[listener b]\naddress = 127.0.0.2:0\nprotocol = tcp\n");
	scene_exchange(stream, "s", "s");
	TURN_UNTIL(recv(datagram, &byte, 1, MSG_DONTWAIT) == 1);
	ck_assert_int_eq(byte, 'd');
}

TEST(ports_that_get_no_answer_are_those_served_now)
{
	static struct guard_ports expected;

	for (int i = 0; i < 2; i++) {
		load("[listener a]\naddress = 127.0.0.%d:0\nprotocol = udp\n", i + 1);
		guard_ports_init(&expected);
		guard_ports_refuse(&expected, (uint16_t)port_of(0));
		ck_assert_mem_eq(&scene_loop.ports, &expected, sizeof(expected));
	}
}

static struct socket_table *handed_stream(const char *name)
{
	struct handed_socket handed = {.kind = HANDED_STREAM, .address = at("127.0.0.1", 0)};
	struct socket_table *adopted;

	handed.fd = new_socket(&handed.address, SOCK_STREAM | SOCK_NONBLOCK);
	ck_assert_int_eq(bind(handed.fd, &handed.address.sa, handed.address.length), 0);
	ck_assert_int_eq(listen(handed.fd, 5), 0);
	snprintf(handed.name, sizeof(handed.name), "%s", name);
	adopted = socket_table_adopt(&handed, 1, &reason);
	ck_assert_msg(adopted != NULL, "%s", reason.text);
	adopted->bindings[0].address = adopted->bindings[0].sockets[0]->address;
	return adopted;
}

TEST(a_handed_socket_has_the_settings_of_its_name_else_the_defaults)
{
	static const char text[] = "[defaults]\nprefix = default>\n"
				   "[listener a]\naddress = 127.0.0.1:0\nprefix = a>\n";
	int fd;

	carry_out(handed_stream("unknown"), load_good(text));
	ck_assert_uint_eq(count_services(), 1); /* what the file names is not in use */
	scene_exchange(dial(0), "x", "default>x");
	carry_out(handed_stream("a"), load_good(text));
	fd = dial(0);
	scene_exchange(fd, "x", "a>x");
}

TEST(each_worker_gets_its_own_share)
{
	struct config *two = load_good("[listener a]\naddress = 127.0.0.1:0\n");
	struct socket_table *shared = socket_table_open(NULL, two, 2, &reason);

	ck_assert_msg(shared != NULL, "%s", reason.text);
	for (size_t worker = 0; worker < 2; worker++) {
		struct plan *plan = plan_new(two, shared, NULL, worker, 2);
		struct endpoint *endpoint;
		size_t count = 0;

		LIST_FOREACH (endpoint, &plan->endpoints, link) {
			ck_assert(endpoint->socket == shared->bindings[0].sockets[worker] ||
				  endpoint->socket == shared->bindings[1].sockets[worker]);
			count++;
		}
		ck_assert_uint_eq(count, 2);
		plan_free(plan);
	}
	socket_table_free(shared);
	config_release(two);
}

TEST(a_plan_that_is_not_carried_out_leaves_no_trace)
{
	const struct listen_socket *socket;

	load("[listener a]\naddress = 127.0.0.1:0\n");
	socket = table->bindings[0].sockets[0];
	for (int i = 0; i < 3; i++) {
		unsigned references = atomic_load(&config->references);
		struct plan *plan = plan_new(config, table, NULL, 0, 1);

		ck_assert_ptr_nonnull(plan);
		ck_assert_uint_eq(atomic_load(&socket->references), 3); /* table, loop, plan */
		plan_free(plan);
		ck_assert_uint_eq(atomic_load(&socket->references), 2);
		ck_assert_uint_eq(atomic_load(&config->references), references);
	}
	plan_free(NULL);
}
