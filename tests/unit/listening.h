/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* For tests of listening sockets: one opened where the test wants it, and why one was not. */

#pragma once

#include "echod/sockets/listen_socket.h"
#include "integration/harness.h"
#include "integration/net.h"

static struct reason reason;

static inline struct listen_socket *open_at(enum socket_kind kind, const char *host, uint16_t port)
{
	struct address address = at(host, port);
	struct listen_socket *socket = listen_socket_open(kind, &address, &reason);

	ck_assert_msg(socket != NULL, "%s", reason.text);
	return socket;
}

static inline uint16_t port_of(const struct listen_socket *socket)
{
	return address_port(&socket->address);
}
