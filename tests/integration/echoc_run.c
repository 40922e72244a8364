/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See echoc_run.h. */

#include "config.h"

#include "integration/echoc_run.h"

#include <poll.h>
#include <sys/prctl.h>

#include "integration/harness.h"
#include "integration/json_lines.h"

#define CHUNK 65536u
#define CANNOT_EXECUTE 127

static void become_echoc(const char *const *arguments, int in, int out, int err)
{
	const char *path = getenv("ECHOC");

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(err, STDERR_FILENO) >= 0)
		execv(path ? path : "./echoc", (char *const *)(uintptr_t)arguments);
	_exit(CANNOT_EXECUTE);
}

struct echoc echoc_start(const char *const *arguments)
{
	struct echoc echoc = {.status = -1};
	int in[2], out[2], err[2];

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	fflush(NULL);
	echoc.pid = fork();
	if (echoc.pid == 0) /* no check before it: a thread that is not here may hold their mutex */
		become_echoc(arguments, in[0], out[1], err[1]);
	ck_assert_int_gt(echoc.pid, 0);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	echoc.in = in[1];
	echoc.out = out[0];
	echoc.err = err[0];
	ck_assert_int_eq(fcntl(echoc.in, F_SETFL, O_NONBLOCK), 0);
	echoc.output = calloc(1, 1);
	echoc.errors = calloc(1, 1);
	return echoc;
}

static void take(int *fd, char **text, size_t *length)
{
	char *grown = realloc(*text, *length + CHUNK + 1);
	ssize_t got;

	ck_assert_ptr_nonnull(grown);
	*text = grown;
	got = read(*fd, *text + *length, CHUNK);
	ck_assert_int_ge(got, 0);
	*length += (size_t)got;
	(*text)[*length] = '\0';
	if (got == 0) {
		close(*fd);
		*fd = -1;
	}
}

static void give(struct echoc *echoc, const char **input, size_t *length)
{
	ssize_t given = *length > 0 ? write(echoc->in, *input, *length) : 0;

	if (given < 0 && errno == EAGAIN)
		return;
	if (given > 0) {
		*input += given;
		*length -= (size_t)given;
	}
	if (given < 0 || *length == 0) {
		close(echoc->in);
		echoc->in = -1;
	}
}

/* One turn of all three pipes; INPUT is NULL while the input stays open. */
static void turn(struct echoc *echoc, const char **input, size_t *length)
{
	struct pollfd ready[3] = {{.fd = echoc->out, .events = POLLIN},
				  {.fd = echoc->err, .events = POLLIN},
				  {.fd = input ? echoc->in : -1, .events = POLLOUT}};

	ck_assert_msg(poll(ready, 3, patience_ms()) > 0, "echoc is stuck; output: %s%s",
		      echoc->output, echoc->errors);
	if (ready[0].revents != 0)
		take(&echoc->out, &echoc->output, &echoc->output_length);
	if (ready[1].revents != 0)
		take(&echoc->err, &echoc->errors, &echoc->errors_length);
	if (input && ready[2].revents != 0)
		give(echoc, input, length);
}

void echoc_await(struct echoc *echoc, const char *text)
{
	while (!strstr(echoc->output, text) && !strstr(echoc->errors, text)) {
		ck_assert_msg(echoc->out >= 0, "echoc ended without \"%s\": %s%s", text,
			      echoc->output, echoc->errors);
		turn(echoc, NULL, NULL);
	}
}

static unsigned count_of(const char *text, const char *part)
{
	unsigned count = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		count++;
	return count;
}

void echoc_await_errors(struct echoc *echoc, const char *text, unsigned times)
{
	while (count_of(echoc->errors, text) < times) {
		ck_assert_msg(echoc->err >= 0, "echoc ended without \"%s\": %s%s", text,
			      echoc->output, echoc->errors);
		turn(echoc, NULL, NULL);
	}
}

void echoc_await_error(struct echoc *echoc, const char *text)
{
	echoc_await_errors(echoc, text, 1);
}

bool echoc_is_asleep(const struct echoc *echoc)
{
	char path[32], state = '\0';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)echoc->pid);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%*d %*s %c", &state), 1);
	fclose(file);
	return state == 'S';
}

void echoc_pause(const struct echoc *echoc)
{
	int status;

	kill(echoc->pid, SIGSTOP);
	ck_assert_int_eq(waitpid(echoc->pid, &status, WUNTRACED), echoc->pid);
	ck_assert(WIFSTOPPED(status));
}

/* What it printed may be read until the test is over: known here, it is no leak. */
static void keep(const struct echoc *echoc)
{
	static struct kept {
		struct kept *next;
		char *output, *errors;
	} * all;
	struct kept *kept = malloc(sizeof(*kept));

	ck_assert_ptr_nonnull(kept);
	*kept = (struct kept){all, echoc->output, echoc->errors};
	all = kept;
}

void echoc_finish(struct echoc *echoc, const void *input, size_t length)
{
	const char *rest = input;
	int status;

	(void)signal(SIGPIPE, SIG_IGN);
	while (echoc->out >= 0 || echoc->err >= 0)
		turn(echoc, &rest, &length);
	if (echoc->in >= 0)
		close(echoc->in);
	echoc->in = -1;
	ck_assert_int_eq(waitpid(echoc->pid, &status, 0), echoc->pid);
	keep(echoc);
	echoc->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct echoc echoc_run(const char *const *arguments)
{
	struct echoc echoc = echoc_start(arguments);

	echoc_finish(&echoc, NULL, 0);
	return echoc;
}

double sum_of(const struct echoc *echoc, const char *name)
{
	return json_get(echoc->output, "summary", name);
}

bool echoc_has_ended(const struct echoc *echoc)
{
	siginfo_t info = {0};

	ck_assert_int_eq(waitid(P_PID, (id_t)echoc->pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid != 0;
}

void echoc_expect(const struct echoc *echoc, int status, const char *const *texts)
{
	ck_assert_msg(echoc->status == status, "exit status %d, must be %d; it said: %s%s",
		      echoc->status, status, echoc->output, echoc->errors);
	for (; *texts; texts++)
		ck_assert_msg(strstr(echoc->output, *texts), "\"%s\" is not in: %s; errors: %s",
			      *texts, echoc->output, echoc->errors);
}

void echoc_expect_errors(const struct echoc *echoc, int status, const char *const *texts)
{
	echoc_expect(echoc, status, (const char *const[]){NULL});
	for (; *texts; texts++)
		ck_assert_msg(strstr(echoc->errors, *texts), "\"%s\" is not among the errors: %s",
			      *texts, echoc->errors);
}
