/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Any bytes as a configuration file. What is refused is refused with a line of its own; what is
 * accepted is dumped as a file that reads back as the same, without a new word of complaint.
 */

#include "config.h"

#include <sys/mman.h>
#include <unistd.h>

#include "echod/config/load.h"
#include "echod/config/settings.h"
#include "fuzz/fuzz.h"

static unsigned errors, warnings;

static void count_report(enum log_level level, const char *line)
{
	FUZZ_CHECK(strlen(line) > 0);
	FUZZ_CHECK(!strpbrk(line, "\n\r\033"));
	if (level == LEVEL_ERROR)
		errors++;
	else
		warnings++;
}

static struct config *load(const void *bytes, size_t size)
{
	static int fd = -1;
	static char path[32];
	struct config_source source = {.path = path, .must_exist = true};

	if (fd < 0) {
		fd = memfd_create("echod.conf", MFD_CLOEXEC);
		FUZZ_CHECK(fd >= 0);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	FUZZ_CHECK(ftruncate(fd, 0) == 0);
	FUZZ_CHECK(pwrite(fd, bytes, size, 0) == (ssize_t)size);
	errors = warnings = 0;
	return config_load(&source, count_report);
}

static char *dump(const struct config *config, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	FUZZ_CHECK(out);
	FUZZ_CHECK(config_dump(config, out) == 0);
	FUZZ_CHECK(fclose(out) == 0);
	return text;
}

static void check_same(const struct config *a, const struct config *b)
{
	FUZZ_CHECK(a->listener_count == b->listener_count);
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];

		if (setting->sections & IN_SERVER)
			FUZZ_CHECK(setting_equal(setting, &a->server, &b->server));
		if (!(setting->sections & IN_LISTENER))
			continue;
		FUZZ_CHECK(setting_equal(setting, &a->defaults, &b->defaults));
		for (size_t j = 0; j < a->listener_count; j++)
			FUZZ_CHECK(setting_equal(setting, &a->listeners[j], &b->listeners[j]));
	}
}

static void check_accepted(const struct config *config)
{
	size_t size, again_size;
	unsigned warned = warnings;
	char *text = dump(config, &size), *again_text;
	struct config *again = load(text, size);

	/* More listeners than fit into a file come with shorter lines than the dump's. */
	if (!again && size > 65536) {
		free(text);
		return;
	}
	FUZZ_CHECK(again && warnings <= warned);
	again_text = dump(again, &again_size);
	FUZZ_CHECK(size == again_size && memcmp(text, again_text, size) == 0);
	check_same(config, again);
	config_release(again);
	free(again_text);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = load(data, size);

	FUZZ_CHECK(!config == (errors > 0));
	if (config)
		check_accepted(config);
	config_release(config);
	return 0;
}
