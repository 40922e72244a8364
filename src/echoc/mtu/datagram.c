/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sends probes of one size and waits for a reply, or for an error that rules one out. Owns the
 * socket; there.c and back.c call it.
 */

#include "config.h"

#include "echoc/mtu/datagram.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "echoc/command/signals.h"
#include "probe/probe.h"

#define IP4_HEADER 20u
#define IP6_HEADER 40u
#define UDP_HEADER 8u
#define IP4_MOST 65535u
#define IP6_MOST (IP6_HEADER + 65535u)
#define BUFFER_SIZE (128u << 10)
#define APART (100 * NS_PER_MS)	     /* the probes of a size */
#define PAUSE (10 * NS_PER_MS)	     /* between sizes: politeness */
#define WAIT_LEAST (300 * NS_PER_MS) /* however short the round trips are */
#define WAIT_TRIPS 10
#define SEND_ATTEMPTS 4
#define ERRORS_MAX 64

int prober_init(struct prober *prober, const struct target *target, int fd, uint64_t timeout)
{
	memset(prober, 0, sizeof(*prober));
	prober->target = target;
	prober->fd = fd;
	prober->family = target->candidates[target->chosen].sa.sa_family;
	prober->timeout = timeout;
	prober->buffer = malloc(BUFFER_SIZE);
	if (!prober->buffer || getrandom(&prober->run, sizeof(prober->run), 0) < 0)
		return -1;
	receive_prepare(&prober->receiver, fd);
	receive_prepare_fragments(fd);
	icmp_error_prepare(fd);
	return 0;
}

void prober_clear(struct prober *prober)
{
	close(prober->fd);
	free(prober->buffer);
}

size_t prober_overhead(const struct prober *prober)
{
	return UDP_HEADER + (prober->family == AF_INET ? IP4_HEADER : IP6_HEADER);
}

size_t prober_least(const struct prober *prober)
{
	return prober_overhead(prober) + PROBE_SIZE_MIN;
}

size_t prober_most(const struct prober *prober)
{
	return prober->family == AF_INET ? IP4_MOST : IP6_MOST;
}

