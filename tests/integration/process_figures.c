/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The part of process.h about figures: those of an echod, and those of the kernel. */

#include "config.h"

#include <dirent.h>
#include <sys/ptrace.h>

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

const char *process_status(pid_t pid, const char *name)
{
	static char line[256];
	const char *found = NULL;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (found == NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0)
			found = line + strlen(name);
	}
	fclose(file);
	return found != NULL ? found : "";
}

size_t echod_resident_kib(const struct echod *echod)
{
	return strtoul(process_status(echod_pid(echod), "VmRSS:"), NULL, 10);
}

long system_number(const char *path, long fallback)
{
	FILE *file = fopen(path, "re");
	char text[32];

	if (file == NULL)
		return fallback;
	if (fgets(text, sizeof(text), file) != NULL)
		fallback = strtol(text, NULL, 10);
	fclose(file);
	return fallback;
}

size_t echod_workers(const struct echod *echod, pid_t *one)
{
	char path[64];
	struct dirent *entry;
	size_t count = 0;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)echod_pid(echod));
	threads = opendir(path);
	ck_assert_ptr_nonnull(threads);
	while ((entry = readdir(threads)) != NULL) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		const char *name = thread > 0 ? process_status(thread, "Name:\techod-") : "";

		if (*name >= '0' && *name <= '9') {
			*one = thread;
			count++;
		}
	}
	closedir(threads);
	return count;
}

void hold_thread(pid_t thread)
{
	if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) < 0)
		skip("ptrace: %s", strerror(errno));
	ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, thread, NULL, NULL), 0);
	ck_assert_int_eq(waitpid(thread, NULL, __WALL), thread);
}

void release_thread(pid_t thread)
{
	ck_assert_int_eq(ptrace(PTRACE_DETACH, thread, NULL, NULL), 0);
}
