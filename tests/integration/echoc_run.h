/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Runs the echoc under test (ECHOC in the environment), and checks what it printed. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct echoc {
	pid_t pid;
	int in; /* what it reads; -1 once closed */
	int out;
	int err;
	int status; /* exit status, or 128 + the signal; -1 while it runs */
	char *output;
	size_t output_length;
	char *errors;
	size_t errors_length;
};

#define ECHOC_ARGS(...) ((const char *const[]){"echoc", __VA_ARGS__, NULL})

/* Starts it with pipes. */
struct echoc echoc_start(const char *const *arguments);

/* Reads what there is, until TEXT is in the output, or among the errors. */
void echoc_await(struct echoc *echoc, const char *text);
void echoc_await_error(struct echoc *echoc, const char *text);
void echoc_await_errors(struct echoc *echoc, const char *text, unsigned times);

/* Sleeps, according to the system: in its loop once it has nothing to do. */
bool echoc_is_asleep(const struct echoc *echoc);

/* SIGSTOP, and waits until it has stopped. */
void echoc_pause(const struct echoc *echoc);

/* Feeds it INPUT, if any, then the end of it; reads everything to its end. */
void echoc_finish(struct echoc *echoc, const void *input, size_t length);

/* All of that, without input. */
struct echoc echoc_run(const char *const *arguments);

/* A figure of the summary that --json ends with. */
double sum_of(const struct echoc *echoc, const char *name);

/* Without taking its exit status. */
bool echoc_has_ended(const struct echoc *echoc);

/* Its exit status must be that, and each TEXT, up to a NULL, in its output. */
void echoc_expect(const struct echoc *echoc, int status, const char *const *texts);
#define EXPECT(echoc, status, ...)                                                                 \
	echoc_expect(echoc, status, (const char *const[]){__VA_ARGS__, NULL})

/* The same of what it wrote to standard error. */
void echoc_expect_errors(const struct echoc *echoc, int status, const char *const *texts);
#define EXPECT_ERRORS(echoc, status, ...)                                                          \
	echoc_expect_errors(echoc, status, (const char *const[]){__VA_ARGS__, NULL})
