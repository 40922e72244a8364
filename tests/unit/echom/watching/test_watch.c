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

/* An echo server at HOST; the port that it has, or gets. */
static uint16_t serve(const char *host, uint16_t port, unsigned *served)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(inet_pton(AF_INET, host, &address.sin_addr), 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
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
	fd = one->link.fd;
	mean("127.0.0.2", "127.0.0.1");
	one->resolve_due = 0;
	while (one->target.count < 2)
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(one->target.chosen, 1);
	ck_assert_int_eq(one->link.fd, fd);
	ck_assert_uint_eq(one->counts.lost, 0);
}
