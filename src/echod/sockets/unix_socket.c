/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See unix_socket.h. Called by listen_socket.c; owns nothing. */

#include "config.h"

#include "echod/sockets/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* An echod holds the lock for less than a millisecond. */
#define TRIES 20
static const struct timespec pause_between = {.tv_nsec = 10 * 1000 * 1000};

int unix_socket_lock(const struct address *address)
{
	char directory[sizeof(address->un.sun_path)];
	int fd;

	(void)snprintf(directory, sizeof(directory), "%s", address->un.sun_path);
	strrchr(directory, '/')[1] = '\0'; /* every path starts with one */
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			break;
		(void)nanosleep(&pause_between, NULL);
	}
	return fd;
}

/* Whether somebody serves a socket file, only connecting tells. 0: nobody; -1 with errno. */
static int probe(int type, const struct address *address, const char **step)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool stale;

	*step = "socket";
	if (fd < 0)
		return -1;
	*step = "connect";
	stale = connect(fd, &address->sa, address->length) < 0 && errno == ECONNREFUSED;
	close(fd);
	errno = EADDRINUSE;
	return stale ? 0 : -1;
}

/* A socket file that nobody serves any more may be replaced. */
static int remove_stale(int type, const struct address *address, const char **step)
{
	struct stat status;

	*step = "lstat";
	if (lstat(address->un.sun_path, &status) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(status.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	if (probe(type, address, step) < 0)
		return -1;
	*step = "unlink";
	return unlink(address->un.sun_path);
}

int unix_socket_bind(int fd, int type, const struct address *address, const char **step)
{
	mode_t mask;
	int result;

	if (remove_stale(type, address, step) < 0)
		return -1;
	*step = "bind";
	mask = umask(0111); /* mode 0666: the directory decides who may connect */
	result = bind(fd, &address->sa, address->length);
	umask(mask);
	return result;
}
