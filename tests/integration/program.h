/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Other clients, such as nc, run with pipes for their input and output. */

#pragma once

#include <sys/types.h>

struct program {
	pid_t pid;
	int in;	 /* what it reads */
	int out; /* what it writes */
};

/* ARGUMENTS[0] is looked for in PATH; what it says on standard error is the test's own. */
void program_start(struct program *program, const char *const arguments[]);

/* Its exit status; 128 + the signal that ended it. Closes what is left of the pipes. */
int program_wait(struct program *program);
