/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See loop_scene.h. */

#include "config.h"

#include "unit/loop_scene.h"

#include <event2/event.h>

#include "echod/guard/client_table.h"
#include "echod/guard/rate_limit.h"
#include "echod/guard/session_tables.h"
#include "echod/serving/wheel.h"
#include "echod/stream/admission.h"
#include "echod/worker/protocols.h"
#include "unit/config_text.h"

#define CLIENTS_MAX 1000

struct loop scene_loop;
static struct shared_tables shared;

void scene_open(void)
{
	memset(&scene_loop, 0, sizeof(scene_loop));
	memset(&shared, 0, sizeof(shared));
	shared.clients = client_table_new();
	shared.rates = rate_limit_new();
	ck_assert(shared.clients != NULL && shared.rates != NULL);
	client_table_set_limit(shared.clients, CLIENTS_MAX);
	kept_echo_init(&shared.kept, 1);
	shared.connection_lines = (struct log_throttle){.period_ms = 1000, .burst = 200};
	shared.refusal_lines = (struct log_throttle){.period_ms = 30000, .burst = 1};
	shared.exhaustion_lines = (struct log_throttle){.period_ms = 30000, .burst = 1};
	shared.receive_lines = (struct log_throttle){.period_ms = 30000, .burst = 1};
	for (int verdict = 0; verdict < VERDICT_COUNT; verdict++)
		shared.silence_lines[verdict] =
			(struct log_throttle){.period_ms = 30000, .burst = 1};
	for (int error = 0; error < SEND_ERRORS; error++)
		shared.unsent_lines[error] = (struct log_throttle){.period_ms = 30000, .burst = 1};
	ck_assert_int_eq(loop_init(&scene_loop, &shared), 0);
	ck_assert_int_eq(protocols_open(&scene_loop), 0);
	guard_ports_init(&scene_loop.ports);
}

void scene_close(void)
{
	protocols_close(&scene_loop);
	loop_clear(&scene_loop);
	ck_assert_uint_eq(client_table_count(shared.clients), 0);
	client_table_free(shared.clients);
	rate_limit_free(shared.rates);
}

struct service *scene_service(const char *text, const char *name)
{
	struct config *config = load_good(text);
	struct session_tables *tables = session_tables_new(config, NULL);
	struct service *service = service_new(config, config_listener(config, name),
					      session_tables_find(tables, name));

	ck_assert_ptr_nonnull(service);
	session_tables_free(tables);
	config_release(config);
	service->loop = &scene_loop;
	LIST_INSERT_HEAD(&scene_loop.services, service, link);
	return service;
}

struct endpoint *scene_serve_socket(struct service *service, struct listen_socket *socket)
{
	struct endpoint *endpoint = endpoint_new(socket, protocol_for(socket->kind), service);

	ck_assert_ptr_nonnull(endpoint);
	listen_socket_release(socket);
	endpoint_start(endpoint, &scene_loop);
	return endpoint;
}

struct endpoint *scene_serve(struct service *service, enum socket_kind kind, const char *host)
{
	struct address address = at(host, 0);
	struct reason reason;
	struct listen_socket *opened = listen_socket_open(kind, &address, &reason);

	ck_assert_msg(opened != NULL, "%s", reason.text);
	return scene_serve_socket(service, opened);
}

void scene_end_serving(struct endpoint *endpoint)
{
	endpoint_stop(endpoint);
	scene_turn();
}

void scene_turn(void)
{
	ck_assert_int_ge(event_base_loop(scene_loop.base, EVLOOP_NONBLOCK), 0);
}

uint64_t scene_count(enum counter which)
{
	return counter_read(&scene_loop.counters, which);
}

static void bound_send_buffer(int fd, int send_buffer)
{
	if (send_buffer > 0)
		ck_assert_int_eq(
			setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer)),
			0);
}

