/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See cpu_quota.h. What is missing or makes no sense is no quota: a container may see the path of
 * its group on the host, and not the directory.
 */

#include "config.h"

#include "base/cpu_quota.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"

/* Two numbers, and what is between them. */
#define QUOTA_MAX 64

/* "ID:CONTROLLERS:PATH\n" */
#define LINE_SIZE (PATH_MAX + 512)

typedef uint64_t read_quota(const char *directory);

/* The first line of a file in a directory; false if there is none. */
static bool read_line(const char *directory, const char *name, char line[static QUOTA_MAX])
{
	char path[PATH_MAX + QUOTA_MAX];
	ssize_t length;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, line, QUOTA_MAX - 1);
	close(fd);
	if (length < 0)
		return false;
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* No quota is "max" or -1, both of which are no number. */
static uint64_t cpus_of(const char *quota, const char *period)
{
	struct reason ignored;
	uint64_t time, each;

	if (parse_unsigned(quota, 0, UINT64_MAX, &time, &ignored) < 0 ||
	    parse_unsigned(period, 1, UINT64_MAX, &each, &ignored) < 0)
		return 0;
	return time == 0 ? 1 : time / each + (time % each != 0);
}

static uint64_t read_v1(const char *directory)
{
	char quota[QUOTA_MAX], period[QUOTA_MAX];

	if (!read_line(directory, "cpu.cfs_quota_us", quota) ||
	    !read_line(directory, "cpu.cfs_period_us", period))
		return 0;
	return cpus_of(quota, period);
}

static uint64_t read_v2(const char *directory)
{
	char quota[QUOTA_MAX], *period;

	if (!read_line(directory, "cpu.max", quota))
		return 0;
	period = strchr(quota, ' ');
	if (!period)
		return 0;
	*period++ = '\0';
	return cpus_of(quota, period);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

/* From the group PATH of the hierarchy at ROOT/NAME up to its root. */
static uint64_t least_upwards(const char *root, const char *name, const char *path,
			      read_quota *read)
{
	char directory[PATH_MAX];
	int top = snprintf(directory, sizeof(directory), "%s/%s", root, name);
	int length = snprintf(directory, sizeof(directory), "%s/%s%s", root, name, path);
	uint64_t least = 0;

	if (path[0] != '/' || length >= (int)sizeof(directory))
		return 0;
	for (;;) {
		least = smaller(least, read(directory));
		if (strlen(directory) <= (size_t)top)
			return least;
		*strrchr(directory, '/') = '\0';
	}
}

static bool has_word(const char *list, const char *word)
{
	size_t length;

	for (;; list += length + 1) {
		length = strcspn(list, ",");
		if (length == strlen(word) && strncmp(list, word, length) == 0)
			return true;
		if (list[length] == '\0')
			return false;
	}
}

/* A hierarchy of version 1 is mounted under the list of its controllers, the other at the root. */
static uint64_t quota_of(char *line, const char *root)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return 0;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	controllers++;
	if (controllers[0] == '\0')
		return least_upwards(root, "", path, read_v2);
	if (!has_word(controllers, "cpu"))
		return 0;
	return smaller(least_upwards(root, controllers, path, read_v1),
		       least_upwards(root, "cpu", path, read_v1));
}

uint64_t cpu_quota(const char *groups, const char *root)
{
	char line[LINE_SIZE];
	uint64_t least = 0;
	FILE *file = fopen(groups, "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		least = smaller(least, quota_of(line, root));
	(void)fclose(file);
	return least;
}
