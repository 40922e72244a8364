/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Takes a configuration file into memory, if it is a file of sensible size. Owns its descriptor
 * while it reads. Called by settings_load.
 */

#include "config.h"

#include "daemon/settings/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A hint for the error, if there is one. */
static const char *advice(int error)
{
	switch (error) {
	case EACCES:
		return ": the user that the daemon runs as must be able to read it";
	case EMFILE:
		return ": raise LimitNOFILE= (ulimit -n)";
	default:
		return "";
	}
}

static const char *kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a fifo";
	return "a device"; /* open follows links and refuses sockets, so nothing else remains */
}

/* Requests one byte more than the limit, to detect larger files. */
static int read_all(int fd, size_t max, char *text, size_t *length, struct reason *reason)
{
	ssize_t got;

	*length = 0;
	do {
		got = read(fd, text + *length, max + 1 - *length);
		if (got < 0)
			return reason_set(reason, "cannot read: %s", strerror(errno));
		*length += (size_t)got;
	} while (got > 0 && *length <= max);
	if (*length > max)
		return reason_set(reason, "is larger than %zu bytes, the maximum", max);
	return 0;
}

static int read_regular(int fd, size_t max, char **text, size_t *length, struct reason *reason)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return reason_set(reason, "cannot stat: %s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return reason_set(reason, "is %s, not a file", kind_of(status.st_mode));
	*text = malloc(max + 1);
	if (!*text)
		return reason_set(reason, "cannot read: not enough memory");
	if (read_all(fd, max, *text, length, reason) < 0) {
		free(*text);
		*text = NULL;
		return -1;
	}
	return 0;
}

enum config_file config_file_read(const char *path, size_t max, char **text, size_t *length,
				  struct reason *reason)
{
	/* O_NONBLOCK: opening a FIFO without a writer would block. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int status;

	if (fd < 0 && errno == ENOENT) {
		(void)reason_set(reason, "not found: create it, or name another with -c");
		return CONFIG_FILE_MISSING;
	}
	if (fd < 0) {
		(void)reason_set(reason, "cannot open: %s%s", strerror(errno), advice(errno));
		return CONFIG_FILE_BAD;
	}
	status = read_regular(fd, max, text, length, reason);
	(void)close(fd);
	return status < 0 ? CONFIG_FILE_BAD : CONFIG_FILE_READ;
}