static void set(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

void prober_forbid_fragments(const struct prober *prober)
{
	set(prober->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	set(prober->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	set(prober->fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

void prober_allow_fragments(const struct prober *prober, size_t passed)
{
	set(prober->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	set(prober->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_WANT);
	set(prober->fd, IPPROTO_IPV6, IPV6_DONTFRAG, 0);
	set(prober->fd, IPPROTO_IPV6, IPV6_MTU, (int)passed);
}

/* 0: not one of the latest. */
static size_t size_of(const struct prober *prober, uint64_t sequence)
{
	if (sequence == 0 || sequence > prober->sequence ||
	    prober->sequence - sequence >= SIZES_KEPT)
		return 0;
	return prober->sizes[sequence % SIZES_KEPT];
}

/* The size that an error quotes; the one that is on its way if it quotes too little. */
static size_t size_quoted(const struct prober *prober, const struct icmp_error *error, size_t size)
{
	struct probe probe;

	if (error->quoted < PROBE_HEADER_SIZE)
		return size;
	return probe_read(prober->buffer, &probe) && probe.run == prober->run
		       ? size_of(prober, probe.sequence)
		       : 0;
}

static void take_error(const struct prober *prober, const struct icmp_error *error,
		       struct outcome *outcome)
{
	if (size_quoted(prober, error, outcome->size) != outcome->size)
		return;
	if (!error->too_large) {
		if (error->remote)
			memcpy(outcome->error, error->text, sizeof(outcome->error));
		return;
	}
	outcome->too_large = true;
	outcome->own = !error->remote;
	outcome->mtu = error->mtu;
	if (error->remote && error->from.length > 0)
		(void)getnameinfo(&error->from.sa, error->from.length, outcome->by,
				  sizeof(outcome->by), NULL, 0, NI_NUMERICHOST);
}

static void read_errors(const struct prober *prober, struct outcome *outcome)
{
	struct icmp_error error;

	for (unsigned i = 0; i < ERRORS_MAX &&
			     icmp_error_read(prober->fd, prober->buffer, BUFFER_SIZE, &error) == 0;
	     i++)
		take_error(prober, &error, outcome);
}

static bool is_intact(const struct prober *prober, const struct probe *probe, size_t size,
		      size_t length)
{
	return length + prober_overhead(prober) == size &&
	       probe_match(probe, 0, prober->buffer, length) == length;
}

static void take_reply(struct prober *prober, size_t length, const struct reception *reception,
		       struct outcome *outcome)
{
	struct probe probe;
	size_t size;

	if (length < PROBE_HEADER_SIZE || !probe_read(prober->buffer, &probe) ||
	    probe.run != prober->run)
		return;
	size = size_of(prober, probe.sequence);
	if (size == 0 || !is_intact(prober, &probe, size, length))
		return;
	prober->received++;
	if (size != outcome->size) {
		if (size > outcome->late)
			outcome->late = size;
		return;
	}
	outcome->passed = true;
	outcome->rtt = reception->time > probe.time ? reception->time - probe.time : 0;
	outcome->fragment = reception->fragment > 0 ? (size_t)reception->fragment : 0;
	if (outcome->rtt > prober->slowest)
		prober->slowest = outcome->rtt;
}

/* An error of the socket is in its queue, too. */
static void read_all(struct prober *prober, struct outcome *outcome)
{
	struct reception reception;

	for (unsigned errors = 0; errors < ERRORS_MAX;) {
		ssize_t length =
			receive(&prober->receiver, prober->buffer, BUFFER_SIZE, &reception);

		if (length < 0 && errno == EAGAIN)
			break;
		if (length < 0)
			errors++;
		else
			take_reply(prober, (size_t)length, &reception, outcome);
	}
	read_errors(prober, outcome);
}

static bool is_known(const struct outcome *outcome)
{
	return outcome->passed || outcome->too_large;
}

/* Until it is known what became of the size, or until DEADLINE. */
static void await(struct prober *prober, struct outcome *outcome, uint64_t deadline)
{
	do {
		if (signals_wait(prober->fd, POLLIN, deadline) > 0)
			read_all(prober, outcome);
	} while (!is_known(outcome) && signals_caught() == 0 && clock_ns() < deadline);
}

/* 0, or -1 and errno; too large for our own interface is no failure. */
static int send_probe(struct prober *prober, struct outcome *outcome)
{
	size_t length = outcome->size - prober_overhead(prober);
	struct probe probe = {prober->run, ++prober->sequence, 0};
	int error = 0;

	prober->sizes[probe.sequence % SIZES_KEPT] = outcome->size;
	for (unsigned i = 0; i < SEND_ATTEMPTS; i++) {
		probe.time = clock_ns();
		probe_write(&probe, 0, prober->buffer, length);
		if (send(prober->fd, prober->buffer, length, MSG_NOSIGNAL) >= 0) {
			outcome->sent++;
			prober->sent++;
			return 0;
		}
		error = errno; /* it may be that of an earlier one */
		read_errors(prober, outcome);
		if (is_known(outcome))
			return 0;
	}
	errno = error;
	return -1;
}

/* The kernel tells it of a packet that is too large. */
size_t prober_interface(struct prober *prober)
{
	struct outcome outcome = {.size = prober_most(prober)};

	prober_forbid_fragments(prober);
	(void)!send_probe(prober, &outcome);
	return outcome.own && outcome.mtu >= prober_least(prober) && outcome.mtu < outcome.size
		       ? outcome.mtu
		       : outcome.size;
}

/* As long as a slow reply takes, judged by those so far. */
static uint64_t patience(const struct prober *prober)
{
	uint64_t wait = WAIT_TRIPS * prober->slowest;

	if (prober->slowest == 0 || wait > prober->timeout)
		return prober->timeout;
	if (wait < WAIT_LEAST)
		return WAIT_LEAST < prober->timeout ? WAIT_LEAST : prober->timeout;
	return wait;
}

int prober_try(struct prober *prober, size_t size, struct outcome *outcome)
{
	*outcome = (struct outcome){.size = size};
	await(prober, outcome, clock_ns() + PAUSE); /* what is late */
	while (outcome->sent < SIZE_PROBES && !is_known(outcome) && signals_caught() == 0) {
		unsigned before = outcome->sent;
		uint64_t wait;

		if (send_probe(prober, outcome) < 0)
			return -1;
		if (outcome->sent == before)
			break;
		wait = outcome->sent < SIZE_PROBES ? APART : patience(prober);
		await(prober, outcome, clock_ns() + wait);
	}
	if (is_known(outcome) || signals_caught() == 0)
		return 0;
	errno = EINTR;
	return -1;
}
