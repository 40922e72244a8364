/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Handed sockets and several workers: which loop watches which socket, as the kernel shows it in
 * /proc/PID/fdinfo.
 */

#include "config.h"

#include <dirent.h>

#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

#define FIRST_FD 3
#define LOOPS_MAX 32
#define CLIENTS 24

/* What the loops of a daemon watch: a bit for each handed socket. */
struct watches {
	int loops[LOOPS_MAX]; /* their descriptors */
	unsigned sockets[LOOPS_MAX];
	size_t count;
};

static bool is_loop(const struct echod *echod, const char *fd)
{
	char path[300], target[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)echod_pid(echod), fd);
	return readlink(path, target, sizeof(target) - 1) > 0 &&
	       strstr(target, "[eventpoll]") != NULL;
}

static unsigned watched_by(const struct echod *echod, const char *fd, size_t handed)
{
	char path[300], line[256];
	unsigned sockets = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)echod_pid(echod), fd);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		size_t watched;

		if (sscanf(line, "tfd: %zu", &watched) == 1 && watched >= FIRST_FD &&
		    watched < FIRST_FD + handed)
			sockets |= 1U << (watched - FIRST_FD);
	}
	fclose(file);
	return sockets;
}

/* Without those of loops that watch none, such as control's. */
static struct watches watches_of(const struct echod *echod, size_t handed)
{
	struct watches watches = {.count = 0};
	struct dirent *entry;
	char path[64];
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)echod_pid(echod));
	fds = opendir(path);
	ck_assert_ptr_nonnull(fds);
	while ((entry = readdir(fds)) != NULL) {
		unsigned sockets = is_loop(echod, entry->d_name)
					   ? watched_by(echod, entry->d_name, handed)
					   : 0;

		if (sockets == 0)
			continue;
		ck_assert_uint_lt(watches.count, LOOPS_MAX);
		watches.loops[watches.count] = atoi(entry->d_name);
		watches.sockets[watches.count++] = sockets;
	}
	closedir(fds);
	return watches;
}

/* How many loops watch each socket is EACH; they are LOOPS in all. */
static void expect_watched(const struct watches *watches, size_t handed, unsigned each,
			   size_t loops)
{
	for (size_t socket = 0; socket < handed; socket++) {
		unsigned watchers = 0;

		for (size_t i = 0; i < watches->count; i++)
			watchers += watches->sockets[i] >> socket & 1;
		ck_assert_uint_eq(watchers, each);
	}
	ck_assert_uint_eq(watches->count, loops);
}

static const struct {
	size_t sockets, workers;
	size_t loops; /* that have one or more of them */
} groups[] = {{4, 2, 2}, {2, 8, 2}, {4, 4, 4}, {3, 2, 2}, {1, 4, 1}};

static struct echod *start_group(struct handover *handover, int type, size_t workers)
{
	char config[64];

	shared_sockets("127.0.0.1", type, handover->fds, handover->count);
	snprintf(config, sizeof(config), "[server]\nworkers = %zu\n", workers);
	return start_with(handover, config);
}

static void reload(struct echod *echod, size_t workers)
{
	char config[128];

	snprintf(config, sizeof(config), "[server]\nworkers = %zu\n[defaults]\nudp_rate = 9999\n",
		 workers);
	echod_reload(echod, config);
}

TEST_EACH(each_datagram_socket_of_an_address_has_one_worker_over_reloads_too, ARRAY_SIZE(groups))
{
	struct handover handover = {.count = groups[_i].sockets};
	struct echod *echod = start_group(&handover, SOCK_DGRAM, groups[_i].workers);
	struct watches before = watches_of(echod, handover.count), after;
	uint16_t port = port_bound_to(handover.fds[0]);

	expect_watched(&before, handover.count, 1, groups[_i].loops);
	ck_assert_uint_eq(echod_log_count(echod, "listening on udp"), 1);
	reload(echod, groups[_i].workers);
	after = watches_of(echod, handover.count);
	ck_assert_mem_eq(&before, &after, sizeof(before));
	for (int i = 0; i < CLIENTS; i++) {
		int fd = datagram_socket("127.0.0.1");

		expect_datagram_echo(fd, "127.0.0.1", port, "spread", 6);
		close(fd);
	}
	echod_stop(echod);
}

/* At rest. A watch that is being passed on is nobody's for a moment. */
static bool is_watched_once(const struct echod *echod, size_t handed)
{
	struct watches watches = watches_of(echod, handed);
	unsigned all = 0, twice = 0;

	for (size_t i = 0; i < watches.count; i++) {
		twice |= all & watches.sockets[i];
		all |= watches.sockets[i];
	}
	ck_assert_uint_eq(twice, 0);
	return all == (1U << handed) - 1;
}

TEST_EACH(each_listening_socket_of_an_address_is_watched_by_one_worker_at_a_time,
	  ARRAY_SIZE(groups))
{
	struct handover handover = {.count = groups[_i].sockets};
	struct echod *echod = start_group(&handover, SOCK_STREAM, groups[_i].workers);
	uint16_t port = port_bound_to(handover.fds[0]);
	int clients[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = connect_to("127.0.0.1", port);
		expect_echo(clients[i], "spread", 6);
		WAIT_UNTIL(is_watched_once(echod, handover.count));
		if (i == CLIENTS / 2)
			reload(echod, groups[_i].workers);
	}
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
	echod_stop(echod);
}
