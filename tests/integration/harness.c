/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See harness.h. */

#include "config.h"

#include "integration/harness.h"

#include <limits.h>
#include <time.h>

/* A test may wait for this in vain, and still say so before its own time is over. */
#define PATIENCE_S (TEST_TIMEOUT_S / 3)
#define LOOK_AGAIN_NS (2 * 1000 * 1000)

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
