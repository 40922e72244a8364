/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Stream connections from accept to close, with clients as slow, rude and broken as can be, a
 * kernel that takes and gives what it likes, reloads, stops, and any amount of time between. After
 * each turn of the loop tcp_model.h says what must be so: every byte comes back once and in its
 * place, or the connection ends by a reset or an error; each waits for exactly what it can go on
 * with; deadlines are kept, all is counted, and at the end nothing is left.
 */

#include "config.h"

#include <event2/event.h>

#include "echod/serving/endpoint.h"
#include "echod/stream/connections.h"
#include "echod/worker/protocols.h"
#include "fuzz/tcp_model.h"

#define MINUTE INT64_C(60000)
#define ARRIVED_MAX (INPUT_SIZE + 5000)

/* How an input starts. */
struct head {
	uint8_t settings;
	uint8_t max_clients;
	uint8_t end;	/* how all ends */
	uint8_t handed; /* odd: the listener belongs to another process */
};

enum { END_IN_PEACE, END_AT_ONCE, ENDS };

/* Any number of them follow. */
struct step {
	uint8_t action; /* the highest bit: the loop does not turn yet */
	uint8_t who;
	uint16_t amount;
};

enum action {
	COME,
	SEND,
	TAKE,
	LEAVE,
	BREAK,
	FAIL,
	SHORTEN,
	WAIT,
	STOP,
	RELOAD,
	HURRY,
	TURN,
	ACTIONS
};

#define NO_TURN 0x80

#define LONG_TEXT                                                                                  \
	{                                                                                          \
		.length = LINE_MAX_LENGTH, .bytes = "a text as long as can be: "                   \
	}

