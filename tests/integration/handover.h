/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a service manager does for socket activation: making sockets, handing them to an echod. */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "integration/process.h"

#define HANDED_MAX 8

struct handover {
	int fds[HANDED_MAX];
	size_t count;
	const char *names; /* LISTEN_FDNAMES; NULL: none */
	const char *pid;   /* LISTEN_PID; NULL: the right one */
};

/* For the prepare of a setup, with the handover as its argument. */
void hand_over(void *handover);

/* An echod that serves these, with READY=1. */
struct echod *start_with(struct handover *handover, const char *config);

/* Sockets bound to HOST as systemd makes them: an IPv6 one carries IPv4 as well. */
int bound_socket(const char *host, int type);
int listening_socket(const char *host);

/* COUNT of one address, as with ReusePort=yes; streams listen. */
void shared_sockets(const char *host, int type, int *fds, size_t count);
