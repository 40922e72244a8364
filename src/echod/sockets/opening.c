/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Opening what a configuration asks for: keep what is held already, probe everything else, and only
 * then open it. The other half of socket_table.h.
 */

#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/signals.h"
#include "echod/sockets/socket_table.h"

/*
 * How often another number is tried when port 0 gave one that some other protocol or family lacks.
 */
#define PORT_TRIES 16

/* The protocols of one written address, in the order they are opened and announced. */
static size_t kinds_of(const struct listener_config *listener, const struct listen_address *written,
		       enum socket_kind kinds[static 2])
{
	size_t count = 0;

	if (written->kind == ADDRESS_UNIX)
		kinds[count++] = SOCKET_UNIX;
	else if (written->kind == ADDRESS_UNIXGRAM)
		kinds[count++] = SOCKET_UNIXGRAM;
	else {
		if (listener->protocols & PROTOCOL_TCP)
			kinds[count++] = SOCKET_TCP;
		if (listener->protocols & PROTOCOL_UDP)
			kinds[count++] = SOCKET_UDP;
	}
	return count;
}

static void want(struct socket_table *table, const struct listener_config *listener,
		 const struct listen_address *written)
{
	enum socket_kind kinds[2];
	size_t kind_count = kinds_of(listener, written, kinds);

	for (size_t kind = 0; kind < kind_count; kind++) {
		for (size_t part = 0; part < written->count; part++) {
			struct binding *binding = &table->bindings[table->count++];

			memcpy(binding->listener, listener->name, sizeof(listener->name));
			binding->kind = kinds[kind];
			binding->written = *written;
			binding->optional = written->pair && part > 0;
			binding->address = written->parts[part];
		}
	}
}

/* The table of everything configured, with nothing open yet. */
static struct socket_table *socket_table_wanted(const struct config *config)
{
	struct socket_table *table = calloc(1, sizeof(*table));
	size_t addresses = 0;

	if (!table)
		return NULL;
	for (size_t i = 0; i < config->listener_count; i++)
		addresses += config->listeners[i].addresses.count;
	assert(addresses > 0);
	/* Each address is at most two families with two protocols. */
	table->bindings = calloc(addresses * 4, sizeof(struct binding));
	if (!table->bindings) {
		free(table);
		return NULL;
	}
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct listener_config *listener = &config->listeners[i];

		for (size_t n = 0; n < listener->addresses.count; n++)
			want(table, listener, &listener->addresses.items[n]);
	}
	return table;
}

static bool same_text(const struct binding *a, const struct binding *b)
{
	char text_a[LISTEN_ADDRESS_TEXT_MAX], text_b[LISTEN_ADDRESS_TEXT_MAX];

	return strcmp(listen_address_format(&a->written, text_a),
		      listen_address_format(&b->written, text_b)) == 0;
}

/* Port 0 stays the number it became, while the text is unchanged. */
static void keep_number(struct binding *binding, const struct socket_table *held)
{
	if (socket_is_unix(binding->kind) || address_port(&binding->address) != 0)
		return;
	for (size_t i = 0; i < held->count; i++) {
		if (same_text(&held->bindings[i], binding)) {
			address_set_port(&binding->address,
					 address_port(&held->bindings[i].address));
			return;
		}
	}
}

static int keep_sockets(struct binding *binding, const struct binding *held)
{
	binding->sockets = calloc(held->socket_count, sizeof(struct listen_socket *));
	if (!binding->sockets)
		return -1;
	for (size_t i = 0; i < held->socket_count; i++)
		binding->sockets[i] = listen_socket_hold(held->sockets[i]);
	binding->socket_count = held->socket_count;
	return 0;
}

/* A socket whose file was removed is opened again. */
static bool is_reachable(const struct binding *held)
{
	char text[ADDRESS_TEXT_MAX];

	if (!listen_socket_lost_file(held->sockets[0]))
		return true;
	log_warning("%s was removed or replaced: opening it again",
		    address_format(&held->address, text));
	return false;
}

