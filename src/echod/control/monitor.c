/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See monitor.h. */

#include "config.h"

#include "echod/control/monitor.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/http/http.h"
#include "daemon/log.h"
#include "echod/control/rounds.h"
#include "echod/counters/totals.h"
#include "echod/sockets/listen_socket.h"
#include "echod/status/history.h"
#include "echod/status/metrics.h"
#include "echod/status/page.h"

static const struct timeval second = {.tv_sec = 1};

struct monitor {
	struct monitor_view view;
	struct http *http;
	struct event timer;
	struct event overdue; /* pending while requests wait for the workers */
	bool late;	      /* the workers have not answered in time: requests wait no longer */
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

void monitor_announce(const struct listen_socket *socket)
{
	bool is_unix = socket_is_unix(socket->kind);
	char text[ADDRESS_TEXT_MAX];

	address_format(&socket->address, text);
	if (is_unix)
		log_notice("serving metrics on unix %s", text);
	else
		log_notice("serving metrics on http://%s/metrics", text);
	if (!address_is_local(&socket->address))
		log_warning("metrics on %s are readable by anyone who can reach that address",
			    text);
}

static void take_sample(void *arg)
{
	struct monitor *monitor = arg;

	history_add(&monitor->history, clock_ms(), monitor->view.totals);
}

static void on_second(int fd UNUSED, short what UNUSED, void *arg)
{
	struct monitor *monitor = arg;

	rounds_ask(monitor->view.rounds, take_sample, monitor);
}

static void answer_requests(void *arg)
{
	struct monitor *monitor = arg;

	event_del(&monitor->overdue);
	http_answer(monitor->http);
}

static void on_overdue(int fd UNUSED, short what UNUSED, void *arg)
{
	struct monitor *monitor = arg;

	monitor->late = true;
	http_answer(monitor->http);
	monitor->late = false;
}

/* Totals are as fresh as the request, and health is what the workers make of it. */
static void on_asked(void *arg)
{
	struct monitor *monitor = arg;

	if (!event_pending(&monitor->overdue, EV_TIMEOUT, NULL))
		event_add(&monitor->overdue, &second);
	rounds_ask(monitor->view.rounds, answer_requests, monitor);
}

struct health {
	const char *state; /* the word for people */
	bool well;
};

static struct health health_of(const struct monitor *monitor)
{
	static const struct health phases[] = {[STARTING] = {"starting", false},
					       [SERVING] = {"serving", true},
					       [RELOADING] = {"reloading", true},
					       [STOPPING] = {"draining", false}};
	struct health health = phases[*monitor->view.phase];

	if (health.well && monitor->late)
		return (struct health){"a worker does not answer", false};
	if (health.well && monitor->view.totals->counters[DEAF_SOCKETS] > 0)
		return (struct health){"a socket cannot receive", false};
	return health;
}

static void write_metrics(void *arg, const struct http_request *request UNUSED,
			  struct http_reply *reply)
{
	const struct monitor *monitor = arg;

	reply->type = METRICS_TYPE;
	metrics_write(monitor->view.totals, &reply->body);
}

static void write_health(void *arg, const struct http_request *request UNUSED,
			 struct http_reply *reply)
{
	const struct monitor *monitor = arg;
	struct health health = health_of(monitor);

	if (!health.well)
		reply->status = HTTP_UNAVAILABLE;
	bounded_text_add(&reply->body, "%s\n", health.well ? "ok" : health.state);
}

static void write_page(void *arg, const struct http_request *request UNUSED,
		       struct http_reply *reply)
{
	const struct monitor *monitor = arg;
	struct health health = health_of(monitor);
	struct status_view view = {.host = monitor->host,
				   .state = health.state,
				   .well = health.well,
				   .up_s = (clock_ms() - monitor->view.started_at) / 1000,
				   .config = *monitor->view.config,
				   .sockets = *monitor->view.sockets,
				   .totals = monitor->view.totals,
				   .history = &monitor->history};

	reply->type = STATUS_PAGE_TYPE;
	status_page_write(&reply->body, &view);
}

/*
 * What others reach anyway needs no guard against their names for it, which we do not know; and no
 * browser gets to a unix socket.
 */
static bool guards_host(const struct listen_socket *socket)
{
	return !socket_is_unix(socket->kind) && address_is_local(&socket->address);
}

static const struct http_path paths[] = {
	{"/metrics", write_metrics}, {"/healthz", write_health}, {"/", write_page}, {NULL, NULL}};
static const struct http_site site = {.asked = on_asked, .paths = paths};

struct monitor *monitor_new(struct event_base *base, const struct listen_socket *socket,
			    const struct monitor_view *view)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));

	if (!monitor)
		return NULL;
	monitor->view = *view;
	if (gethostname(monitor->host, sizeof(monitor->host)) < 0)
		monitor->host[0] = '?';
	monitor->host[sizeof(monitor->host) - 1] = '\0';
	event_assign(&monitor->overdue, base, -1, 0, on_overdue, monitor);
	event_assign(&monitor->timer, base, -1, EV_PERSIST, on_second, monitor);
	monitor->http = http_new(base, socket->fd, guards_host(socket), &site, monitor);
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
