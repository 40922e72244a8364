/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Gives a fuzz target what was once found worth keeping: the files and directories that are named,
 * or else the target's own corpus in the source tree. Takes the place of libFuzzer's main.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

#define INPUT_MAX (1 << 20)

static unsigned replayed;

static bool complain(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return false;
}

static bool replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX);
	bool good = file && data;
	size_t size;

	if (good) {
		size = fread(data, 1, INPUT_MAX, file);
		good = !ferror(file) && feof(file);
	}
	if (good) {
		(void)LLVMFuzzerTestOneInput(data, size);
		replayed++;
	} else {
		complain(path);
	}
	if (file)
		fclose(file);
	free(data);
	return good;
}

static bool replay_directory(const char *path)
{
	char file[PATH_MAX];
	DIR *directory = opendir(path);
	const struct dirent *entry;
	bool good = true;

	if (!directory)
		return complain(path);

	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		good &= replay_file(file);
	}
	closedir(directory);
	return good;
}

static bool replay(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return complain(path);
	return S_ISDIR(status.st_mode) ? replay_directory(path) : replay_file(path);
}

/* For tests/fuzz/fuzz_units, corpus/units. */
static bool replay_corpus(const char *program)
{
	const char *top = getenv("TOP_SRCDIR"), *target = strstr(program, "fuzz_");
	char path[PATH_MAX];

	if (!top || !target) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY...\n", program);
		return false;
	}
	(void)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", top,
		       target + strlen("fuzz_"));
	return replay(path);
}

int main(int argc, char *argv[])
{
	bool good = argc > 1 || replay_corpus(argv[0]);

	for (int i = 1; i < argc; i++)
		good &= replay(argv[i]);
	printf("%u inputs replayed\n", replayed);
	return good && replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
