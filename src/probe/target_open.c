/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Chooses the address of a target: the first that answers. Owns nothing; the sockets belong to the
 * caller.
 */

#include "config.h"

#include "probe/target.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define CONNECT_BATCH 64 /* at once, so that no backlog overflows */
#define RETRY_MS 10

/* 0 or an errno. */
static int wait_connected(const struct target *target, int fd, uint64_t deadline)
{
	int count = target_wait(fd, POLLOUT, deadline);

	if (count < 0)
		return errno;
	return count > 0 ? target_result(target, fd) : ETIMEDOUT;
}

static bool is_without_link(const struct address *address)
{
	return address->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&address->in6.sin6_addr) && address->in6.sin6_scope_id == 0;
}

static const char *hint(const struct target *target, int error)
{
	switch (error) {
	case ECONNREFUSED:
		return ": nothing listens there";
	case EAGAIN:
		return ": the queue of the server is full";
	case ETIMEDOUT:
		return ": no answer: a firewall, or the host is down";
	case EINVAL:
		return is_without_link(&target->candidates[target->chosen])
			       ? ": a link-local address needs its interface, as in fe80::1%eth0"
			       : "";
	case EADDRNOTAVAIL:
		if (address_port(&target->source) != 0)
			return ": not an address of this host, or its port has, or had a minute "
			       "ago, another connection to there";
		return target->source.length > 0
			       ? ": not an address of this host, or it has no free port"
			       : ": no free local port: see net.ipv4.ip_local_port_range";
	case EADDRINUSE:
		return ": another socket has the source port";
	default:
		return "";
	}
}

/* Adds what is wrong with the chosen candidate to what was wrong with those before. */
static int explain(const struct target *target, int error, struct reason *reason)
{
	const struct reason before = *reason;
	const char *more = hint(target, error);
	char text[ADDRESS_TEXT_MAX];

	address_format(&target->candidates[target->chosen], text);
	if (before.text[0] != '\0')
		return reason_set(reason, "%s; %s: %s%s", before.text, text, strerror(error), more);
	return reason_set(reason, "cannot connect to %s over %s: %s%s", text, target->protocol,
			  strerror(error), more);
}

/* A unix socket whose queue is full cannot be polled for room. */
static int begin_until(const struct target *target, uint64_t deadline)
{
	int fd;

	while ((fd = target_begin(target)) < 0 && errno == EAGAIN && clock_ns() < deadline)
		(void)poll(NULL, 0, RETRY_MS);
	return fd;
}

/* Has FD's peer answer its question, or one byte. 0 or an errno. */
static int ask(const struct target *target, int fd, uint64_t deadline)
{
	const void *question = target->question ? target->question : "";
	size_t size = target->question ? target->question_size : 1;
	char byte;

	if (send(fd, question, size, MSG_NOSIGNAL) < 0)
		return errno;
	if (target_wait(fd, POLLIN, deadline) == 0)
		return ETIMEDOUT;
	return recv(fd, &byte, sizeof(byte), 0) < 0 ? errno : 0;
}

/* 0 or an errno: whether the chosen candidate answers, over a socket of its own. */
static int ask_chosen(const struct target *target, uint64_t deadline)
{
	int fd = target_begin(target);
	int error = fd < 0 ? errno : ask(target, fd, deadline);

	if (fd >= 0)
		close(fd);
	return error;
}

static int open_chosen(struct target *target, uint64_t deadline, int *error)
{
	uint64_t begun;
	int fd;

	*error = target->datagram && target->count > 1 ? ask_chosen(target, deadline) : 0;
	if (*error != 0)
		return -1;
	begun = clock_ns();
	fd = begin_until(target, deadline);
	*error = fd < 0 ? errno : wait_connected(target, fd, deadline);
	target->connect_ns = clock_ns() - begun;
	if (*error == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* What a connect may return that can be another thing a moment later. */
static bool may_pass(int error)
{
	static const int errors[] = {ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH,
				     ECONNRESET,   EHOSTDOWN, ENETDOWN,	    ENOENT};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (error == errors[i])
			return true;
	}
	return false;
}

/* No answer: datagrams can be sent all the same, and a silent host may answer later. */
static int open_silent(struct target *target, size_t silent)
{
	target->answered = false;
	target->chosen = silent < target->count ? silent : 0;
	return target->datagram && target->count > 1 ? target_begin(target) : -1;
}

int target_open(struct target *target, uint64_t timeout_ms, struct reason *reason)
{
	size_t silent = target->count;
	int fd = -1;
	int error;

	reason->text[0] = '\0';
	target->answered = true;
	for (target->chosen = 0; target->chosen < target->count; target->chosen++) {
		fd = open_chosen(target, clock_ns() + timeout_ms * NS_PER_MS, &error);
		if (fd >= 0)
			break;
		if ((error == ETIMEDOUT || !target->datagram) && may_pass(error) &&
		    silent == target->count)
			silent = target->chosen;
		(void)explain(target, error, reason);
	}
	target->down = fd < 0 && !target->datagram && silent < target->count;
	if (fd < 0)
		fd = open_silent(target, silent);
	address_format(&target->candidates[target->chosen], target->text);
	return fd;
}

/* 0 or an errno. */
static int begin_some(const struct target *target, int *sockets, size_t count, uint64_t deadline,
		      size_t *begun)
{
	for (*begun = 0; *begun < count; ++*begun) {
		sockets[*begun] = begin_until(target, deadline);
		if (sockets[*begun] < 0)
			return errno;
	}
	return 0;
}

static int wait_for_all(const struct target *target, const int *sockets, size_t count,
			uint64_t deadline)
{
	for (size_t i = 0; i < count; i++) {
		int error = wait_connected(target, sockets[i], deadline);

		if (error != 0)
			return error;
	}
	return 0;
}

int target_open_more(const struct target *target, int *sockets, size_t count, uint64_t timeout_ms,
		     struct reason *reason)
{
	size_t done = 0;

	if (count > 0 && address_port(&target->source) != 0)
		return reason_set(reason, "%zu connections cannot share source port %u", count + 1,
				  address_port(&target->source));
	while (done < count) {
		size_t batch = count - done < CONNECT_BATCH ? count - done : CONNECT_BATCH;
		uint64_t deadline = clock_ns() + timeout_ms * NS_PER_MS;
		size_t begun;
		int error = begin_some(target, sockets + done, batch, deadline, &begun);

		if (error == 0)
			error = wait_for_all(target, sockets + done, begun, deadline);
		done += begun;
		if (error != 0) {
			while (done > 0)
				close(sockets[--done]);
			reason->text[0] = '\0';
			return explain(target, error, reason);
		}
	}
	return 0;
}
