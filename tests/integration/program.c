/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See program.h. */

#include "config.h"

#include "integration/program.h"

#include <sys/prctl.h>

#include "integration/harness.h"

#define CANNOT_EXECUTE 127

void program_start(struct program *program, const char *const arguments[])
{
	int in[2], out[2];

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	fflush(NULL);
	program->pid = fork();
	if (program->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(in[0], STDIN_FILENO) >= 0 && dup2(out[1], STDOUT_FILENO) >= 0)
			execvp(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(CANNOT_EXECUTE);
	}
	ck_assert_int_gt(program->pid, 0);
	close(in[0]);
	close(out[1]);
	program->in = in[1];
	program->out = out[0];
}

int program_wait(struct program *program)
{
	int status = 0;
	pid_t pid = 0;

	if (program->in >= 0)
		close(program->in);
	WAIT_UNTIL((pid = waitpid(program->pid, &status, WNOHANG)) != 0);
	ck_assert_int_eq(pid, program->pid);
	if (program->out >= 0)
		close(program->out);
	program->in = program->out = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