static struct listener_config settings[] = {
	{.idle_timeout = 400000, .stall_timeout = 2 * MINUTE},
	{.idle_timeout = 3000, .stall_timeout = 5000, .greeting = {2, "hi"}},
	{.idle_timeout = MINUTE, .stall_timeout = 1, .prefix = {1, ">"}},
	{.idle_timeout = 1, .stall_timeout = 0, .reply_once = true},
	{.idle_timeout = MINUTE, .stall_timeout = MINUTE, .max_clients_per_ip = 2},
	{.greeting = LONG_TEXT, .prefix = LONG_TEXT, .reply_once = true},
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static struct config config = {.references = 1};
static struct listen_socket listener = {.references = 1, .fd = FAKE_LISTENER, .kind = SOCKET_TCP};
static uint8_t next_peer;
static uint64_t noted; /* how many had come when we looked for them last */

static int name_peer(struct sockaddr *peer, socklen_t *length)
{
	static const struct {
		const char *ip;
		int source;
	} peers[] = {
		{"192.0.2.1", DENIED_SOURCE},	  {"198.51.100.7", 2},
		{"::ffff:198.51.100.7", 2},	  {"2001:db8::1", 3},
		/* one /64 */ {"2001:db8::2", 3}, {NULL, 0},
	};
	size_t which = next_peer % (sizeof(peers) / sizeof(peers[0]));
	struct address address = {.length = sizeof(sa_family_t), .sa.sa_family = AF_UNIX};
	struct reason reason;

	if (peers[which].ip)
		FUZZ_CHECK(address_from_ip(&address, peers[which].ip, 4711, &reason) == 0);
	FUZZ_CHECK(address.length <= *length);
	memcpy(peer, &address.sa, address.length);
	*length = address.length;
	return peers[which].source;
}

static void say_nothing(int severity UNUSED, const char *line UNUSED)
{
}

/* Once, what is large and the same for every input. */
static void prepare(void)
{
	struct reason reason;

	if (shared.clients)
		return;
	shared.clients = client_table_new();
	kept_echo_init(&shared.kept, 1);
	FUZZ_CHECK(shared.clients);
	FUZZ_CHECK(netlist_add(&settings[4].deny, "192.0.2.0/24", &reason) == 0);
	shared.connection_lines = (struct log_throttle){.period_ms = 1000, .burst = 200};
	shared.refusal_lines = (struct log_throttle){.period_ms = 30000, .burst = 1};
	shared.exhaustion_lines = (struct log_throttle){.period_ms = 30000, .burst = 1};
	event_set_log_callback(say_nothing);
	log_set_level(LEVEL_ERROR);
}

static void open_world(const struct head *head)
{
	struct endpoint *endpoint;

	prepare();
	loop = (struct loop){.shared = &shared};
	fake_start();
	model_start();
	noted = 0;
	limit = head->max_clients % FAKE_SOCKETS;
	client_table_set_limit(shared.clients, limit);
	listener.handed = head->handed & 1;
	loop.base = event_base_new();
	FUZZ_CHECK(loop.base && connections_open(&loop) == 0);
	service = service_new(&config, &settings[head->settings % SETTINGS], NULL);
	FUZZ_CHECK(service);
	service->loop = &loop;
	LIST_INSERT_HEAD(&loop.services, service, link);
	service_join(service);
	endpoint = endpoint_new(&listener, protocol_for(SOCKET_TCP), service);
	FUZZ_CHECK(endpoint);
	endpoint_start(endpoint, &loop);
}

/* Finds out which connection is whose. */
static void note_item(struct wheel_item *item, void *arg)
{
	const struct connection *connection =
		(struct connection *)((char *)item - offsetof(struct connection, item));
	const struct fake_socket *socket = fake_socket(event_get_fd(&connection->event));
	size_t *count = arg;

	FUZZ_CHECK(socket && fake_fd(socket) != FAKE_LISTENER);
	client_of(socket)->connection = connection;
	++*count;
}

/* To walk the wheel takes longer than all else, so only after a client came. */
static void note_connections(void)
{
	size_t filed = 0;

	if (counted[TCP_ACCEPTED] == noted)
		return;
	noted = counted[TCP_ACCEPTED];
	wheel_each(loop.streams->wheel, note_item, &filed);
	FUZZ_CHECK(filed == open_clients);
}

static void check_world(void)
{
	size_t count = 0;

	note_connections();
	for (size_t i = 1; i < fake_used; i++) {
		if (!fake_sockets[i].open)
			continue;
		check_client(&fake_sockets[i], &clients[i]);
		count++;
	}
	FUZZ_CHECK(count == open_clients && loop.streams->connections == open_clients);
	FUZZ_CHECK(client_table_count(shared.clients) == open_clients);
	for (enum counter which = 0; which < COUNTER_SLOTS; which++)
		FUZZ_CHECK(counter_read(&loop.counters, which) == counted[which]);
	FUZZ_CHECK(fake_sockets[0].interest == (draining ? 0 : EPOLLIN) ||
		   (!draining && fake_ms < trouble + LATE_MS));
}

static void turn(void)
{
	FUZZ_CHECK(event_base_loop(loop.base, EVLOOP_NONBLOCK) >= 0);
	check_world();
}

static size_t amount_of(const struct step *step)
{
	return (size_t)(step->amount & 0xfff) << (step->amount >> 12);
}

static int error_of(uint16_t amount)
{
	static const int errors[] = {EAGAIN, EINTR,   ECONNRESET, ETIMEDOUT,
				     EPIPE,  ENOBUFS, ENOMEM,	  EHOSTUNREACH};

	return errors[amount % (sizeof(errors) / sizeof(errors[0]))];
}

/* The next call of a kind fails, or does less than it could. */
static void arrange_fault(const struct step *step)
{
	static const int accept_errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED};
	enum fake_call call = step->who % FAKE_CALLS;
	struct fake_fault *fault = &fake_faults[call];

	*fault = (struct fake_fault){.armed = true, .after = step->amount >> 12};
	if (step->action % NO_TURN % ACTIONS == SHORTEN)
		fault->most = step->amount & 0xfff;
	else if (call == FAKE_ACCEPT)
		fault->error = accept_errors[(step->amount & 0xfff) % 5];
	else if (call == FAKE_EPOLL_ADD)
		fault->error = step->amount & 1 ? ENOMEM : ENOSPC;
	else if (call == FAKE_SHUTDOWN)
		fault->error = ENOTCONN;
	else
		fault->error = error_of(step->amount & 0xfff);
}

static void stop(void)
{
	if (draining)
		return;
	endpoints_stop(&loop);
	draining = true;
	drained_since = fake_ms;
	connections_drain(&loop);
}

