/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Any bytes from a load balancer: first to the parser, each beginning of them, which must agree
 * with a second reading and with itself; then to connections of a listener with proxy_from, in
 * different cuts: whole, byte by byte, and as the input says. Until a header is whole nothing is
 * sent; behind it every byte comes back, or its source is refused; and the books balance after each
 * turn of the loop, at the latest when the time for a header is over, at a stop, or at an abort.
 */

#include "config.h"

#include <event2/event.h>

#include "echod/serving/endpoint.h"
#include "echod/stream/connections.h"
#include "echod/worker/protocols.h"
#include "fuzz/proxy_clients.h"
#include "fuzz/proxy_model.h"

#define CLIENTS 3
#define HEADER_MS 5000
#define LATE_MS 1000
#define MORE_MAX 5000

/* How an input starts; the bytes follow, with MORE times the letter x in them at PLACE. */
struct head {
	uint16_t more;
	uint16_t place;
	uint32_t cuts;
	uint8_t settings;
	uint8_t flags;
};

enum {
	END = 3, /* how all ends: */
	END_BY_FIN = 0,
	END_BY_TIME = 1,
	END_BY_STOP = 2,
	END_BY_ABORT = 3,
	HASTY = 4,	 /* events without stream behind them */
	INTERRUPTED = 8, /* a call now and then */
	BREAK = 16	 /* the third connection before long */
};

static struct listener_config settings[] = {
	{.stall_timeout = 60000},
	{.stall_timeout = 60000, .greeting = {2, "hi"}},
	{.stall_timeout = 60000, .max_clients_per_ip = 1},
	{.stall_timeout = 60000},
};

static struct config config = {.references = 1};
static struct listen_socket listener = {.references = 1, .fd = FAKE_LISTENER, .kind = SOCKET_TCP};
static struct head head;
static struct model model;

/* Each beginning of it, as long as a header may be. */
static void check_parser(void)
{
	struct proxy_header header;
	char text[ADDRESS_TEXT_MAX], expected[ADDRESS_TEXT_MAX];

	verdict = PROXY_MORE;
	verdict_at = stream_size;
	for (size_t n = 0; n <= fake_least(stream_size, PROXY_HEADER_MAX + 1); n++) {
		enum proxy_verdict now = proxy_header_parse(stream, n, &header);

		FUZZ_CHECK(verdict == PROXY_MORE || verdict == now);
		if (verdict == PROXY_MORE && now != PROXY_MORE)
			verdict_at = n;
		verdict = now;
		if (now == PROXY_COMPLETE)
			FUZZ_CHECK(header.length == verdict_at);
	}
	FUZZ_CHECK(verdict == proxy_header_parse(stream, stream_size, &header));
	switch (model.reading) {
	case WHOLE:
		FUZZ_CHECK(verdict == PROXY_COMPLETE && header.length == model.length);
		FUZZ_CHECK(strcmp(address_format(&header.source, text),
				  address_format(&model.source, expected)) == 0);
		break;
	case BAD:
		FUZZ_CHECK(verdict == PROXY_INVALID && header.fault);
		break;
	case UNFINISHED:
		FUZZ_CHECK(verdict == PROXY_MORE);
		break;
	case UNFINISHED_OR_BAD:
		FUZZ_CHECK(verdict != PROXY_COMPLETE);
		break;
	}
}

/* The fourth listener denies half of all addresses. */
static bool is_denied(void)
{
	struct in6_addr ip;

	if (head.settings % ARRAY_SIZE(settings) != 3 || model.reading != WHOLE ||
	    model.source.length == 0 || !address_ip(&model.source.sa, &ip))
		return false;
	return IN6_IS_ADDR_V4MAPPED(&ip) ? ip.s6_addr[12] < 128 : ip.s6_addr[0] < 128;
}

static void prepare(void)
{
	struct reason reason;

	if (shared.clients)
		return;
	shared.clients = client_table_new();
	FUZZ_CHECK(shared.clients);
	kept_echo_init(&shared.kept, 1);
	client_table_set_limit(shared.clients, FAKE_SOCKETS);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		FUZZ_CHECK(netlist_add(&settings[i].proxy_from, "10.0.0.0/8", &reason) == 0);
	FUZZ_CHECK(netlist_add(&settings[3].deny, "0.0.0.0/1", &reason) == 0);
	FUZZ_CHECK(netlist_add(&settings[3].deny, "::/1", &reason) == 0);
	log_set_level(LEVEL_ERROR);
}

static void open_world(void)
{
	struct endpoint *endpoint;

	prepare();
	loop = (struct loop){.shared = &shared};
	fake_start();
	fake_sockets[0].waiting = CLIENTS;
	loop.base = event_base_new();
	FUZZ_CHECK(loop.base && connections_open(&loop) == 0);
	service = service_new(&config, &settings[head.settings % ARRAY_SIZE(settings)], NULL);
	FUZZ_CHECK(service);
	service->loop = &loop;
	LIST_INSERT_HEAD(&loop.services, service, link);
	service_join(service);
	endpoint = endpoint_new(&listener, protocol_for(SOCKET_TCP), service);
	FUZZ_CHECK(endpoint);
	endpoint_start(endpoint, &loop);
}

static size_t next_piece(size_t who, const struct client *client)
{
	if (who == 0)
		return stream_size;
	if (who == 1)
		return client->sent < 150 ? 1 : 1001;
	head.cuts = head.cuts * 1664525 + 1013904223;
	return 1 + (head.cuts >> 16) % (1U << (head.cuts >> 28));
}

