/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See unix_socket.h. Called by listen_socket.c; owns nothing. */

#include "config.h"

#include "echod/sockets/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log.h"

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

/* Only connecting shows whether a socket file is in use. 0: it is not; -1 with errno. */
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

/* A socket file that is no longer in use may be replaced. */
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

/* Replaces a file that is not in use. Mode 0666: the directory decides who may connect. */
static int bind_file(int fd, int type, const struct address *address, const char **step)
{
	mode_t mask;
	int result;

	if (remove_stale(type, address, step) < 0)
		return -1;
	*step = "bind";
	mask = umask(0111);
	result = bind(fd, &address->sa, address->length);
	umask(mask);
	return result;
}

static void note_file(struct unix_file *file, const char *path)
{
	struct stat status;

	if (lstat(path, &status) == 0)
		*file = (struct unix_file){status.st_dev, status.st_ino};
}

/* Under the lock: until it listens, another daemon would take it for a stale one. */
static int bind_and_listen(int fd, int type, const struct address *address, struct unix_file *file,
			   const char **step)
{
	int error;

	if (bind_file(fd, type, address, step) < 0)
		return -1;
	*step = "listen";
	if (type != SOCK_STREAM || listen(fd, SOMAXCONN) == 0) {
		note_file(file, address->un.sun_path);
		return 0;
	}
	error = errno;
	(void)unlink(address->un.sun_path);
	errno = error;
	return -1;
}

int unix_socket_open(int type, const struct address *address, struct unix_file *file,
		     const char **step)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int lock, result, error;

	*step = "socket";
	if (fd < 0)
		return -1;
	lock = unix_socket_lock(address);
	result = bind_and_listen(fd, type, address, file, step);
	error = errno;
	if (lock >= 0)
		close(lock);
	if (result < 0)
		close(fd);
	errno = error;
	return result < 0 ? -1 : fd;
}

static bool is_same(const struct unix_file *file, const struct stat *status)
{
	return status->st_dev == file->device && status->st_ino == file->inode;
}

bool unix_file_is_lost(const struct unix_file *file, const struct address *address)
{
	struct stat status;

	if (lstat(address->un.sun_path, &status) < 0)
		return errno == ENOENT;
	return !is_same(file, &status);
}

void unix_file_remove(const struct unix_file *file, const struct address *address)
{
	const char *path = address->un.sun_path;
	struct stat status;

	if (lstat(path, &status) < 0 || !is_same(file, &status) || unlink(path) == 0)
		return;
	log_warning("cannot remove %s, which nobody serves any more: %s (its directory should "
		    "belong to the user that echod runs as)",
		    path, strerror(errno));
}

const char *unix_socket_advice(int error)
{
	switch (error) {
	case EEXIST:
		return ": it is no socket, and stays; choose another path";
	case ENOENT:
		return ": its directory is missing";
	case EACCES:
		return ": the user that echod runs as may not write to its directory, or its "
		       "sandbox was made without it: a restart takes it in";
	case EPERM:
		return ": another user left a file there; remove it, or choose a directory that "
		       "belongs to the user that echod runs as";
	default:
		return "";
	}
}
