/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See test.h. */

#include "config.h"

#include "support/test.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct test_entry *first, **last = &first;
static char directory[PATH_MAX];
static void (*at_end)(void);

void test_enter(struct test_entry *entry)
{
	*last = entry;
	last = &entry->next;
}

void test_at_end(void (*end)(void))
{
	at_end = end;
}

static void end_test(void)
{
	if (at_end != NULL)
		at_end();
}

const char *test_directory(void)
{
	return directory;
}

const char *test_path(const char *name)
{
	static char paths[8][PATH_MAX + 64];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
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

static TCase *add_case(Suite *suite, const char *name, SFun set_up, SFun tear_down)
{
	TCase *tcase = tcase_create(name);

	/* The multiplier is applied by libcheck. */
	tcase_set_timeout(tcase, TEST_TIMEOUT_S);
	/* Of tear-downs, libcheck calls the last one first. */
	tcase_add_checked_fixture(tcase, NULL, end_test);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	suite_add_tcase(suite, tcase);
	return tcase;
}

/* tests/unit/base/test_units.c is called unit/base/units, as far as that is in NAME. */
static void name_after_file(const char *file, char *name, size_t size)
{
	const char *path = strstr(file, "tests/"), *base = strrchr(file, '/');
	const char *start = path != NULL ? path + strlen("tests/") : file;
	int folder = base != NULL && base >= start ? (int)(base + 1 - start) : 0;

	base = start + folder;
	if (strncmp(base, "test_", strlen("test_")) == 0)
		base += strlen("test_");
	snprintf(name, size, "%.*s%.*s", folder, start, (int)strcspn(base, "."), base);
}

/* Of all tests that registered themselves, under NAME. */
static Suite *make_suite(const char *name)
{
	const char *base = strrchr(name, '/');
	Suite *suite = suite_create(name);
	TCase *tcase = NULL;

	for (const struct test_entry *entry = first; entry != NULL; entry = entry->next) {
		if (entry->test == NULL) {
			tcase = add_case(suite, entry->test_case, entry->set_up, entry->tear_down);
			continue;
		}
		if (tcase == NULL)
			tcase = add_case(suite, base != NULL ? base + 1 : name, NULL, NULL);
		tcase_add_loop_test(tcase, *entry->test, 0, entry->iterations);
	}
	return suite;
}

static const char *file_of_tests(void)
{
	for (const struct test_entry *entry = first; entry != NULL; entry = entry->next) {
		if (entry->test != NULL)
			return (*entry->test)->file;
	}
	fputs("there is no test in this program\n", stderr);
	exit(EXIT_FAILURE);
}

int main(void)
{
	char name[256];
	SRunner *runner;
	int result;

	name_after_file(file_of_tests(), name, sizeof(name));
	make_directory();
	runner = srunner_create(make_suite(name));
	result = run_tests(runner);
	srunner_free(runner);
	nftw(directory, show_and_remove, 16, FTW_DEPTH | FTW_PHYS);
	return result;
}
