/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See options.h. What every daemon of ours takes is in daemon/command_line.c. */

#include "config.h"

#include "echod/config/options.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/activation.h"

static int add_address(void *arg, const char *text)
{
	struct options *options = arg;
	size_t count = options->source.address_count;
	struct listen_address address;
	struct listen_address *grown;
	struct reason reason;

	if (listen_address_parse(&address, text, &reason) < 0)
		return command_refuse(&echod_command, "-l %s: %s", text, reason.text);
	if (address.zone[0] != '\0')
		return command_refuse(&echod_command, "-l %s: there is no network interface \"%s\"",
				      text, address.zone);
	for (size_t i = 0; i < count; i++) {
		if (listen_address_collides(&options->addresses[i], &address))
			return command_refuse(&echod_command,
					      "-l %s: this address was given before", text);
	}
	grown = reallocarray(options->addresses, count + 1, sizeof(*grown));
	if (!grown)
		return command_refuse(&echod_command, "-l %s: out of memory", text);
	grown[count] = address;
	options->addresses = grown;
	options->source.addresses = grown;
	options->source.address_count = count + 1;
	return 0;
}

static const struct command_option own_options[] = {
	{'l', "listen", "an address to serve", add_address},
	{0},
};

const struct command echod_command = {
	.program = "echod",
	.file = SYSCONFDIR "/echod.conf",
	.purpose = "Sends back what it receives, over TCP, UDP and UNIX sockets.",
	.synopsis = " [-l ADDRESS]...",
	.help = "  -l, --listen ADDRESS  serve TCP and UDP at ADDRESS instead of the file's\n"
		"                        listeners; may be repeated\n",
	.verbose = "each connection",
	.notes = "ADDRESS is *:PORT, :PORT, IPV4:PORT, [IPV6]:PORT, [IPV6%ZONE]:PORT,\n"
		 "localhost:PORT, unix:/PATH or unixgram:/PATH.\n"
		 "\n",
	.options = own_options,
};

int options_parse(struct options *options, int argc, char *argv[])
{
	memset(options, 0, sizeof(*options));
	if (command_parse(&echod_command, &options->line, options, argc, argv) < 0)
		return -1;
	options->source.path = options->line.path;
	options->source.must_exist = options->line.must_exist;
	options->source.handed = activation_present();
	if (options->line.action == ACTION_RUN && options->addresses && options->source.handed)
		return command_refuse(&echod_command,
				      "-l cannot be used with sockets handed over by the service "
				      "manager (LISTEN_FDS): remove one of them");
	return 0;
}

void options_clear(struct options *options)
{
	free(options->addresses);
	options->addresses = NULL;
	options->source.addresses = NULL;
	options->source.address_count = 0;
}
