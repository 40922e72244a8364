/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Modes by name, and what --help prints of them. Owns nothing; main and the command line call it.
 */

#include "config.h"

#include "echoc/command/mode.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const struct mode *mode_find(const struct mode *modes, const char *name)
{
	while (modes->name && strcmp(modes->name, name) != 0)
		modes++;
	return modes->name ? modes : NULL;
}

const char *mode_names(const struct mode *modes, char text[static MODE_NAMES_MAX])
{
	size_t length = 0;

	for (const struct mode *mode = modes; mode->name && length < MODE_NAMES_MAX; mode++) {
		const char *before = mode == modes ? "" : mode[1].name ? ", " : " or ";

		length += (size_t)snprintf(text + length, MODE_NAMES_MAX - length, "%s%s", before,
					   mode->name);
	}
	return text;
}

void mode_print_usage(FILE *out, const struct mode *mode)
{
	if (mode)
		fprintf(out, "usage: echoc %-5s %s\n", mode->name, mode->usage);
	else
		fputs("usage: echoc MODE [OPTION...] HOST[:PORT]\n", out);
}

static void print_common(void)
{
	puts("  -u  UDP instead of TCP (-t)         -I ADDRESS[:PORT], -I INTERFACE  source\n"
	     "  -4, -6  only IPv4, only IPv6        -M do|want|dont  path MTU discovery\n"
	     "  -Q TOS  a number, ef, af11, cs1...  --ttl N   --proxy v1|v2  PROXY header\n"
	     "  --json  one JSON object per line    -v  verbose   -V  version   -h  help\n"
	     "\n"
	     "HOST[:PORT] is a name or an address, [V6]:PORT, unix:/PATH or unixgram:/PATH;\n"
	     "the default port is 7. Durations end in ms, s, m, h, d; sizes and rates in k, m.\n"
	     "Exit status: 0 all came back intact, 1 something did not, 2 could not start.\n"
	     "See echoc(1).");
}

void mode_print_help(const struct mode *modes)
{
	mode_print_usage(stdout, NULL);
	puts("\nTests a path with an echo server and checks every byte that comes back;\n"
	     "echoc MODE -h lists the options of a mode.\n");
	for (const struct mode *mode = modes; mode->name; mode++)
		printf("  %-5s  %s\n", mode->name, mode->purpose);
	putchar('\n');
	print_common();
}

void mode_print_own_help(const struct mode *mode)
{
	mode_print_usage(stdout, mode);
	printf("\n  %-5s  %s\n\n        %s\n\n", mode->name, mode->purpose, mode->options);
	print_common();
}