/* Takes over from HELD what is there already. */
static int keep(struct socket_table *next, const struct socket_table *held)
{
	for (size_t i = 0; held && i < next->count; i++) {
		struct binding *binding = &next->bindings[i];

		keep_number(binding, held);
		for (size_t n = 0; n < held->count; n++) {
			if (held->bindings[n].kind == binding->kind &&
			    address_equal(&held->bindings[n].address, &binding->address) &&
			    is_reachable(&held->bindings[n]) &&
			    keep_sockets(binding, &held->bindings[n]) < 0)
				return -1;
		}
	}
	return 0;
}

/* A is open. A UNIX socket meets those of the other kind as well. */
static bool overlap(const struct binding *a, const struct binding *b)
{
	if (socket_is_unix(a->kind))
		return address_equal(&a->address, &b->address) &&
		       !listen_socket_lost_file(a->sockets[0]);
	return a->kind == b->kind && address_overlaps(&a->address, &b->address);
}

/* Port 0 of BINDING became a number, which its text does not show. */
static bool has_kept_number(const struct binding *binding)
{
	return binding->socket_count > 0 && !socket_is_unix(binding->kind) &&
	       address_port(&binding->written.parts[0]) == 0;
}

/* What a file asks for twice was refused with it, but for the number that port 0 became. */
static int refuse_twice(const struct socket_table *next, struct reason *reason)
{
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < next->count; i++) {
		const struct binding *zero = &next->bindings[i], *other = next->bindings;

		for (size_t n = 0; has_kept_number(zero) && n < next->count; n++, other++) {
			if (other == zero || other->kind != zero->kind ||
			    !address_equal(&other->address, &zero->address))
				continue;
			reason_set(reason,
				   "cannot listen on %s %s for [listener %s]: it is what port 0 of "
				   "[listener %s] became; choose another port, or restart",
				   socket_kind_names[zero->kind],
				   address_format(&zero->address, text), other->listener,
				   zero->listener);
			errno = EADDRINUSE;
			return -1;
		}
	}
	return 0;
}

/* Whether a probe would meet a socket of our own. */
static bool overlaps(const struct binding *wanted, const struct socket_table *held)
{
	for (size_t i = 0; held && i < held->count; i++) {
		if (overlap(&held->bindings[i], wanted))
			return true;
	}
	return false;
}

