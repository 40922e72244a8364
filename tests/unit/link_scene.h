/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A link whose attempts the test decides, and all that it reports, in words. The program is linked
 * with faults_flags and --wrap=target_begin; one file of it includes this.
 */

#pragma once

#include "probe/link.h"
#include "support/test.h"
#include "unit/faults.h"

#define SIZE 64
#define SOCKETS_MAX 8

/* What comes of an attempt: it is refused at once, or later, or never answered. */
enum outcome { CONNECTS, REFUSED_AT_ONCE, REFUSED, HANGS };

static enum outcome outcome;
static unsigned begun;
static bool as_stdin; /* the sockets are descriptor 0, since nothing else is */
static int peers[SOCKETS_MAX];

static struct target target;
static struct books books;
static struct flow flow;
static struct link link_;
static struct event_base *base;
static char events[400]; /* what the link reported, in words */
static int first_fd;

int __wrap_target_begin(const struct target *wanted);

static inline void add(const char *what, const char *more)
{
	size_t length = strlen(events);

	snprintf(events + length, sizeof(events) - length, "%s%s; ", what, more);
}

static inline void expect(const char *wanted)
{
	ck_assert_str_eq(events, wanted);
	events[0] = '\0';
}

/* For places where libcheck would lack the memory that a test refuses. */
static inline void must(bool right)
{
	if (!right)
		abort();
}

static inline int tcp_socket(struct sockaddr_in *own)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t length = sizeof(*own);

	*own = (struct sockaddr_in){.sin_family = AF_INET};
	own->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(fd, (struct sockaddr *)own, length) == 0);
	must(getsockname(fd, (struct sockaddr *)own, &length) == 0);
	return fd;
}

/* A connection to a socket of ours, or to a port where nothing listens. */
static inline int tcp_connection(bool accepted, int *peer)
{
	struct sockaddr_in there, here;
	int listener = tcp_socket(&there);
	int fd = tcp_socket(&here);

	if (accepted)
		must(listen(listener, 1) == 0);
	(void)connect(fd, (struct sockaddr *)&there, sizeof(there));
	while (accepted && (*peer = accept(listener, NULL, NULL)) < 0)
		must(errno == EAGAIN);
	close(listener);
	return fd;
}

/* It has no room, so it never becomes writable. */
static inline int silent_socket(int *peer)
{
	char bytes[4096] = {0};
	int ends[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	while (write(ends[0], bytes, sizeof(bytes)) > 0)
		continue;
	*peer = ends[1];
	return ends[0];
}

static inline int moved_to_stdin(int fd)
{
	must(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	close(fd);
	return STDIN_FILENO;
}

int __wrap_target_begin(const struct target *wanted)
{
	int *peer = &peers[begun++ % SOCKETS_MAX];
	int fd;

	must(wanted == &target);
	switch (outcome) {
	case REFUSED_AT_ONCE:
		errno = ECONNREFUSED;
		return -1;
	case HANGS:
		return silent_socket(peer);
	default:
		fd = tcp_connection(outcome == CONNECTS, peer);
		return as_stdin ? moved_to_stdin(fd) : fd;
	}
}

static inline void on_socket(evutil_socket_t fd UNUSED, short what, void *context)
{
	ck_assert_ptr_eq(context, &link_);
	add(what == EV_READ ? "readable" : "writable", "");
}

static inline void on_reconnected(void *context)
{
	ck_assert_ptr_eq(context, &link_);
	ck_assert_int_ge(link_.fd, 0);
	add("up", "");
}

static inline void on_reply(void *context UNUSED, uint64_t sequence, const struct finding *finding,
			    size_t bytes)
{
	char text[80];
	uint64_t rtt;

	snprintf(text, sizeof(text), "reply %u: %zu bytes, %s", (unsigned)sequence, bytes,
		 finding->verdict == VERDICT_TRUNCATED ? "cut" : "whole");
	add(text, "");
	(void)flow_reply(&flow, sequence, finding, bytes, 0, &rtt);
}

static inline void on_lost(void *context UNUSED, uint64_t sequence, const char *why)
{
	char text[80];

	snprintf(text, sizeof(text), "lost %u, ", (unsigned)sequence);
	add(text, why);
	flow_lose(&flow, sequence);
}

static inline void on_note(void *context, const char *what, int error)
{
	ck_assert_ptr_eq(context, &link_);
	add(what, error == 0		  ? ""
		  : error == ECONNREFUSED ? ": refused"
		  : error == ETIMEDOUT	  ? ": timeout"
		  : error == ENOMEM	  ? ": memory"
					  : ": another error");
}

static const struct link_user user = {.readable = on_socket,
				      .writable = on_socket,
				      .reconnected = on_reconnected,
				      .reply = on_reply,
				      .lost = on_lost,
				      .note = on_note};

static inline void start_with(unsigned attempts)
{
	link_ = (struct link){.user = &user,
			      .context = &link_,
			      .base = base,
			      .target = &target,
			      .flow = &flow,
			      .wanted = true,
			      .max_attempts = attempts,
			      .patience = 100};
	ck_assert_int_eq(link_init(&link_), 0);
	first_fd = fault_lowest_fd();
}

static inline void set_up(void)
{
	probe_prepare();
	books_clear(&books);
	events[0] = '\0';
	begun = 0;
	outcome = CONNECTS;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		peers[i] = -1;
	base = event_base_new();
	ck_assert_int_eq(flow_init(&flow, 77, SIZE, 16, &books), 0);
	start_with(1);
}

/* Whatever happened, no socket of the link is left. */
static inline void tear_down(void)
{
	link_clear(&link_);
	link_clear(&link_);
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		if (peers[i] >= 0)
			close(peers[i]);
	}
	ck_assert_int_eq(fault_lowest_fd(), first_fd);
	ck_assert_int_eq(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
	flow_clear(&flow);
	event_base_free(base);
}

static inline void run(void)
{
	ck_assert_int_ge(event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE), 0);
}

/* Until the attempt that was begun has come to its end. */
static inline void connect_at(uint64_t now)
{
	link_connect(&link_, now);
	while (link_is_connecting(&link_))
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

static inline void connected(void)
{
	connect_at(0);
	expect("connected; up; ");
}
