/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The part of process.h that tells what an echod says, and what the kernel says, in figures. */

#include "config.h"

#include <dirent.h>

#include "integration/harness.h"
#include "integration/process.h"

uint16_t echod_port(struct echod *echod, const char *where)
{
	const char *line = echod_log(echod);
	unsigned long port = 0;
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "listening on %s:", where);
	while ((line = strstr(line, wanted)) != NULL) {
		line += strlen(wanted);
		port = strtoul(line, NULL, 10);
	}
	return (uint16_t)port;
}

uint16_t port_of(struct echod *echod)
{
	static const char *const places[] = {"tcp 127.0.0.1", "udp 127.0.0.1", "tcp 0.0.0.0"};
	uint16_t port = 0;

	for (size_t i = 0; port == 0 && i < ARRAY_SIZE(places); i++)
		port = echod_port(echod, places[i]);
	ck_assert_msg(port != 0, "it listens nowhere: %s", echod_log(echod));
	return port;
}

/* Every line of counters begins with this one. */
static const char figures_mark[] = "tcp_connections=";

/* The last line of them; the log it is part of is good until asked for again. */
static const char *last_figures(const char *log)
{
	const char *line = NULL;

	for (const char *next = log; (next = strstr(next, figures_mark)) != NULL; next++)
		line = next;
	return line;
}

uint64_t echod_counter(struct echod *echod, const char *name)
{
	size_t before = echod_log_count(echod, figures_mark);
	const char *line, *end, *found;
	char wanted[64];

	snprintf(wanted, sizeof(wanted), " %s=", name);
	echod_signal(echod, SIGUSR1);
	do {
		WAIT_UNTIL(echod_log_count(echod, figures_mark) > before);
		line = last_figures(echod_log(echod));
		end = strchr(line, '\n');
	} while (end == NULL);
	found = strstr(line - 1, wanted);
	ck_assert_msg(found != NULL && found < end, "there is no counter %s", name);
	return strtoull(found + strlen(wanted), NULL, 10);
}

void echod_wait_counter(struct echod *echod, const char *name, uint64_t value)
{
	int64_t give_up_at = now_ms() + patience_ms();
	uint64_t number;

	while ((number = echod_counter(echod, name)) != value) {
		ck_assert_msg(now_ms() < give_up_at, "%s is %ju in place of %ju", name,
			      (uintmax_t)number, (uintmax_t)value);
		look_again_soon();
	}
}

int echod_descriptors(const struct echod *echod)
{
	char path[64];
	int count = -2; /* "." and ".." */
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)echod_pid(echod));
	directory = opendir(path);
	ck_assert_ptr_nonnull(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

size_t echod_resident_kib(const struct echod *echod)
{
	char path[64], line[256];
	size_t kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)echod_pid(echod));
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	}
	fclose(file);
	return kib;
}
