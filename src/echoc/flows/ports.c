/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Chooses the source ports and creates a flow for each. They are consecutive, because hashes of
 * addresses and ports spread these well, and people can name the range. Owns nothing; flows.c calls
 * it.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echoc/flows/flow_set.h"
#include "probe/descriptors.h"

#define PORT_LEAST 49152u /* of RFC 6335's dynamic ones */
#define BASES 32	  /* tried before we give up */
#define WINDOW_MIN 64u
#define WINDOW_MAX (1u << 16)

/* All that may wait for their reply at a time, and as many that are late. */
static size_t window_size(const struct arguments *arguments)
{
	uint64_t size = 2 * arguments->timeout_ms * arguments->rate / arguments->flows / 1000;

	if (size < WINDOW_MIN)
		return WINDOW_MIN;
	return size > WINDOW_MAX ? WINDOW_MAX : (size_t)size;
}

/*
 * The same address for all, as the kernel chooses it now: with several paths it could be another
 * one for each. The port stays.
 */
static int choose_address(struct flows *flows)
{
	struct address own = {.length = sizeof(own.in6)};
	struct target asked = *flows->target;
	int result, fd;

	asked.datagram = true;
	address_set_port(&asked.source, 0);
	fd = target_begin(&asked);
	if (fd < 0)
		return -1;
	result = getsockname(fd, &own.sa, &own.length);
	close(fd);
	if (result < 0)
		return -1;
	address_set_port(&own, address_port(&flows->target->source));
	flows->target->source = own;
	return 0;
}

/* -1 without memory. */
static int source_port_init(struct source_port *port, struct flows *flows, uint16_t number)
{
	port->flows = flows;
	port->number = number;
	port->target = *flows->target;
	address_set_port(&port->target.source, number);
	if (flow_init(&port->flow, flows->run + number, (size_t)flows->arguments->size,
		      window_size(flows->arguments), &port->books) < 0)
		return -1;
	port->flow.timeout = flows_timeout(flows);
	port->link = (struct link){.user = &flows_link_user,
				   .context = port,
				   .base = flows->base,
				   .target = &port->target,
				   .flow = &port->flow,
				   .wanted = true,
				   .max_attempts = 1,
				   .patience = port->flow.timeout};
	return link_init(&port->link);
}

/* With a reset, so that the port can be used again at once: all that came has been read. */
static void source_port_clear(struct source_port *port)
{
	const struct linger at_once = {.l_onoff = 1};

	if (!port->target.datagram && port->link.attempts && port->link.fd >= 0)
		(void)setsockopt(port->link.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	link_clear(&port->link);
	flow_clear(&port->flow);
}

void flows_close(struct flows *flows)
{
	for (size_t i = 0; flows->ports && i < flows->count; i++)
		source_port_clear(&flows->ports[i]);
	free(flows->ports);
	flows->ports = NULL;
}

/* TCP: whether a connection from there can be made later on. 0, or an errno. */
static int try_port(const struct address *source)
{
	int fd = socket(source->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = fd < 0 || bind(fd, &source->sa, source->length) < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

/* Over UDP its socket, too. 0, or an errno. */
static int open_port(struct source_port *port)
{
	int fd;

	if (!port->target.datagram)
		return try_port(&port->target.source);
	fd = target_begin(&port->target);
	if (fd < 0)
		return errno;
	if (link_open(&port->link, fd) < 0)
		return ENOMEM;
	source_port_prepare(port);
	return 0;
}

/* 0 or an errno, about *PORT. */
static int open_from(struct flows *flows, uint16_t base, uint16_t *port)
{
	size_t count = (size_t)flows->arguments->flows;
	int error = 0;

	flows->ports = calloc(count, sizeof(*flows->ports));
	if (!flows->ports)
		return ENOMEM;
	for (flows->count = 0; flows->count < count && error == 0; flows->count++) {
		*port = (uint16_t)(base + flows->count);
		if (source_port_init(&flows->ports[flows->count], flows, *port) < 0)
			error = ENOMEM;
		else
			error = open_port(&flows->ports[flows->count]);
	}
	if (error != 0)
		flows_close(flows);
	return error;
}

static int refuse(const struct flows *flows, uint16_t port, int error, struct reason *reason)
{
	if (error == EADDRINUSE)
		return reason_set(reason,
				  "source port %u is in use, or was a minute ago: "
				  "choose others with -I",
				  port);
	return reason_set(reason, "cannot send to %s: %s", flows->target->text, strerror(error));
}

/* From random ports on, which others may have. 0 or an errno, about *PORT. */
static int open_from_any(struct flows *flows, uint16_t *port)
{
	size_t choices = UINT16_MAX - PORT_LEAST - (size_t)flows->arguments->flows + 2;
	unsigned tries = BASES;
	int error;

	do
		error = open_from(flows, (uint16_t)(PORT_LEAST + flows_random(flows, choices)),
				  port);
	while (error == EADDRINUSE && --tries > 0);
	return error;
}

int flows_open(struct flows *flows, struct reason *reason)
{
	size_t count = (size_t)flows->arguments->flows;
	uint16_t base = address_port(&flows->target->source);
	uint16_t port = base;
	int error;

	if (base > 0 && base + count - 1 > UINT16_MAX)
		return reason_set(reason, "%zu ports from %u on: the last one is %u", count, base,
				  UINT16_MAX);
	if (descriptors_allow(count, "-n", reason) < 0)
		return -1;
	error = choose_address(flows) < 0 ? errno : 0;
	if (error == 0)
		error = base > 0 ? open_from(flows, base, &port) : open_from_any(flows, &port);
	return error == 0 ? 0 : refuse(flows, port, error, reason);
}
