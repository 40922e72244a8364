/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* An echo server that answers when the test says so. It is no thread, and has one client. */

#pragma once

#include <stdbool.h>

#include "integration/net.h"

struct held_server {
	int listener; /* TCP: until the first message has come, then -1 */
	int fd;
	bool datagram;
	char target[32];
	struct datagram message; /* the latest */
};

/* TYPE is that of socket(2). */
void held_server_start(struct held_server *server, int type);

/* Waits for the next message: over TCP 64 bytes. */
void held_server_take(struct held_server *server);
void held_server_answer(const struct held_server *server);