static void send_piece(size_t who)
{
	struct client *client = &clients[1 + who];
	struct fake_socket *socket = &fake_sockets[1 + who];
	size_t piece = fake_least(next_piece(who, client), stream_size - client->sent);

	socket->arrived += piece;
	client->sent += piece;
	if (who == 2 && head.flags & BREAK && client->sent > head.place) {
		socket->broken = socket->news = true;
		socket->error = ECONNRESET;
	}
}

static void take_echo(size_t who)
{
	struct fake_socket *socket = &fake_sockets[1 + who];

	socket->unread = 0;
	socket->news = true;
	socket->capacity = who == 0 ? SIZE_MAX : 1 + head.cuts % 2000;
}

static bool settled(size_t who)
{
	const struct fake_socket *socket = &fake_sockets[1 + who];

	if (!socket->open)
		return true;
	return clients[1 + who].sent == stream_size && socket->arrived == 0 &&
	       socket->unread == 0 && !(socket->interest & EPOLLOUT);
}

static void disturb(void)
{
	if (head.flags & INTERRUPTED)
		fake_faults[FAKE_RECV] = (struct fake_fault){.armed = true, .error = EINTR};
	for (size_t i = 1; i <= CLIENTS && head.flags & HASTY; i++)
		fake_sockets[i].hasty = true;
}

static void converse(void)
{
	bool all = false;

	turn();
	FUZZ_CHECK(fake_used == CLIENTS + 1);
	for (size_t round = 0; !all; round++) {
		FUZZ_CHECK(round < 3 * stream_size + 100);
		all = true;
		disturb();
		for (size_t who = 0; who < CLIENTS; who++) {
			if (settled(who))
				continue;
			all = false;
			send_piece(who);
			take_echo(who);
		}
		turn();
	}
	fake_faults[FAKE_RECV].armed = false;
}

/* All that is behind its header has come back to it, behind the greeting. */
static void check_echo(const struct client *client)
{
	const struct text *greeting = &service->settings->greeting;

	if (client->length == 0)
		return;
	FUZZ_CHECK(client->length == greeting->length + stream_size - verdict_at);
	FUZZ_CHECK(memcmp(client->echo, greeting->bytes, greeting->length) == 0);
	FUZZ_CHECK(memcmp(client->echo + greeting->length, stream + verdict_at,
			  stream_size - verdict_at) == 0);
}

static void check_all(void)
{
	uint64_t per_ip = service->settings->max_clients_per_ip;
	uint64_t accepted = counter_read(&loop.counters, TCP_ACCEPTED);
	size_t whole = CLIENTS - (head.flags & BREAK ? 1 : 0);

	for (size_t i = 1; i <= whole; i++)
		check_echo(&clients[i]);
	if (verdict != PROXY_COMPLETE || denied)
		FUZZ_CHECK(accepted == 0);
	else if (model.source.length == 0 || per_ip == 0)
		FUZZ_CHECK(accepted >= whole);
	else
		FUZZ_CHECK(accepted >= 1);
	if (verdict == PROXY_COMPLETE && denied)
		FUZZ_CHECK(counter_read(&loop.counters, TCP_REJECTED_DENIED) >= whole);
}

static void end_by_fin(void)
{
	for (size_t i = 1; i <= CLIENTS; i++)
		fake_sockets[i].fin = true;
	turn();
}

/* To the millisecond before it everybody may stay; those with a header do not end at all. */
static void end_by_time(void)
{
	size_t there = loop.streams->connections;
	uint64_t pending = counter_read(&loop.counters, TCP_HEADERS_PENDING);

	fake_ms += HEADER_MS - 1;
	turn();
	FUZZ_CHECK(loop.streams->connections == there);
	fake_ms += LATE_MS;
	turn();
	FUZZ_CHECK(loop.streams->connections == there - pending);
	end_by_fin();
}

static void end_by_stop(void)
{
	endpoints_stop(&loop);
	connections_drain(&loop);
	for (int i = 0; i < 3; i++) {
		fake_ms += LATE_MS;
		turn();
	}
}

static void close_world(void)
{
	if ((head.flags & END) == END_BY_FIN)
		end_by_fin();
	else if ((head.flags & END) == END_BY_TIME)
		end_by_time();
	else if ((head.flags & END) == END_BY_STOP)
		end_by_stop();
	else
		connections_abort(&loop);
	check_books();
	FUZZ_CHECK(loop.streams->connections == 0 && shared.kept.size == 0);
	endpoints_stop(&loop);
	service_leave(service);
	FUZZ_CHECK(LIST_EMPTY(&loop.services));
	connections_close(&loop);
	loop_clear(&loop);
	for (size_t i = 0; i < FAKE_SOCKETS; i++) {
		free(clients[i].echo);
		clients[i].echo = NULL;
	}
}

/* As large as it is, so that a byte read beyond it is noticed. */
static void make_data(const uint8_t *bytes, size_t count)
{
	size_t more = head.more % MORE_MAX, place = head.place % (count + 1);

	stream_size = count + more;
	stream = malloc(stream_size > 0 ? stream_size : 1);
	FUZZ_CHECK(stream);
	if (count > 0)
		memcpy(stream, bytes, place);
	memset(stream + place, 'x', more);
	if (count > 0)
		memcpy(stream + place + more, bytes + place, count - place);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	if (length < sizeof(head))
		return 0;
	memcpy(&head, input, sizeof(head));
	make_data(input + sizeof(head), length - sizeof(head));
	model = read_header(stream, stream_size);
	check_parser();
	denied = is_denied();
	open_world();
	converse();
	check_all();
	close_world();
	free(stream);
	return 0;
}
