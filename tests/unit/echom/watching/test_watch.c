/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A watch beside a server in the same loop: which address it uses, and when that changes. */

#include "config.h"

#include <event2/event.h>
#include <netdb.h>

#include "base/events.h"
#include "daemon/settings/settings.h"
#include "echom/watching/watches.h"
#include "probe/probe.h"
#include "unit/said.h"

/* What each name means, in place of the C library's answer; the port is the server's. */
static struct in_addr meanings[2];
static size_t meaning_count;

int getaddrinfo(const char *host UNUSED, const char *service, const struct addrinfo *hints UNUSED,
		struct addrinfo **list)
{
	struct addrinfo *next = NULL;

	for (size_t i = meaning_count; i-- > 0;) {
		struct addrinfo *info = calloc(1, sizeof(*info) + sizeof(struct sockaddr_in));
		struct sockaddr_in *address = (struct sockaddr_in *)(info + 1);

		address->sin_family = AF_INET;
		address->sin_addr = meanings[i];
		address->sin_port = htons((uint16_t)atoi(service));
		info->ai_addr = (struct sockaddr *)address;
		info->ai_addrlen = sizeof(*address);
		info->ai_next = next;
		next = info;
	}
	*list = next;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;

		free(list);
		list = next;
	}
}

static struct event_base *base;
static struct watches *watches;

static void echo(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	char data[128];
	ssize_t size = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &length);

	++*(unsigned *)arg;
	ck_assert_int_eq(sendto(fd, data, (size_t)size, 0, (struct sockaddr *)&from, length), size);
}

