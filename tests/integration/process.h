/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A real echod process under test: starting, querying and stopping it. It has a directory of its
 * own with its file, its log and its output, and a notification socket that the harness reads. Any
 * failure fails the test; a process that is left over dies with the test.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct echod;

/* In texts, @DIR@ stands for the process's own directory. All but ARG may be NULL. */
struct echod_setup {
	const char *config;		/* text of its file, named with -c; NULL: no -c */
	const char *const *arguments;	/* the rest of the command line, up to a NULL */
	const char *const *environment; /* NAME=VALUE (or NAME: removed), up to a NULL */
	void (*prepare)(void *arg);	/* called in the child, just before it becomes echod */
	void *arg;
};

#define ECHOD(...) (&(const struct echod_setup){__VA_ARGS__})

/* Returns at once. */
struct echod *echod_spawn(const struct echod_setup *setup);

/* These return when READY=1 has come: everything listens, and the log says where. */
struct echod *echod_start(const char *config);
struct echod *echod_start_with(const struct echod_setup *setup);

/*
 * Ends it with SIGTERM and expects exit status 0; it may still be asked what it logged. At its end,
 * a test does that to every echod that still runs, and frees each.
 */
void echod_end(struct echod *echod);

/* The same, and frees it. */
void echod_stop(struct echod *echod);

/* Stops one at once that is stopping already: a second signal counts only a while later. */
void echod_stop_now(struct echod *echod);

/* Waits for its end: the exit status, or 128 + the signal. May be asked again. */
int echod_wait(struct echod *echod);
bool echod_running(struct echod *echod);

/* Kills it if need be; its directory goes, too. */
void echod_free(struct echod *echod);

void echod_signal(const struct echod *echod, int number);
/* SIGSTOP, and waits until it has stopped. SIGCONT lets it go on. */
void echod_pause(const struct echod *echod);
pid_t echod_pid(const struct echod *echod);

/* A name in its directory; static, good for a few calls. */
const char *echod_path(const struct echod *echod, const char *name);

/* Writes another text into its file, sends SIGHUP, and waits for the READY=1 that follows. */
void echod_write_config(const struct echod *echod, const char *config);
void echod_reload(struct echod *echod, const char *config);

/* All of standard error, and of standard output, so far; good until asked again. */
const char *echod_log(struct echod *echod);
const char *echod_output(struct echod *echod);
size_t echod_log_count(struct echod *echod, const char *text);
void echod_wait_log(struct echod *echod, const char *text);

/* The number behind the last "listening on WHERE:", as in "tcp 0.0.0.0" or "udp [::1]"; 0: none. */
uint16_t echod_port(struct echod *echod, const char *where);
/* The TCP (or else UDP) port of 127.0.0.1 or `*`. */
uint16_t port_of(struct echod *echod);

/* All messages to the service manager so far, one line each; how often TEXT is among them. */
const char *echod_notified(struct echod *echod);
size_t echod_notified_count(struct echod *echod, const char *text);

/* One number of those that SIGUSR1 makes it log, as in "tcp_accepted". */
uint64_t echod_counter(struct echod *echod, const char *name);
/* Waits until it has VALUE: what a client has seen may be counted a moment later. */
void echod_wait_counter(struct echod *echod, const char *name, uint64_t value);

int echod_descriptors(const struct echod *echod);
size_t echod_resident_kib(const struct echod *echod);

/* What follows NAME at the start of a line of /proc/PID/status, "" without one; static. */
const char *process_status(pid_t pid, const char *name);

/* The number in a file of /proc/sys, or FALLBACK. */
long system_number(const char *path, long fallback);

/* How many threads of it are workers, by their names; *ONE is one of them. */
size_t echod_workers(const struct echod *echod, pid_t *one);

/* Stops one thread, while the others go on; the test is skipped where that is not permitted. */
void hold_thread(pid_t thread);
void release_thread(pid_t thread);
