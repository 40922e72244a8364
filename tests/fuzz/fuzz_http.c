/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A request of any bytes to the web server. Three clients send it in different cuts: whole, byte by
 * byte, and as the input directs, and differ as much in how they take the answer. Each gets the one
 * that a second, simpler reading of the request calls for, byte for byte; no more than 4 KiB are
 * taken, and none beyond the buffer; all end, at the latest by their deadline.
 */

#include "config.h"

#include <event2/event.h>

#include "daemon/http/http.h"
#include "fuzz/fake_kernel.h"
#include "fuzz/http_model.h"

#define LINGER_BYTES (64 * 1024)
#define DEADLINE_MS 5000
#define PAUSE_MS 500
#define CLIENTS 3 /* the others of a crowd are silent */
#define LATE 4	  /* come to a crowd, and find no place */
#define UNFINISHED_MS 100
#define FILLER 4096

/* How an input starts; the request follows, with MORE times the letter x in it at PLACE. */
struct head {
	uint16_t more;
	uint16_t place;
	uint32_t cuts;
	uint8_t flags;
};

enum {
	LARGE_BODY = 1,
	ANSWER_LATER = 2, /* when the turn is over, not in it */
	BREAK = 4,	  /* the third client is gone before long */
	HASTY = 8,	  /* events without data behind them */
	STAY = 16,	  /* no client leaves before the deadline */
	IN_A_CROWD = 32,  /* of as many clients as are served, and then some more */
	FLOOD = 64,	  /* MORE is more than a server puts up with */
	EXHAUSTED = 128,  /* at first there is no descriptor for anybody */
};

struct client {
	size_t sent;   /* by the client, of the request */
	size_t taken;  /* by the server */
	size_t length; /* of the answer so far */
	const char *buffer;
	char answer[HTTP_BODY_MAX + 1024];
};

static struct event_base *base;
static struct http *http;
static struct client clients[FAKE_SOCKETS];
static struct head head;
static uint64_t asked, answered;
static int64_t started;
static bool crowded; /* more want to come */

static struct client *client_of(const struct fake_socket *socket)
{
	return &clients[socket - fake_sockets];
}

static void fake_on_fill(const struct fake_socket *socket, char *data, size_t size)
{
	const struct client *client = client_of(socket);

	memcpy(data, request + client->taken, size);
}

static void fake_on_recv(const struct fake_socket *socket, const char *data, size_t asked_for,
			 ssize_t result)
{
	struct client *client = client_of(socket);

	FUZZ_CHECK(socket->interest == EPOLLIN);
	if (!client->buffer)
		client->buffer = data;
	/* The request goes behind what there is of it; what comes after the answer, anywhere. */
	if (!socket->shut)
		FUZZ_CHECK(data == client->buffer + client->taken);
	FUZZ_CHECK(asked_for > 0);
	FUZZ_CHECK(data >= client->buffer && data + asked_for <= client->buffer + REQUEST_MAX);
	if (result > 0)
		client->taken += (size_t)result;
	FUZZ_CHECK(client->taken <= LINGER_BYTES + REQUEST_MAX);
}

static void fake_on_send(const struct fake_socket *socket, const char *data, size_t size,
			 ssize_t result)
{
	struct client *client = client_of(socket);

	FUZZ_CHECK(!socket->shut && size > 0 && socket->interest == EPOLLOUT);
	FUZZ_CHECK(client->taken <= REQUEST_MAX);
	if (result <= 0)
		return;
	FUZZ_CHECK(client->length + (size_t)result <= sizeof(client->answer));
	memcpy(client->answer + client->length, data, (size_t)result);
	client->length += (size_t)result;
}

static void fake_on_accept(struct fake_socket *socket, struct sockaddr *peer, socklen_t *length)
{
	peer->sa_family = AF_UNSPEC;
	*length = sizeof(peer->sa_family);
	memset(client_of(socket), 0, offsetof(struct client, answer));
}

static void fake_on_accept_failed(int error)
{
	FUZZ_CHECK(error == EAGAIN || error == EMFILE);
}

static void fake_on_shutdown(const struct fake_socket *socket, int result)
{
	FUZZ_CHECK(result < 0 || client_of(socket)->length > 0);
}

static size_t open_clients(void)
{
	size_t count = 0;

	for (size_t i = 1; i < fake_used; i++)
		count += fake_sockets[i].open;
	return count;
}

