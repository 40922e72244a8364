/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See monitor.h. */

#include "config.h"

#include "echod/control/monitor.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/http/http.h"
#include "daemon/log.h"
#include "echod/control/state.h"
#include "echod/status/history.h"
#include "echod/status/metrics.h"
#include "echod/status/page.h"

static const struct timeval second = {.tv_sec = 1};

struct monitor {
	struct server *server;
	struct http *http;
	struct event timer;
	struct event
		overdue; /* the workers have not answered for a second: requests wait no longer */
	bool sample_due;
	struct history history;
	char host[HOST_NAME_MAX + 1];
};

int monitor_take(struct listen_socket **socket, struct handed_socket *handed, size_t *count,
		 struct reason *reason)
{
	size_t left = 0;

	for (size_t i = 0; i < *count; i++) {
		bool is_unix = handed[i].address.sa.sa_family == AF_UNIX;

		if (handed[i].kind != HANDED_STREAM || strcmp(handed[i].name, MONITOR_NAME) != 0) {
			handed[left++] = handed[i];
			continue;
		}
		if (*socket)
			return reason_set(reason,
					  "two of the sockets handed over are named \"%s\": "
					  "hand over one",
					  MONITOR_NAME);
		*socket = listen_socket_adopt(handed[i].fd, is_unix ? SOCKET_UNIX : SOCKET_TCP,
					      reason);
		if (!*socket)
			return -1;
	}
	*count = left;
	if (left == 0)
		return reason_set(reason, "the only socket handed over is for metrics: hand over "
					  "those to echo on, too");
	return 0;
}

struct listen_socket *monitor_open(const struct address *address, struct reason *reason)
{
	struct listen_socket *socket = NULL;
	struct reason why;

	if (listen_socket_probe(SOCKET_TCP, address, &why) == 0)
		socket = listen_socket_open(SOCKET_TCP, address, &why);
	if (!socket) {
		int error = errno;

		reason_set(reason, "metrics: %s", why.text);
		errno = error;
	}
	return socket;
}

static bool is_loopback(const struct address *address)
{
	struct in6_addr ip;

	if (!address_ip(&address->sa, &ip))
		return true; /* a unix socket */
	return ip_is_loopback(&ip);
}

void monitor_announce(const struct listen_socket *socket)
{
	bool is_unix = socket_is_unix(socket->kind);
	char text[ADDRESS_TEXT_MAX];

	address_format(&socket->address, text);
	if (is_unix)
		log_notice("serving metrics on unix %s", text);
	else
		log_notice("serving metrics on http://%s/metrics", text);
	if (!is_loopback(&socket->address))
		log_warning("metrics on %s can be read by whoever reaches that address", text);
}

static void on_second(int fd UNUSED, short what UNUSED, void *arg)
{
	struct monitor *monitor = arg;

	monitor->sample_due = true;
	control_ask_all(monitor->server);
}

void monitor_collected(struct monitor *monitor)
{
	if (monitor->sample_due)
		history_add(&monitor->history, clock_ms(), &monitor->server->totals);
	monitor->sample_due = false;
	event_del(&monitor->overdue);
	http_answer(monitor->http);
}

static void on_overdue(int fd UNUSED, short what UNUSED, void *arg)
{
	struct monitor *monitor = arg;

	http_answer(monitor->http);
}

/* Figures are as fresh as the request, and health is what the workers make of it. */
static void on_asked(void *arg)
{
	struct monitor *monitor = arg;

	if (!event_pending(&monitor->overdue, EV_TIMEOUT, NULL))
		event_add(&monitor->overdue, &second);
	control_ask_all(monitor->server);
}

/* Requests are answered when all workers have, or are overdue. */
static bool is_well(struct server *server)
{
	return (server->phase == SERVING || server->phase == RELOADING) &&
	       control_all_answered(server) && server->totals.counters[DEAF_SOCKETS] == 0;
}

/* The word for people. */
static const char *state(struct server *server)
{
	if (server->phase == STOPPING)
		return "draining";
	if (server->phase == STARTING)
		return "starting";
	if (!is_well(server))
		return control_all_answered(server) ? "a socket cannot be received from"
						    : "a worker does not answer";
	return server->phase == RELOADING ? "reloading" : "serving";
}

static void write_metrics(const struct monitor *monitor, struct http_reply *reply)
{
	reply->type = METRICS_TYPE;
	metrics_write(&monitor->server->totals, &reply->body);
}

static void write_health(const struct monitor *monitor, struct http_reply *reply)
{
	bool well = is_well(monitor->server);

	if (!well)
		reply->status = HTTP_UNAVAILABLE;
	bounded_text_add(&reply->body, "%s\n", well ? "ok" : state(monitor->server));
}

static void write_page(const struct monitor *monitor, struct http_reply *reply)
{
	struct server *server = monitor->server;
	struct status_view view = {.host = monitor->host,
				   .state = state(server),
				   .well = is_well(server),
				   .up_s = (clock_ms() - server->started_at) / 1000,
				   .config = server->config,
				   .sockets = server->sockets,
				   .totals = &server->totals,
				   .history = &monitor->history};

	reply->type = STATUS_PAGE_TYPE;
	status_page_write(&reply->body, &view);
}

static void on_answer(void *arg, const char *path, struct http_reply *reply)
{
	static const struct {
		const char *path;
		void (*write)(const struct monitor *monitor, struct http_reply *reply);
	} pages[] = {{"/metrics", write_metrics}, {"/healthz", write_health}, {"/", write_page}};

	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		if (strcmp(path, pages[i].path) == 0) {
			pages[i].write(arg, reply);
			return;
		}
	}
	reply->status = HTTP_NOT_FOUND;
}

/*
 * What others reach anyway needs no guard against their names for it, which we do not know; and no
 * browser gets to a unix socket.
 */
static bool guards_host(const struct listen_socket *socket)
{
	return !socket_is_unix(socket->kind) && is_loopback(&socket->address);
}

static const struct http_handler handler = {.asked = on_asked, .answer = on_answer};

struct monitor *monitor_new(struct server *server, const struct listen_socket *socket)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));

	if (!monitor)
		return NULL;
	monitor->server = server;
	if (gethostname(monitor->host, sizeof(monitor->host)) < 0)
		monitor->host[0] = '?';
	monitor->host[sizeof(monitor->host) - 1] = '\0';
	event_assign(&monitor->overdue, server->base, -1, 0, on_overdue, monitor);
	event_assign(&monitor->timer, server->base, -1, EV_PERSIST, on_second, monitor);
	monitor->http = http_new(server->base, socket->fd, guards_host(socket), &handler, monitor);
	if (!monitor->http || event_add(&monitor->timer, &second) < 0) {
		monitor_free(monitor);
		return NULL;
	}
	return monitor;
}

void monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return;
	http_free(monitor->http);
	event_del(&monitor->timer);
	event_del(&monitor->overdue);
	free(monitor);
}