/* A host without IPv6 serves `*` and `localhost` over IPv4 alone, and logs that once. */
static bool absent(const struct binding *binding, bool *warned)
{
	if (!binding->optional || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
		return false;
	if (!*warned)
		log_warning("this host has no IPv6: serving IPv4 only");
	*warned = true;
	return true;
}

static void forget(struct socket_table *table, size_t index)
{
	table->count--;
	memmove(&table->bindings[index], &table->bindings[index + 1],
		(table->count - index) * sizeof(struct binding));
}

/*
 * A start with very many sockets takes seconds, and a stop must not wait for it. At a reload no
 * signal is pending: control takes them as they come.
 */
static bool told_to_stop(struct reason *reason)
{
	if (!signals_stop_pending())
		return false;
	reason_set(reason, "a signal arrived before all sockets were open");
	errno = EINTR;
	return true;
}

static int probe_all(struct socket_table *next, const struct socket_table *held,
		     struct reason *reason)
{
	bool warned = false;

	for (size_t i = 0; i < next->count;) {
		struct binding *binding = &next->bindings[i];
		bool ours = binding->socket_count > 0 || overlaps(binding, held);

		if (told_to_stop(reason))
			return -1;
		if (ours || listen_socket_probe(binding->kind, &binding->address, reason) == 0)
			i++;
		else if (absent(binding, &warned))
			forget(next, i);
		else
			return -1;
	}
	return 0;
}

static void close_binding(struct binding *binding)
{
	int error = errno;

	for (size_t i = 0; i < binding->socket_count; i++) {
		listen_socket_unlink(binding->sockets[i]);
		listen_socket_release(binding->sockets[i]);
	}
	binding->socket_count = 0;
	free(binding->sockets);
	binding->sockets = NULL;
	errno = error;
}

/* Opens one binding for every worker; a unix socket cannot be shared out and is opened once. */
static int open_binding(struct binding *binding, size_t workers, struct reason *reason)
{
	size_t count = socket_is_unix(binding->kind) ? 1 : workers;
	struct listen_socket **sockets = calloc(count, sizeof(struct listen_socket *));

	if (!sockets)
		return reason_set(reason, "no memory for %zu sockets", count);
	binding->sockets = sockets;
	for (size_t i = 0; i < count; i++) {
		sockets[i] = listen_socket_open(binding->kind, &binding->address, reason);
		if (!sockets[i])
			return -1;
		binding->socket_count++;
		binding->address = sockets[0]->address;
	}
	return 0;
}

/* Port 0: the first of a group got a number, and the others need the same one, if it is free. */
static int open_group_at(struct binding *group, size_t size, size_t workers, struct reason *reason)
{
	uint16_t port = 0;

	for (size_t i = 0; i < size; i++) {
		if (port != 0) {
			address_set_port(&group[i].address, port);
			if (listen_socket_probe(group[i].kind, &group[i].address, reason) < 0)
				return -1;
		}
		if (open_binding(&group[i], workers, reason) < 0)
			return -1;
		port = address_port(&group[i].address);
	}
	return 0;
}

static int open_group(struct binding *group, size_t size, size_t workers, struct reason *reason)
{
	for (int attempt = 0; attempt < PORT_TRIES; attempt++) {
		if (open_group_at(group, size, workers, reason) == 0)
			return 0;
		for (size_t i = 0; i < size; i++) {
			close_binding(&group[i]);
			address_set_port(&group[i].address, 0);
		}
		if (errno != EADDRINUSE)
			return -1;
	}
	return -1;
}

/* How many bindings from INDEX on share one number for their port 0; 1 for all others. */
static size_t group_size(const struct socket_table *next, size_t index)
{
	const struct binding *first = &next->bindings[index];
	size_t size = 1;

	if (socket_is_unix(first->kind) || address_port(&first->address) != 0)
		return 1;
	while (index + size < next->count && same_text(first, &next->bindings[index + size]))
		size++;
	return size;
}

static int open_one(struct binding *binding, const struct socket_table *held, size_t workers,
		    struct reason *reason)
{
	char text[ADDRESS_TEXT_MAX];

	if (binding->socket_count > 0 || open_binding(binding, workers, reason) == 0)
		return 0;
	if (errno == EADDRINUSE && overlaps(binding, held))
		reason_set(reason,
			   "cannot listen on %s %s: this process holds an address that overlaps, "
			   "opened as another user or for the other kind of unix socket; restart "
			   "to change to it",
			   socket_kind_names[binding->kind],
			   address_format(&binding->address, text));
	return -1;
}

static int open_all(struct socket_table *next, const struct socket_table *held, size_t workers,
		    struct reason *reason)
{
	size_t size;
	int result;

	for (size_t i = 0; i < next->count; i += size) {
		if (told_to_stop(reason))
			return -1;
		size = group_size(next, i);
		if (size > 1)
			result = open_group(&next->bindings[i], size, workers, reason);
		else
			result = open_one(&next->bindings[i], held, workers, reason);
		if (result < 0)
			return -1;
	}
	return 0;
}

void socket_table_discard(struct socket_table *next, const struct socket_table *held)
{
	int error = errno;

	if (!next)
		return;
	if (held)
		socket_table_subtract(next, held);
	socket_table_release(next);
	socket_table_free(next);
	errno = error;
}

struct socket_table *socket_table_open(const struct socket_table *held, const struct config *config,
				       size_t workers, struct reason *reason)
{
	struct socket_table *next = socket_table_wanted(config);

	if (!next || keep(next, held) < 0) {
		reason_set(reason, "no memory for the table of sockets");
		errno = ENOMEM;
	} else if (refuse_twice(next, reason) == 0 && probe_all(next, held, reason) == 0 &&
		   open_all(next, held, workers, reason) == 0) {
		return next;
	}
	socket_table_discard(next, held);
	return NULL;
}
