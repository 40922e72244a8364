/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See harness.h. */

#include "config.h"

#include "integration/harness.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 20
#define LOOK_AGAIN_NS (2 * 1000 * 1000)

static char directory[PATH_MAX];

static int multiplier(void)
{
	const char *text = getenv("CK_TIMEOUT_MULTIPLIER");
	int number = text != NULL ? (int)strtol(text, NULL, 10) : 1;

	return number > 0 ? number : 1;
}

int patience_ms(void)
{
	return PATIENCE_S * 1000 * multiplier();
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void look_again_soon(void)
{
	struct timespec moment = {.tv_nsec = LOOK_AGAIN_NS};

	nanosleep(&moment, NULL);
}

long scale(const char *name, long fallback)
{
	const char *text = getenv(name);
	long number = text != NULL ? strtol(text, NULL, 10) : 0;

	return number > 0 ? number : fallback;
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

bool installed(const char *program)
{
	const char *path = getenv("PATH");
	char *copy = strdup(path != NULL ? path : "/usr/bin:/bin");
	char *rest = copy;
	char file[PATH_MAX];
	bool found = false;

	for (char *part; !found && (part = strsep(&rest, ":")) != NULL;) {
		snprintf(file, sizeof(file), "%s/%s", part, program);
		found = access(file, X_OK) == 0;
	}
	free(copy);
	return found;
}

const char *test_directory(void)
{
	return directory;
}

TCase *new_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	/* The multiplier is applied by libcheck. */
	tcase_set_timeout(tcase, 3 * PATIENCE_S);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void make_directory(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/echod-test.XXXXXX",
		 parent != NULL && *parent != '\0' ? parent : "/tmp");
	if (mkdtemp(directory) == NULL || chmod(directory, 0755) < 0) {
		perror(directory);
		exit(EXIT_FAILURE);
	}
}

/* Only of a test that failed something is left; its log says what its echod thought of it. */
static int show_and_remove(const char *path, const struct stat *status, int type, struct FTW *where)
{
	char line[4096];
	FILE *file;

	if (type == FTW_F && S_ISREG(status->st_mode) && status->st_size > 0 &&
	    strcmp(path + where->base, "log") == 0 && (file = fopen(path, "r")) != NULL) {
		printf("---- log of a test that failed, %s:\n", path);
		while (fgets(line, sizeof(line), file) != NULL) {
			/* Answers to SIGUSR1 are many, and say little to people. */
			if (strstr(line, " tcp_connections=") == NULL)
				fputs(line, stdout);
		}
		fclose(file);
	}
	return remove(path);
}

int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int result;

	make_directory();
	srunner_set_fork_status(runner, CK_FORK);
	result = run_tests(runner);
	srunner_free(runner);
	nftw(directory, show_and_remove, 16, FTW_DEPTH | FTW_PHYS);
	return result;
}