static void reload(uint8_t which)
{
	struct service next = {.config = &config, .settings = &settings[which % SETTINGS]};

	reloaded = fake_ms;
	service_follow(service, &next);
	connections_reschedule(&loop);
}

static void take(struct fake_socket *socket, size_t amount)
{
	if (amount == 0)
		return;
	socket->unread -= amount;
	socket->news = true;
	client_of(socket)->stuck = false;
}

/* What a client does; it may be gone already. */
static void act(struct fake_socket *socket, enum action action, const struct step *step)
{
	size_t amount = amount_of(step), most = socket->shut ? LINGER_BYTES + 1 : ARRIVED_MAX;

	if (!socket->open || (socket->broken && action != HURRY))
		return;
	if (action != HURRY)
		client_of(socket)->quiet = fake_ms;
	if (action == SEND && !socket->fin) {
		socket->arrived = fake_least(socket->arrived + amount, most);
	} else if (action == TAKE) {
		take(socket, fake_least(socket->unread, amount));
		socket->capacity = amount > 0 ? amount + socket->unread : socket->capacity;
	} else if (action == LEAVE) {
		socket->fin = true;
	} else if (action == BREAK) {
		socket->broken = socket->news = true;
		socket->error = error_of(step->amount | 2);
	} else if (action == HURRY) {
		socket->hasty = true;
	}
}

static void come(uint8_t who)
{
	next_peer = who;
	fake_sockets[0].waiting += fake_sockets[0].waiting < FAKE_SOCKETS;
}

static void take_step(const struct step *step)
{
	enum action action = step->action % NO_TURN % ACTIONS;

	switch (action) {
	case COME:
		come(step->who);
		break;
	case FAIL:
	case SHORTEN:
		arrange_fault(step);
		break;
	case WAIT:
		fake_ms += (int64_t)fake_least(amount_of(step), 5 * MINUTE);
		break;
	case STOP:
		stop();
		break;
	case RELOAD:
		reload(step->who);
		break;
	case TURN:
		for (int i = 0; i < step->who % 80; i++)
			turn();
		break;
	default:
		act(&fake_sockets[1 + step->who % (FAKE_SOCKETS - 1)], action, step);
	}
	if (!(step->action & NO_TURN))
		turn();
}

static bool anybody_waits(void)
{
	for (size_t i = 1; i < fake_used; i++) {
		if (fake_sockets[i].open && (left(&clients[i]) > 0 || fake_sockets[i].arrived > 0))
			return true;
	}
	return false;
}

static void all_read(void)
{
	for (size_t i = 1; i < fake_used; i++) {
		fake_sockets[i].capacity = ARRIVED_MAX + LINE_MAX_LENGTH;
		take(&fake_sockets[i], fake_sockets[i].unread);
		clients[i].quiet = fake_ms;
	}
	turn();
}

/* Every client reads what there is and leaves; none may stay that waits for nothing. */
static void end_in_peace(void)
{
	memset(fake_faults, 0, sizeof(fake_faults));
	fake_sockets[0].waiting = 0;
	for (int round = 0; round == 0 || anybody_waits(); round++) {
		FUZZ_CHECK(round < 80);
		all_read();
	}
	for (size_t i = 1; i < fake_used; i++)
		fake_sockets[i].fin = true;
	turn();
	all_read();
	FUZZ_CHECK(open_clients == 0);
}

static void close_world(void)
{
	endpoints_stop(&loop);
	aborting = true;
	connections_abort(&loop);
	FUZZ_CHECK(open_clients == 0);
	draining = true; /* no listener */
	noted = UINT64_MAX;
	check_world();
	service_leave(service);
	FUZZ_CHECK(LIST_EMPTY(&loop.services));
	connections_close(&loop);
	loop_clear(&loop);
	for (size_t i = 1; i < fake_used; i++)
		FUZZ_CHECK(!fake_sockets[i].open);
	FUZZ_CHECK(config.references == 1 && listener.references == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head head;
	struct step step;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	open_world(&head);
	for (size_t at = sizeof(head); at + sizeof(step) <= size; at += sizeof(step)) {
		memcpy(&step, data + at, sizeof(step));
		take_step(&step);
	}
	if (head.end % ENDS == END_IN_PEACE)
		end_in_peace();
	close_world();
	return 0;
}
