/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See handover.h. */

#include "config.h"

#include "integration/handover.h"

#include "integration/harness.h"
#include "integration/net.h"

#define FIRST_FD 3

/* Where descriptors are out of the way of those that are handed over. */
#define ABOVE_ALL 100

/* Runs in the child that becomes echod. */
void hand_over(void *arg)
{
	const struct handover *handover = arg;
	int parked[HANDED_MAX];
	char text[16];

	for (size_t i = 0; i < handover->count; i++)
		parked[i] = fcntl(handover->fds[i], F_DUPFD, ABOVE_ALL);
	for (size_t i = 0; i < handover->count; i++) {
		dup2(parked[i], FIRST_FD + (int)i);
		close(parked[i]);
	}
	snprintf(text, sizeof(text), "%zu", handover->count);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", handover->pid != NULL ? handover->pid : text, 1);
	if (handover->names != NULL)
		setenv("LISTEN_FDNAMES", handover->names, 1);
}

struct echod *start_with(struct handover *handover, const char *config)
{
	struct echod_setup setup = {.config = config, .prepare = hand_over, .arg = handover};

	return echod_start_with(&setup);
}

int bound_socket(const char *host, int type)
{
	struct address address = at(host, 0);
	int fd = new_socket(&address, type), no = 0;

	if (address.sa.sa_family == AF_INET6)
		ck_assert_int_eq(setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &no, sizeof(no)), 0);
	ck_assert_int_eq(bind(fd, &address.sa, address.length), 0);
	return fd;
}

int listening_socket(const char *host)
{
	int fd = bound_socket(host, SOCK_STREAM);

	ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}

void shared_sockets(const char *host, int type, int *fds, size_t count)
{
	struct address address = at(host, 0);
	int yes = 1;

	for (size_t i = 0; i < count; i++) {
		fds[i] = new_socket(&address, type);
		ck_assert_int_eq(setsockopt(fds[i], SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)),
				 0);
		ck_assert_int_eq(bind(fds[i], &address.sa, address.length), 0);
		ck_assert_int_eq(getsockname(fds[i], &address.sa, &address.length), 0);
		if (type == SOCK_STREAM)
			ck_assert_int_eq(listen(fds[i], 64), 0);
	}
}
