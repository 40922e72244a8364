/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See skipped.h. */

#include "config.h"

#include "support/skipped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXIT_SKIPPED 77

/* What a skipped test leaves in libcheck's log: PREFIX REASON :1:P: CASE : TEST : ITERATION ...,
 * and S in place of P where its set-up skipped it. */
#define PREFIX "skipped: "
#define LINE 1
#define PASSED ":1:P:"
#define SET_UP ":1:S:"

static pid_t runner_pid;

/* It ends as passed, and its reason is the place where libcheck saw it last. */
void skip(const char *reason, ...)
{
	char place[256] = PREFIX;
	va_list args;

	va_start(args, reason);
	vsnprintf(place + strlen(PREFIX), sizeof(place) - strlen(PREFIX), reason, args);
	va_end(args);
	if (getpid() == runner_pid) { /* CK_FORK=no */
		puts(place);
		fflush(stdout);
		_exit(EXIT_SKIPPED);
	}
	_mark_point(place, LINE);
	/* As libcheck leaves a test that passed, without the sanitizers' last words. */
	_exit(EXIT_SUCCESS);
}

/* Where make reports to, out of reach of what the tests start; NULL without make. */
static FILE *open_console(void)
{
	const char *fd = getenv("TEST_CONSOLE_FD");
	FILE *console = fd != NULL ? fdopen((int)strtol(fd, NULL, 10), "w") : NULL;

	if (console != NULL)
		fcntl(fileno(console), F_SETFD, FD_CLOEXEC);
	return console;
}

static unsigned report_skipped(FILE *log, FILE *console)
{
	char line[1024], *rest, *test;
	unsigned count = 0;

	while (fgets(line, sizeof(line), log) != NULL) {
		rest = strstr(line, PASSED);
		if (rest == NULL)
			rest = strstr(line, SET_UP);
		if (rest == NULL || strncmp(line, PREFIX, strlen(PREFIX)) != 0)
			continue;
		*rest = '\0';
		rest += strlen(PASSED);
		strsep(&rest, ":");
		test = strsep(&rest, ":");
		printf("%s: %s: %s\n", program_invocation_short_name, test, line);
		if (console != NULL)
			fprintf(console, "%s: %s: %s\n", program_invocation_short_name, test, line);
		count++;
	}
	return count;
}

int run_tests(SRunner *runner)
{
	int log = memfd_create("results", MFD_CLOEXEC);
	unsigned skipped;
	char path[32];
	FILE *console = open_console(), *file;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", log);
	runner_pid = getpid();
	srunner_set_log(runner, path);
	srunner_run_all(runner, CK_ENV);
	if (srunner_ntests_failed(runner) > 0)
		return EXIT_FAILURE;
	file = fopen(path, "re");
	if (file == NULL) {
		perror("the results of the tests");
		return EXIT_FAILURE;
	}
	skipped = report_skipped(file, console);
	fclose(file);
	return skipped > 0 ? EXIT_SKIPPED : EXIT_SUCCESS;
}

bool instrumented(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
	return true;
#else
	return false;
#endif
#else
	return false;
#endif
}

/* Only a program that counts coverage has it. */
extern void __gcov_init(void *) __attribute__((weak));

bool makes_more_calls(void)
{
	return instrumented() || __gcov_init != NULL;
}
