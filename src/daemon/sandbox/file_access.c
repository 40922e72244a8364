/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See file_access.h. What Landlock can forbid grew with the kernel: as much is asked of it as this
 * one has. The structures and bits are ours, since the headers may be older than the kernel.
 */

#include "config.h"

#include "daemon/sandbox/file_access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"

/* The same numbers on every machine. */
#define CALL_CREATE_RULESET 444
#define CALL_ADD_RULE 445
#define CALL_RESTRICT_SELF 446

#define VERSION_FLAG 1U
#define RULE_PATH_BENEATH 1

enum {
	READ_FILE = 1 << 2,
	READ_DIRECTORY = 1 << 3,
	REMOVE_FILE = 1 << 5,
	MAKE_SOCKET = 1 << 9,
	CONNECT_TCP = 1 << 1,
	SCOPE_SIGNAL = 1 << 1,
};

struct ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scopes;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* The first version of each; the size is what its kernels know. */
static const struct {
	int version;
	size_t size;
	struct ruleset ruleset;
} versions[] = {
	{6, 24, {0xffff, CONNECT_TCP, SCOPE_SIGNAL}},
	{5, 16, {0xffff, CONNECT_TCP, 0}},
	{4, 16, {0x7fff, CONNECT_TCP, 0}},
	{3, 8, {0x7fff, 0, 0}},
	{2, 8, {0x3fff, 0, 0}},
	{1, 8, {0x1fff, 0, 0}},
};

static int make_ruleset(void)
{
	long version = syscall(CALL_CREATE_RULESET, NULL, 0, VERSION_FLAG);
	size_t i = 0;

	if (version < 0)
		return -1;
	while (i + 1 < ARRAY_SIZE(versions) && versions[i].version > version)
		i++;
	return (int)syscall(CALL_CREATE_RULESET, &versions[i].ruleset, versions[i].size, 0);
}

static int add_rule(int ruleset, const struct file_access *access)
{
	struct path_rule rule = {.fd = open(access->directory, O_PATH | O_CLOEXEC)};
	int result;

	if (rule.fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -1;
	if (access->may & MAY_READ)
		rule.allowed |= READ_FILE | READ_DIRECTORY;
	if (access->may & MAY_KEEP_SOCKETS)
		rule.allowed |= READ_DIRECTORY | REMOVE_FILE | MAKE_SOCKET;
	result = (int)syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
	close(rule.fd);
	return result;
}

static int add_rules(int ruleset, const struct file_access *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (add_rule(ruleset, &list[i]) < 0)
			return -1;
	}
	return 0;
}

int file_access_limit(const struct file_access *list, size_t count)
{
	int ruleset = make_ruleset();
	int result, error;

	if (ruleset < 0)
		return -1;
	result = add_rules(ruleset, list, count);
	if (result == 0)
		result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (result == 0)
		result = (int)syscall(CALL_RESTRICT_SELF, ruleset, 0);
	error = errno;
	close(ruleset);
	errno = error;
	return result;
}