/* The client has left, or there is a reason that http.h names. */
static void fake_on_close(const struct fake_socket *socket)
{
	FUZZ_CHECK(!socket->reset);
	FUZZ_CHECK(socket->fin || socket->broken || fake_ms >= started + DEADLINE_MS ||
		   client_of(socket)->taken > LINGER_BYTES ||
		   (crowded && (socket->shut || fake_ms >= started + UNFINISHED_MS)));
}

static void fake_on_add_refused(const struct fake_socket *socket)
{
	FUZZ_CHECK(!socket); /* nothing refuses here */
}

static void on_asked(void *arg)
{
	FUZZ_CHECK(arg == &asked);
	asked++;
	if (!(head.flags & ANSWER_LATER))
		http_answer(http);
}

static void on_answer(void *arg, const struct http_request *page, struct http_reply *reply)
{
	FUZZ_CHECK(arg == &asked && strcmp(reply->status, HTTP_OK) == 0);
	check_page(page);
	answered++;
	bounded_text_add(&reply->body, "%s", page->path);
	while (head.flags & LARGE_BODY && bounded_text_room(&reply->body) >= FILLER)
		bounded_text_add(&reply->body, "%*s", FILLER, "");
}

static size_t body_length(void)
{
	if (!verdict.path)
		return strlen(verdict.status) + 1;
	if (!(head.flags & LARGE_BODY))
		return verdict.path_length;
	return HTTP_BODY_MAX - 1 - (HTTP_BODY_MAX - 1 - verdict.path_length) % FILLER;
}

static void check_answer(struct client *client)
{
	const char *body;
	char line[80];

	if (!verdict.status) {
		FUZZ_CHECK(client->length == 0);
		return;
	}
	client->answer[client->length] = '\0';
	(void)snprintf(line, sizeof(line), "HTTP/1.0 %s\r\n", verdict.status);
	FUZZ_CHECK(strncmp(client->answer, line, strlen(line)) == 0);
	(void)snprintf(line, sizeof(line), "\r\nContent-Length: %zu\r\n", body_length());
	FUZZ_CHECK(strstr(client->answer, line));
	body = strstr(client->answer, "\r\n\r\n");
	FUZZ_CHECK(body);
	body += 4;
	FUZZ_CHECK(client->length ==
		   (size_t)(body - client->answer) + (verdict.with_body ? body_length() : 0));
	if (verdict.with_body && verdict.path)
		FUZZ_CHECK(memcmp(body, verdict.path, verdict.path_length) == 0);
}

/* Each client's next piece, in its own way. */
static size_t next_piece(size_t who, const struct client *client)
{
	if (who == 0)
		return request_size;
	if (who == 1)
		return client->sent < 100 ? 1 : 4001;
	head.cuts = head.cuts * 1664525 + 1013904223;
	return 1 + (head.cuts >> 16) % (1U << (head.cuts >> 28));
}

static void send_piece(size_t who)
{
	struct client *client = &clients[1 + who];
	struct fake_socket *socket = &fake_sockets[1 + who];
	size_t piece = fake_least(next_piece(who, client), request_size - client->sent);

	socket->arrived += piece;
	client->sent += piece;
	if (who == 2 && head.flags & BREAK && client->sent > head.place) {
		socket->broken = true;
		socket->error = ECONNRESET;
	}
}

/* The first takes all of the answer, the others what they have room for. */
static void take_answer(size_t who)
{
	fake_sockets[1 + who].unread = 0;
	fake_sockets[1 + who].capacity = who == 0   ? SIZE_MAX
					 : who == 1 ? 4001
						    : next_piece(2, NULL);
}

