/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See socket_table.h: the table and its use. How the sockets are opened is in opening.c. */

#include "config.h"

#include "echod/sockets/socket_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "echod/sockets/socket_options.h"

static void binding_clear(struct binding *binding)
{
	for (size_t i = 0; i < binding->socket_count; i++)
		listen_socket_release(binding->sockets[i]);
	free(binding->sockets);
	binding->sockets = NULL;
	binding->socket_count = 0;
}

void socket_table_free(struct socket_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->count; i++)
		binding_clear(&table->bindings[i]);
	free(table->bindings);
	free(table);
}

static enum socket_kind kind_of(const struct handed_socket *handed)
{
	bool is_unix = handed->address.sa.sa_family == AF_UNIX;

	if (handed->kind == HANDED_STREAM)
		return is_unix ? SOCKET_UNIX : SOCKET_TCP;
	return is_unix ? SOCKET_UNIXGRAM : SOCKET_UDP;
}

/*
 * Sockets that share an address (ReusePort=yes, and a line of the unit repeated) share a binding.
 */
static struct binding *binding_for(struct socket_table *table, const struct handed_socket *handed)
{
	enum socket_kind kind = kind_of(handed);
	struct binding *binding = table->bindings;

	for (size_t i = 0; handed->shares_address && i < table->count; i++, binding++) {
		if (binding->kind == kind && strcmp(binding->listener, handed->name) == 0 &&
		    address_equal(&binding->address, &handed->address))
			return binding;
	}
	binding = &table->bindings[table->count++];
	binding->kind = kind;
	memcpy(binding->listener, handed->name, sizeof(binding->listener));
	binding->address = handed->address;
	return binding;
}

static int adopt_one(struct binding *binding, const struct handed_socket *handed,
		     struct reason *reason)
{
	struct listen_socket **sockets = reallocarray(binding->sockets, binding->socket_count + 1,
						      sizeof(struct listen_socket *));

	if (!sockets)
		return reason_set(reason, "no memory for the sockets handed over");
	binding->sockets = sockets;
	sockets[binding->socket_count] = listen_socket_adopt(handed->fd, binding->kind, reason);
	if (!sockets[binding->socket_count])
		return -1;
	binding->socket_count++;
	return 0;
}

struct socket_table *socket_table_adopt(const struct handed_socket *handed, size_t count,
					struct reason *reason)
{
	struct socket_table *table = calloc(1, sizeof(*table));

	if (!table || (table->bindings = calloc(count, sizeof(struct binding))) == NULL) {
		reason_set(reason, "no memory for the sockets handed over");
		free(table);
		return NULL;
	}
	table->handed = true;
	for (size_t i = 0; i < count; i++) {
		if (adopt_one(binding_for(table, &handed[i]), &handed[i], reason) < 0) {
			socket_table_free(table);
			return NULL;
		}
	}
	return table;
}

int socket_table_check_modes(const struct socket_table *table, const struct config *config,
			     struct reason *reason)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct binding *binding = &table->bindings[i];
		const struct listener_config *listener = config_listener(config, binding->listener);
		char text[ADDRESS_TEXT_MAX];

		if (!listener)
			listener = &config->defaults;
		if (listener->mode == MODE_ECHO || binding->kind == SOCKET_UDP)
			continue;
		return reason_set(reason,
				  "the %s socket %s that was handed over has the settings of "
				  "%s, whose mode = %s is UDP only: give it the name of another "
				  "listener (FileDescriptorName=)",
				  socket_kind_names[binding->kind],
				  address_format(&binding->address, text), listener->name,
				  mode_names[listener->mode]);
	}
	return 0;
}

/* Compares sockets, for the same address may have been opened again. */
static bool has_socket(const struct socket_table *table, const struct binding *wanted)
{
	for (size_t i = 0; table && i < table->count; i++) {
		const struct binding *binding = &table->bindings[i];

		if (binding->socket_count > 0 && wanted->socket_count > 0 &&
		    binding->sockets[0] == wanted->sockets[0])
			return true;
	}
	return false;
}