/* A socket at HOST that nobody reads, of PORT or any. */
static int occupy(const char *host, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(inet_pton(AF_INET, host, &address.sin_addr), 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* An echo server at HOST; the port that it has, or gets. */
static uint16_t serve(const char *host, uint16_t port, unsigned *served)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	int fd = occupy(host, port);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(event_add(event_new(base, fd, EV_READ | EV_PERSIST, echo, served), NULL),
			 0);
	return ntohs(address.sin_port);
}

static void mean(const char *first, const char *second)
{
	meaning_count = second ? 2 : 1;
	ck_assert_int_eq(inet_pton(AF_INET, first, &meanings[0]), 1);
	if (second)
		ck_assert_int_eq(inet_pton(AF_INET, second, &meanings[1]), 1);
}

static const struct watch *watch(uint16_t port, const char *settings)
{
	char text[256], path[SAID_PATH_MAX];
	const struct settings_source source = {.path = path};
	struct watchlist *list;
	int fd;

	(void)snprintf(text, sizeof(text), "[target t]\naddress = name:%u\n%s", port, settings);
	fd = said_file(text, strlen(text), path);
	listen_for(path);
	list = watchlist_load(&source, hear);
	ck_assert_msg(list != NULL, "%s", said.lines);
	ck_assert_int_eq(watches_set(watches, list), 0);
	watchlist_release(list);
	close(fd);
	return watches->items[0];
}

static void set_up(void)
{
	probe_prepare();
	base = events_new_base(0);
	watches = watches_new(base);
	ck_assert_ptr_nonnull(watches);
}

TEST_CASE("a watch", set_up);

TEST(of_several_addresses_the_one_that_answers_is_used)
{
	unsigned served = 0;
	uint16_t port = serve("127.0.0.1", 0, &served);
	const struct watch *one;

	mean("127.0.0.2", "127.0.0.1");
	one = watch(port, "interval = 20ms\ntimeout = 20ms\n");
	while (one->counts.received == 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_ge(one->counts.lost, 1);
	ck_assert_uint_eq(one->target.chosen, 1);
}

/* There, probes always wait for a reply. */
TEST(an_address_that_is_silent_is_left_for_another)
{
	unsigned served = 0;
	uint16_t port = serve("127.0.0.1", 0, &served);
	const struct watch *one;
	int silent = occupy("127.0.0.2", port);

	mean("127.0.0.2", "127.0.0.1");
	one = watch(port, "interval = 20ms\ntimeout = 200ms\n");
	while (one->counts.received == 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_ge(one->counts.lost, 1);
	ck_assert_uint_eq(one->target.chosen, 1);
	ck_assert_uint_eq(one->counts.sent,
			  one->counts.received + one->counts.lost + flow_waiting(&one->flow));
	close(silent);
}

TEST(a_name_that_means_another_address_is_followed)
{
	unsigned before = 0, after = 0;
	uint16_t port = serve("127.0.0.1", 0, &before);
	struct watch *one;

	(void)serve("127.0.0.2", port, &after);
	mean("127.0.0.1", NULL);
	one = (struct watch *)watch(port, "interval = 20ms\ntimeout = 1m\n");
	while (one->counts.received < 2)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	mean("127.0.0.2", NULL);
	one->resolve_due = 0;
	while (after < 2)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(one->counts.lost, 0);
	ck_assert_uint_eq(one->counts.sent, one->counts.received + flow_waiting(&one->flow));
}

TEST(an_address_that_the_name_still_has_stays_in_use)
{
	unsigned served = 0;
	uint16_t port = serve("127.0.0.1", 0, &served);
	struct watch *one;
	int fd;

	mean("127.0.0.1", NULL);
	one = (struct watch *)watch(port, "interval = 20ms\ntimeout = 1m\n");
	while (one->counts.received < 2)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	fd = one->ports[0].link.fd;
	mean("127.0.0.2", "127.0.0.1");
	one->resolve_due = 0;
	while (one->target.count < 2)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(one->target.chosen, 1);
	ck_assert_int_eq(one->ports[0].link.fd, fd);
	ck_assert_uint_eq(one->counts.lost, 0);
}

/* One that answers nothing: probes always wait for it. */
TEST(a_name_that_is_looked_up_often_is_followed_as_well)
{
	unsigned served = 0;
	uint16_t port = serve("127.0.0.2", 0, &served);
	struct watch *one;

	(void)occupy("127.0.0.1", port);
	mean("127.0.0.1", NULL);
	one = (struct watch *)watch(port, "interval = 20ms\ntimeout = 500ms\n");
	while (one->counts.lost < 2)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	mean("127.0.0.2", NULL);
	while (one->counts.received < 1) {
		one->resolve_due = 0;
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	}
	ck_assert_uint_gt(one->counts.lost, 2);
}

static void greet(evutil_socket_t fd, short what UNUSED, void *arg)
{
	int client = accept(fd, NULL, NULL);

	++*(unsigned *)arg;
	ck_assert_int_eq(send(client, "?", 1, MSG_NOSIGNAL), 1);
	close(client);
}

TEST(one_that_greets_and_closes_is_connected_to_by_probes_alone)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	unsigned greeted = 0;
	const struct watch *one;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(listen(fd, 100), 0);
	ck_assert_int_eq(
		event_add(event_new(base, fd, EV_READ | EV_PERSIST, greet, &greeted), NULL), 0);
	mean("127.0.0.1", NULL);
	one = watch(ntohs(address.sin_port), "protocol = tcp\ninterval = 50ms\n");
	while (one->counts.sent < 4 || one->counts.reconnects == 0)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_ge(greeted, 1);
	ck_assert_uint_le(greeted, one->counts.sent);
}

TEST(the_time_in_outages_never_falls)
{
	struct watch *one;
	uint64_t now = clock_ns(), during;

	mean("127.0.0.1", NULL);
	one = (struct watch *)watch(7, "");
	ck_assert_int_eq(outages_enter(&one->outages, now - 10 * NS_PER_S, false),
			 OUTAGE_UNCHANGED);
	ck_assert_int_eq(outages_enter(&one->outages, now - 9 * NS_PER_S, false), OUTAGE_BEGAN);
	during = watch_state(one).outage_sum;
	ck_assert_uint_gt(during, 0);
	ck_assert_uint_eq(watch_state(one).outages, 1);
	ck_assert_int_eq(outages_enter(&one->outages, now - 8 * NS_PER_S, true), OUTAGE_ENDED);
	ck_assert_uint_ge(watch_state(one).outage_sum, during);
	ck_assert_uint_eq(watch_state(one).outages, 1);
}
