/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See held_server.h. */

#include "config.h"

#include "integration/held_server.h"

#include "integration/handover.h"
#include "integration/harness.h"

#define MESSAGE_SIZE 64

void held_server_start(struct held_server *server, int type)
{
	struct address any = at("127.0.0.1", 0);

	server->datagram = type == SOCK_DGRAM;
	server->listener = -1;
	server->fd = server->datagram ? datagram_socket("127.0.0.1") : new_socket(&any, type);
	if (!server->datagram) {
		ck_assert_int_eq(bind(server->fd, &any.sa, any.length), 0);
		ck_assert_int_eq(listen(server->fd, 1), 0);
		server->listener = server->fd;
	}
	snprintf(server->target, sizeof(server->target), "127.0.0.1:%u", port_bound_to(server->fd));
}

void held_server_take(struct held_server *server)
{
	if (server->datagram) {
		receive_datagram(server->fd, &server->message);
		return;
	}
	if (server->listener >= 0) {
		server->fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		ck_assert_int_ge(server->fd, 0);
		close(server->listener);
		server->listener = -1;
	}
	server->message.size = MESSAGE_SIZE;
	recv_exact(server->fd, server->message.data, server->message.size);
}

void held_server_answer(const struct held_server *server)
{
	if (server->datagram)
		send_datagram(server->fd, &server->message.from, server->message.data,
			      server->message.size);
	else
		send_all(server->fd, server->message.data, server->message.size);
}