static bool has_address(const struct socket_table *table, const struct binding *wanted)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct binding *binding = &table->bindings[i];

		if (binding->kind == wanted->kind &&
		    address_equal(&binding->address, &wanted->address))
			return true;
	}
	return false;
}

void socket_table_subtract(struct socket_table *held, const struct socket_table *next)
{
	size_t left = 0;

	for (size_t i = 0; i < held->count; i++) {
		if (has_socket(next, &held->bindings[i]))
			binding_clear(&held->bindings[i]);
		else
			held->bindings[left++] = held->bindings[i];
	}
	held->count = left;
}

void socket_table_retire(const struct socket_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct binding *binding = &table->bindings[i];

		for (size_t n = 0; n < binding->socket_count; n++)
			listen_socket_retire(binding->sockets[n]);
	}
}

void socket_table_release(struct socket_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct binding *binding = &table->bindings[i];

		if (socket_is_unix(binding->kind) && binding->socket_count > 0)
			listen_socket_unlink(binding->sockets[0]);
		binding_clear(binding);
	}
}

/* Those of several addresses begin with different workers. */
static size_t first_worker(const struct socket_table *table, size_t index)
{
	size_t sockets = 0;

	for (size_t i = 0; i < index; i++) {
		if (!socket_is_stream(table->bindings[i].kind))
			sockets += table->bindings[i].socket_count;
	}
	return sockets;
}

bool socket_table_assigns(const struct socket_table *table, size_t index, size_t socket,
			  size_t worker, size_t workers)
{
	const struct binding *binding = &table->bindings[index];
	size_t count = binding->socket_count;

	/* All of unix are read by the same one, whatever a reload changes: it knows the names. */
	if (binding->kind == SOCKET_UNIXGRAM)
		return worker == 0;
	if (count >= workers)
		return socket % workers == worker;
	if (socket_is_stream(binding->kind))
		return worker % count == socket;
	/* Two threads reading one datagram socket would reorder a flow. */
	return (first_worker(table, index) + socket) % workers == worker;
}

void socket_table_announce(const struct socket_table *table, const struct socket_table *held)
{
	char text[ADDRESS_TEXT_MAX];
	bool small = false;

	for (size_t i = 0; i < table->count; i++) {
		const struct binding *binding = &table->bindings[i];

		if (has_socket(held, binding))
			continue;
		log_notice("listening on %s %s", socket_kind_names[binding->kind],
			   address_format(&binding->address, text));
		small |= socket_options_buffers_small(binding->sockets[0]->fd, binding->kind);
	}
	if (small)
		log_notice("the kernel grants UDP sockets less than 4 MiB of buffer, bursts may be "
			   "lost: raise net.core.rmem_max and net.core.wmem_max");
}

void socket_table_announce_gone(const struct socket_table *gone, const struct socket_table *next)
{
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < gone->count; i++) {
		if (!has_address(next, &gone->bindings[i]))
			log_notice("stopped serving %s %s",
				   socket_kind_names[gone->bindings[i].kind],
				   address_format(&gone->bindings[i].address, text));
	}
}

void socket_table_refuse_ports(const struct socket_table *table, struct guard_ports *ports)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->bindings[i].kind == SOCKET_UDP)
			guard_ports_refuse(ports, address_port(&table->bindings[i].address));
	}
}

size_t socket_table_sockets(const struct socket_table *table)
{
	size_t sockets = 0;

	for (size_t i = 0; i < table->count; i++)
		sockets += table->bindings[i].socket_count;
	return sockets;
}

uint64_t socket_table_drops(const struct socket_table *table)
{
	uint64_t drops = listen_socket_drops_of_closed();

	for (size_t i = 0; i < table->count; i++) {
		const struct binding *binding = &table->bindings[i];

		for (size_t n = 0; n < binding->socket_count; n++) {
			if (binding->kind == SOCKET_UDP)
				drops += listen_socket_drops(binding->sockets[n]);
		}
	}
	return drops;
}
