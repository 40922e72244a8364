/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The help. Owns nothing; main calls it, and the command line after bad usage.
 */

#include "config.h"

#include "echoc/command/help.h"

#include <string.h>

void help_usage(FILE *out, const struct mode *modes)
{
	for (const struct mode *mode = modes; mode->name; mode++)
		fprintf(out, "%s echoc %-5s %s\n", mode == modes ? "usage:" : "      ", mode->name,
			mode->usage);
}

void help_print(const struct mode *modes)
{
	help_usage(stdout, modes);
	puts("\nTests a path with an echo server and checks every byte that comes back.\n");
	for (const struct mode *mode = modes; mode->name; mode++)
		printf("  %-5s  %s\n", mode->name, mode->purpose);
	puts("\n"
	     "  -u  UDP instead of TCP              -I ADDRESS  send from this address\n"
	     "  -4, -6  only IPv4, only IPv6        -v  verbose\n"
	     "  -M do|want|dont  path MTU discovery; do: never fragment\n"
	     "  --json  one JSON object per line    -V  print version    -h  print this help\n");
	for (const struct mode *mode = modes; mode->name; mode++)
		printf("%s: %*s%s\n", mode->name, (int)(6 - strlen(mode->name)), "", mode->options);
	puts("\n"
	     "HOST[:PORT] is a name or an address, [V6]:PORT, unix:/PATH or unixgram:/PATH;\n"
	     "the default port is 7. Durations end in ms, s, m, h or d; sizes in k or m.\n"
	     "Exit status: 0 all came back intact, 1 something did not, 2 could not start.\n"
	     "See echoc(1).");
}
