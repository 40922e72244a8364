/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See process.h. */

#include "config.h"

#include "integration/process.h"

#include <ftw.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/un.h>

#include "integration/harness.h"

#define ARGUMENTS_MAX 32
#define CANNOT_EXECUTE 127

struct echod {
	struct echod *next;
	char directory[PATH_MAX];
	pid_t pid;
	bool ended;
	int status;
	int notify_fd;
	char notify_name[16];
	char *notified; /* what came over notify_fd */
	size_t notified_size;
	char *log;
	char *output;
};

static struct echod *all;

static void stop_all(void)
{
	while (all != NULL) {
		if (echod_running(all))
			echod_end(all);
		echod_free(all);
	}
}

const char *echod_path(const struct echod *echod, const char *name)
{
	static char paths[4][PATH_MAX + 64];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", echod->directory, name);
	return path;
}

/* TEXT with the directory in place of each @DIR@. The caller frees it. */
static char *expand(const struct echod *echod, const char *text)
{
	static const char mark[] = "@DIR@";
	char *result = NULL;
	const char *found;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	ck_assert_ptr_nonnull(out);
	while ((found = strstr(text, mark)) != NULL) {
		fwrite(text, 1, (size_t)(found - text), out);
		fputs(echod->directory, out);
		text = found + sizeof(mark) - 1;
	}
	fputs(text, out);
	fclose(out);
	return result;
}

void echod_write_config(const struct echod *echod, const char *config)
{
	const char *draft = echod_path(echod, "echod.conf.new");
	char *text = expand(echod, config);
	FILE *file = fopen(draft, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(rename(draft, echod_path(echod, "echod.conf")), 0);
	free(text);
}

/* The kernel chooses an abstract name, which no permission keeps another user from. */
static void open_notify_socket(struct echod *echod)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(name.sun_family);

	echod->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_ge(echod->notify_fd, 0);
	ck_assert_int_eq(bind(echod->notify_fd, (struct sockaddr *)&name, length), 0);
	length = sizeof(name);
	ck_assert_int_eq(getsockname(echod->notify_fd, (struct sockaddr *)&name, &length), 0);
	snprintf(echod->notify_name, sizeof(echod->notify_name), "@%.*s",
		 (int)(length - offsetof(struct sockaddr_un, sun_path) - 1), name.sun_path + 1);
}