static void start(struct service *service, int fd, const struct address *address)
{
	struct peer peer;
	bool counted;

	peer_set(&peer, address);
	ck_assert_int_eq(admit_client(service, &peer, &counted), ADMITTED);
	ck_assert_int_eq(connection_start(service, fd, &peer, counted), 0);
}

int scene_connect_tcp(struct service *service, int send_buffer)
{
	struct address address = at("127.0.0.1", 0), peer = {.length = sizeof(peer.un)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int server;

	ck_assert_int_eq(bind(listener, &address.sa, address.length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, &address.sa, &address.length), 0);
	ck_assert_int_eq(connect(client, &address.sa, address.length), 0);
	server = accept4(listener, &peer.sa, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ck_assert_int_ge(server, 0);
	close(listener);
	bound_send_buffer(server, send_buffer);
	start(service, server, &peer);
	return client;
}

int scene_connect_unix(struct service *service, int send_buffer)
{
	struct address peer = {.length = sizeof(sa_family_t), .sa.sa_family = AF_UNIX};
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends),
			 0);
	bound_send_buffer(ends[0], send_buffer);
	start(service, ends[0], &peer);
	return ends[1];
}

static void find(struct wheel_item *item, void *arg)
{
	struct connection **found = arg;

	ck_assert_ptr_null(*found);
	*found = (struct connection *)((char *)item - offsetof(struct connection, item));
}

struct connection *scene_connection(void)
{
	struct connection *found = NULL;

	wheel_each(scene_loop.streams->wheel, find, &found);
	ck_assert_ptr_nonnull(found);
	return found;
}

size_t scene_stall(int fd)
{
	static char data[1 << 16];
	size_t total = 0;

	for (int stuck = 0; stuck < 10 || scene_connection()->stage != &stage_writing;) {
		ssize_t sent = send(fd, data, sizeof(data), MSG_DONTWAIT);

		ck_assert(sent > 0 || errno == EAGAIN);
		total += sent > 0 ? (size_t)sent : 0;
		stuck = sent > 0 ? 0 : stuck + 1;
		scene_turn();
		if (sent < 0)
			look_again_soon(); /* what is under way in the kernel arrives */
	}
	return total;
}

ssize_t scene_take(int fd, void *data, size_t size)
{
	ssize_t taken = recv(fd, data, size, MSG_DONTWAIT);

	ck_assert_msg(taken >= 0 || errno == EAGAIN, "recv: %s", strerror(errno));
	return taken;
}

void scene_read(int fd, void *data, size_t size)
{
	ssize_t taken;

	for (size_t got = 0; got < size; got += (size_t)taken) {
		TURN_UNTIL((taken = scene_take(fd, (char *)data + got, size - got)) >= 0);
		ck_assert_msg(taken > 0, "the end came after %zu bytes", got);
	}
}

void scene_expect(int fd, const char *text)
{
	size_t size = strlen(text);
	char data[4096];

	ck_assert_uint_le(size, sizeof(data));
	scene_read(fd, data, size);
	ck_assert_mem_eq(data, text, size);
	scene_turn();
}

void scene_exchange(int fd, const char *text, const char *echo)
{
	send_all(fd, text, strlen(text));
	scene_expect(fd, echo);
}

void scene_expect_end(int fd)
{
	ssize_t taken;
	char byte;

	TURN_UNTIL((taken = scene_take(fd, &byte, 1)) >= 0);
	ck_assert_int_eq(taken, 0);
}

uint64_t scene_clients(void)
{
	return client_table_count(scene_loop.shared->clients);
}

void scene_expect_reset(int fd)
{
	static char data[1 << 16];
	ssize_t taken;

	do {
		TURN_UNTIL((taken = recv(fd, data, sizeof(data), MSG_DONTWAIT)) >= 0 ||
			   errno != EAGAIN);
	} while (taken > 0);
	ck_assert_int_eq(taken, -1);
	ck_assert_int_eq(errno, ECONNRESET);
}
