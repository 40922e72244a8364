/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The help. What only some modes have is in their own texts; what most have is a list here, of
 * which a mode's help has those that it takes. Owns nothing; main and the command line call it.
 */

#include "config.h"

#include "echoc/command/help.h"

#include "echoc/command/option_table.h"

#define COLUMN 41 /* width of the left one of two */

/* By the letter of the (first) option that a text is about. */
static const struct {
	int letter;
	const char *text;
} common[] = {
	{'4', "-4, -6  only IPv4, only IPv6"},
	{'I', "-I ADDRESS[:PORT], -I INTERFACE  source"},
	{LONG_TTL, "--ttl N  of what is sent"},
	{'Q', "-Q TOS  a number, ef, va, af11, cs1..."},
	{LONG_PROXY, "--proxy v1|v2  PROXY header (TCP)"},
	{'M', "-M do|want|dont  path MTU discovery"},
	{LONG_JSON, "--json  one JSON object per line"},
	{'V', "-v  verbose   -V  version   -h  help"},
};

void help_print_usage(FILE *out, const struct mode *mode)
{
	if (mode)
		fprintf(out, "usage: echoc %-5s %s\n", mode->name, mode->usage);
	else
		fputs("usage: echoc MODE [OPTION...] HOST[:PORT]\n", out);
}

static const char *protocol_text(const struct mode *mode)
{
	if (mode && !option_find(mode, 't'))
		return "-u  UDP, as always in this mode";
	return mode && mode->prefers_udp ? "-t  TCP instead of UDP (-u)"
					 : "-u  UDP instead of TCP (-t)";
}

/* In two columns; with NULL those of all modes. */
static void print_common(const struct mode *mode)
{
	const char *left = protocol_text(mode);

	for (size_t i = 0; i < ARRAY_SIZE(common); i++) {
		if (mode && !option_find(mode, common[i].letter))
			continue;
		if (left)
			printf("  %-*s%s\n", COLUMN, left, common[i].text);
		left = left ? NULL : common[i].text;
	}
	if (left)
		printf("  %s\n", left);
}

static void print_rest(const struct mode *mode)
{
	printf("\n%s\n"
	       "Durations are in s, or end in ms, s, m, h, d; sizes and rates end in k, m.\n"
	       "Exit status: 0 well, 1 loss, damage or a finding, 2 no start. See echoc(1).\n",
	       mode && mode->needs_host
		       ? "HOST[:PORT] (7): a name, an address or [V6]:PORT."
		       : "HOST[:PORT] (7): a name, an address, [V6]:PORT, unix:/PATH or "
			 "unixgram:/PATH.");
}

void help_print_all(const struct mode *modes)
{
	help_print_usage(stdout, NULL);
	puts("\nTests a path with an echo server and checks every byte that comes back;\n"
	     "echoc MODE -h lists the options of a mode.\n");
	for (const struct mode *mode = modes; mode->name; mode++)
		printf("  %-5s  %s\n", mode->name, mode->purpose);
	putchar('\n');
	print_common(NULL);
	print_rest(NULL);
}

void help_print(const struct mode *mode)
{
	help_print_usage(stdout, mode);
	printf("\n  %-5s  %s\n\n        %s\n\n", mode->name, mode->purpose, mode->options);
	print_common(mode);
	print_rest(mode);
}
