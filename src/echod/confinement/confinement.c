/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See confinement.h. */

#include "config.h"

#include "echod/confinement/confinement.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "daemon/log.h"
#include "daemon/sandbox/call_filter.h"
#include "daemon/sandbox/file_access.h"
#include "daemon/sandbox/refused_call.h"
#include "echod/config/configuration.h"
#include "echod/confinement/system_calls.h"

struct access_list {
	struct file_access *items; /* owned, as their directories */
	size_t count;
};

/* Appends the directory of the file PATH. -1 without memory. */
static int add_directory_of(struct access_list *list, const char *path, int may)
{
	struct file_access *items =
		reallocarray(list->items, list->count + 1, sizeof(struct file_access));
	const char *slash = strrchr(path, '/');
	char *directory;

	if (!items)
		return -1;
	list->items = items;
	if (asprintf(&directory, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".") <
	    0)
		return -1;
	items[list->count++] = (struct file_access){directory, may};
	return 0;
}

/* Also that of the file that a link stands for. */
static int add_file(struct access_list *list, const char *path)
{
	char target[PATH_MAX];

	if (realpath(path, target) && add_directory_of(list, target, MAY_READ) < 0)
		return -1;
	return add_directory_of(list, path, MAY_READ);
}

static int add_listener(struct access_list *list, const struct listener_config *listener)
{
	if (listener->stamp_key.path[0] != '\0' && add_file(list, listener->stamp_key.path) < 0)
		return -1;
	for (size_t i = 0; i < listener->addresses.count; i++) {
		const struct listen_address *address = &listener->addresses.items[i];

		if (address->kind != ADDRESS_INET &&
		    add_directory_of(list, address->parts[0].un.sun_path, MAY_KEEP_SOCKETS) < 0)
			return -1;
	}
	return 0;
}

/* The users that a reload may name are looked up in /etc. */
static int fill(struct access_list *list, const struct config *config, const char *file)
{
	if (add_directory_of(list, "/etc/", MAY_READ) < 0 || add_file(list, file) < 0)
		return -1;
	for (size_t i = 0; i < config->listener_count; i++) {
		if (add_listener(list, &config->listeners[i]) < 0)
			return -1;
	}
	return 0;
}

static void clear(struct access_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((char *)list->items[i].directory);
	free(list->items);
}

/* 0 if echod can do without what failed for ERROR. */
static int judge(enum sandbox sandbox, const char *what, int error, struct reason *reason)
{
	if (sandbox == SANDBOX_KILL)
		return reason_set(reason, "sandbox = kill: %s: %s", what, strerror(error));
	if (error == ENOSYS || error == EOPNOTSUPP)
		log_info("sandbox: this kernel has no %s", what);
	else
		log_warning("sandbox: not confined by %s: %s", what, strerror(error));
	return 0;
}

int confine_files(const struct config *config, const char *file, struct reason *reason)
{
	enum sandbox sandbox = (enum sandbox)config->server.sandbox;
	struct access_list list = {0};
	int result, error;

	if (sandbox == SANDBOX_NO)
		return 0;
	result = fill(&list, config, file);
	if (result == 0)
		result = file_access_limit(list.items, list.count);
	error = errno;
	clear(&list);
	return result == 0 ? 0 : judge(sandbox, "Landlock", error, reason);
}

static int filter(enum sandbox sandbox, const struct call_list *allowed,
		  const struct call_list *vain, struct reason *reason)
{
	if (call_filter_apply(allowed, vain, sandbox == SANDBOX_KILL) == 0)
		return 0;
	return judge(sandbox, "seccomp", errno, reason);
}

int confine_worker(enum sandbox sandbox, struct reason *reason)
{
	if (sandbox == SANDBOX_NO)
		return 0;
	return filter(sandbox, &worker_calls, &vain_worker_calls, reason);
}

int confine_control(enum sandbox sandbox, int bell, struct reason *reason)
{
	const struct call_list none = {0};
	int calls[CALLS_MAX];
	const struct call_list all = {calls, worker_calls.count + control_calls.count};

	if (sandbox == SANDBOX_NO)
		return 0;
	refused_call_ring(bell);
	memcpy(calls, worker_calls.calls, worker_calls.count * sizeof(int));
	memcpy(calls + worker_calls.count, control_calls.calls, control_calls.count * sizeof(int));
	return filter(sandbox, &all, &none, reason);
}

void confinement_report(void)
{
	static bool reported;

	if (reported || refused_calls() == 0)
		return;
	reported = true;
	log_warning("sandbox: system call %d was refused: please report it; sandbox = no allows it "
		    "for now",
		    refused_call_first());
}

void confinement_end(void)
{
	refused_call_ring(-1);
}