static void turn(void)
{
	FUZZ_CHECK(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
	if (head.flags & ANSWER_LATER)
		http_answer(http);
}

/* Nothing is under way any more: it has been sent, and answered as far as it will be. */
static bool settled(size_t who)
{
	const struct fake_socket *socket = &fake_sockets[1 + who];

	if (!socket->open)
		return true;
	return clients[1 + who].sent == request_size && socket->arrived == 0 &&
	       (socket->shut || !verdict.status);
}

/* There is nothing to receive, and no room for an answer. */
static void mislead(void)
{
	for (size_t i = 1; i <= CLIENTS; i++)
		fake_sockets[i].hasty = true;
	turn();
}

static void converse(void)
{
	bool all = false;

	for (int round = 0; !all; round++) {
		FUZZ_CHECK(round < 2 * (HTTP_BODY_MAX + (int)request_size));
		all = true;
		if (head.flags & HASTY)
			mislead();
		for (size_t who = 0; who < CLIENTS; who++) {
			if (settled(who))
				continue;
			all = false;
			send_piece(who);
			take_answer(who);
		}
		turn();
	}
}

static void part(void)
{
	size_t there = open_clients();

	fake_ms += DEADLINE_MS - 1;
	turn();
	FUZZ_CHECK(open_clients() == there);
	for (size_t i = 1; i <= CLIENTS && !(head.flags & STAY); i++) {
		fake_sockets[i].fin = true;
		turn();
		FUZZ_CHECK(!fake_sockets[i].open);
	}
	fake_ms++;
	turn();
	FUZZ_CHECK(open_clients() == 0);
}

/* Who has been answered makes room for them, and after a while who has not asked. */
static void crowd_in(void)
{
	size_t there = open_clients(), shut = 0;

	for (size_t i = 1; i < fake_used; i++)
		shut += fake_sockets[i].open && fake_sockets[i].shut;
	crowded = true;
	fake_sockets[0].waiting = LATE;
	turn();
	FUZZ_CHECK(LATE - fake_sockets[0].waiting ==
		   fake_least(LATE, HTTP_CLIENTS_MAX - there + shut));
	fake_ms += UNFINISHED_MS;
	turn();
	FUZZ_CHECK(fake_sockets[0].waiting == 0);
	fake_ms += DEADLINE_MS;
	turn();
	FUZZ_CHECK(open_clients() == 0);
	crowded = false;
}

/* Once: what it is large for is empty again after each input. */
static void open_server(void)
{
	static const struct http_path paths[] = {{NULL, on_answer}};
	static const struct http_site site = {.asked = on_asked, .paths = paths};

	fake_start();
	base = event_base_new();
	http = base ? http_new(base, FAKE_LISTENER, false, &site, &asked) : NULL;
	FUZZ_CHECK(http && fake_sockets[0].interest == EPOLLIN);
}

/* Who wants to come has to wait, and is heard of again. */
static void run_out(void)
{
	fake_faults[FAKE_ACCEPT] = (struct fake_fault){.armed = true, .error = EMFILE};
	turn();
	FUZZ_CHECK(open_clients() == 0 && fake_sockets[0].interest == 0);
	fake_ms += PAUSE_MS;
	turn();
	started = fake_ms;
}

static void open_world(void)
{
	if (!http)
		open_server();
	FUZZ_CHECK(open_clients() == 0);
	asked = answered = 0;
	started = fake_ms;
	fake_sockets[0].waiting = head.flags & IN_A_CROWD ? HTTP_CLIENTS_MAX : CLIENTS;
	if (head.flags & EXHAUSTED)
		run_out();
	turn();
	FUZZ_CHECK(open_clients() == (head.flags & IN_A_CROWD ? HTTP_CLIENTS_MAX : CLIENTS));
}

static void check_world(void)
{
	uint64_t good = verdict.path ? CLIENTS : 0;

	for (size_t i = 1; i <= CLIENTS; i++) {
		bool gone = i == CLIENTS && head.flags & BREAK;

		if (!gone)
			check_answer(&clients[i]);
		FUZZ_CHECK(gone ? clients[i].length <= clients[1].length
				: clients[i].length == clients[1].length);
		FUZZ_CHECK(memcmp(clients[i].answer, clients[1].answer, clients[i].length) == 0);
	}
	FUZZ_CHECK(answered <= good && asked >= answered && asked <= CLIENTS);
	FUZZ_CHECK(head.flags & BREAK || answered == good);
}

static void make_request(const uint8_t *data, size_t size)
{
	size_t more = head.flags & FLOOD ? 2 * LINGER_BYTES : head.more % 5000;
	size_t place = head.place % (size + 1);

	request_size = size + more;
	request = malloc(request_size + 1);
	FUZZ_CHECK(request);
	memcpy(request, data, place);
	memset(request + place, 'x', more);
	memcpy(request + place + more, data + place, size - place);
	request[request_size] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	make_request(data + sizeof(head), size - sizeof(head));
	judge();
	open_world();
	converse();
	if (head.flags & IN_A_CROWD) {
		check_world();
		crowd_in();
	} else {
		part();
		check_world();
	}
	free(request);
	return 0;
}