static void redirect(const struct echod *echod, const char *name, int fd)
{
	int file = open(echod_path(echod, name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (file < 0 || dup2(file, fd) < 0)
		_exit(CANNOT_EXECUTE);
}

static void set_environment(const struct echod *echod, const char *const *more)
{
	static const char *const foreign[] = {"JOURNAL_STREAM", "LISTEN_FDS",	 "LISTEN_FDNAMES",
					      "LISTEN_PID",	"WATCHDOG_USEC", "WATCHDOG_PID"};

	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		unsetenv(foreign[i]);
	setenv("NOTIFY_SOCKET", echod->notify_name, 1);
	for (; more != NULL && *more != NULL; more++)
		putenv(expand(echod, *more));
}

__attribute__((noreturn)) static void become_echod(const struct echod *echod,
						   const struct echod_setup *setup)
{
	const char *program = getenv("ECHOD");
	char *arguments[ARGUMENTS_MAX + 4] = {strdup("echod")};
	size_t count = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	redirect(echod, "out", STDOUT_FILENO);
	redirect(echod, "log", STDERR_FILENO);
	set_environment(echod, setup->environment);
	if (setup->config != NULL) {
		arguments[count++] = strdup("-c");
		arguments[count++] = strdup(echod_path(echod, "echod.conf"));
	}
	for (size_t i = 0; setup->arguments != NULL && setup->arguments[i] != NULL; i++) {
		if (i == ARGUMENTS_MAX)
			_exit(CANNOT_EXECUTE);
		arguments[count++] = expand(echod, setup->arguments[i]);
	}
	if (setup->prepare != NULL)
		setup->prepare(setup->arg);
	if (program != NULL)
		execv(program, arguments);
	fprintf(stderr, "cannot execute ECHOD=%s: %s\n", program != NULL ? program : "",
		strerror(errno));
	_exit(CANNOT_EXECUTE);
}

struct echod *echod_spawn(const struct echod_setup *setup)
{
	struct echod *echod = calloc(1, sizeof(*echod));

	ck_assert_ptr_nonnull(echod);
	echod->next = all;
	all = echod;
	test_at_end(stop_all);
	snprintf(echod->directory, sizeof(echod->directory), "%s/XXXXXX", test_directory());
	ck_assert_ptr_nonnull(mkdtemp(echod->directory));
	ck_assert_int_eq(chmod(echod->directory, 0755), 0);
	if (setup->config != NULL)
		echod_write_config(echod, setup->config);
	open_notify_socket(echod);
	fflush(NULL);
	echod->pid = fork();
	if (echod->pid == 0)
		become_echod(echod, setup);
	ck_assert_int_gt(echod->pid, 0);
	return echod;
}

bool echod_running(struct echod *echod)
{
	pid_t pid;

	if (echod->ended)
		return false;
	pid = waitpid(echod->pid, &echod->status, WNOHANG);
	ck_assert_int_ge(pid, 0);
	echod->ended = pid == echod->pid;
	return !echod->ended;
}

int echod_wait(struct echod *echod)
{
	/* Its messages in the meantime must not fill the socket's queue. */
	WAIT_UNTIL(echod_notified(echod) != NULL && !echod_running(echod));
	return WIFEXITED(echod->status) ? WEXITSTATUS(echod->status)
					: 128 + WTERMSIG(echod->status);
}

struct echod *echod_start_with(const struct echod_setup *setup)
{
	struct echod *echod = echod_spawn(setup);

	WAIT_UNTIL(echod_notified_count(echod, "READY=1") > 0 || !echod_running(echod));
	ck_assert_msg(echod_notified_count(echod, "READY=1") > 0, "echod did not start");
	return echod;
}

struct echod *echod_start(const char *config)
{
	struct echod_setup setup = {.config = config};

	return echod_start_with(&setup);
}

void echod_reload(struct echod *echod, const char *config)
{
	size_t before = echod_notified_count(echod, "READY=1");

	echod_write_config(echod, config);
	echod_signal(echod, SIGHUP);
	WAIT_UNTIL(echod_notified_count(echod, "READY=1") > before || !echod_running(echod));
	ck_assert_msg(echod_running(echod), "echod ended");
}

void echod_end(struct echod *echod)
{
	echod_signal(echod, SIGTERM);
	ck_assert_int_eq(echod_wait(echod), 0);
}

void echod_stop(struct echod *echod)
{
	echod_end(echod);
	echod_free(echod);
}

void echod_stop_now(struct echod *echod)
{
	WAIT_UNTIL(!echod_running(echod) || kill(echod->pid, SIGTERM) < 0);
	ck_assert_int_eq(echod_wait(echod), 0);
}

static int remove_one(const char *path, const struct stat *status UNUSED, int type UNUSED,
		      struct FTW *where UNUSED)
{
	return remove(path);
}

static void forget(const struct echod *echod)
{
	struct echod **at = &all;

	while (*at != echod)
		at = &(*at)->next;
	*at = echod->next;
}

void echod_free(struct echod *echod)
{
	if (echod == NULL)
		return;
	forget(echod);
	if (echod_running(echod)) {
		kill(echod->pid, SIGKILL);
		waitpid(echod->pid, NULL, 0);
	}
	nftw(echod->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	close(echod->notify_fd);
	free(echod->notified);
	free(echod->log);
	free(echod->output);
	free(echod);
}

void echod_signal(const struct echod *echod, int number)
{
	ck_assert_int_eq(kill(echod->pid, number), 0);
}

void echod_pause(const struct echod *echod)
{
	siginfo_t info;

	echod_signal(echod, SIGSTOP);
	ck_assert_int_eq(waitid(P_PID, (id_t)echod->pid, &info, WSTOPPED), 0);
}

pid_t echod_pid(const struct echod *echod)
{
	return echod->pid;
}

/* The whole of a file, in place of *TEXT. */
static const char *read_file(const char *path, char **text)
{
	FILE *file = fopen(path, "re");
	char part[4096];
	size_t size, n;
	FILE *out;

	free(*text);
	*text = NULL;
	out = open_memstream(text, &size);
	ck_assert_ptr_nonnull(out);
	while (file != NULL && (n = fread(part, 1, sizeof(part), file)) > 0)
		fwrite(part, 1, n, out);
	if (file != NULL)
		fclose(file);
	fclose(out);
	return *text;
}

static size_t occurrences(const char *text, const char *wanted)
{
	size_t count = 0;

	while ((text = strstr(text, wanted)) != NULL) {
		text += strlen(wanted);
		count++;
	}
	return count;
}

const char *echod_log(struct echod *echod)
{
	return read_file(echod_path(echod, "log"), &echod->log);
}

const char *echod_output(struct echod *echod)
{
	return read_file(echod_path(echod, "out"), &echod->output);
}

size_t echod_log_count(struct echod *echod, const char *text)
{
	return occurrences(echod_log(echod), text);
}

void echod_wait_log(struct echod *echod, const char *text)
{
	int64_t give_up_at = now_ms() + patience_ms();

	while (echod_log_count(echod, text) == 0) {
		ck_assert_msg(now_ms() < give_up_at, "never logged: %s", text);
		look_again_soon();
	}
}

const char *echod_notified(struct echod *echod)
{
	char message[4096];
	ssize_t size;

	while ((size = recv(echod->notify_fd, message, sizeof(message), 0)) >= 0) {
		echod->notified = realloc(echod->notified, echod->notified_size + (size_t)size + 2);
		ck_assert_ptr_nonnull(echod->notified);
		memcpy(echod->notified + echod->notified_size, message, (size_t)size);
		echod->notified_size += (size_t)size;
		echod->notified[echod->notified_size++] = '\n';
		echod->notified[echod->notified_size] = '\0';
	}
	return echod->notified != NULL ? echod->notified : "";
}

size_t echod_notified_count(struct echod *echod, const char *text)
{
	return occurrences(echod_notified(echod), text);
}
