/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Parses the command line, and reports errors in it. Owns the addresses of -l until options_clear.
 * Called once, by main, before anything else.
 */

#include "config.h"

#include "echod/config/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/activation.h"

static const char synopsis[] =
	"usage: echod [-c FILE] [-l ADDRESS]... [-t | -T] [-v]... [-V] [-h]\n";

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'}, {"listen", required_argument, NULL, 'l'},
	{"test", no_argument, NULL, 't'},	  {"dump", no_argument, NULL, 'T'},
	{"verbose", no_argument, NULL, 'v'},	  {"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0},
};

void options_usage(void)
{
	fputs(synopsis, stdout);
	fputs("\n"
	      "Sends back what it receives, over TCP, UDP and UNIX sockets.\n"
	      "\n"
	      "  -c, --config FILE     read FILE (default: " SYSCONFDIR "/echod.conf)\n"
	      "  -l, --listen ADDRESS  serve TCP and UDP at ADDRESS instead of the file's\n"
	      "                        listeners; may be repeated\n"
	      "  -t, --test            check the file, print every error, and exit\n"
	      "  -T, --dump            print the configuration in force, and exit\n"
	      "  -v, --verbose         log each connection; twice: everything\n"
	      "  -V, --version         print the version, and exit\n"
	      "  -h, --help            print this, and exit\n"
	      "\n"
	      "ADDRESS is *:PORT, :PORT, IPV4:PORT, [IPV6]:PORT, [IPV6%ZONE]:PORT,\n"
	      "localhost:PORT, unix:/PATH or unixgram:/PATH.\n"
	      "\n"
	      "SIGHUP reloads the file, SIGTERM and SIGINT stop, SIGUSR1 logs the counters.\n"
	      "See echod(8) and echod.conf(5).\n",
	      stdout);
}

PRINTF_LIKE(1, 2)
static int bad_usage(const char *format, ...)
{
	va_list args;

	fputs("echod: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n%sTry 'echod --help'.\n", synopsis);
	return -1;
}

static int add_address(struct options *options, const char *text)
{
	size_t count = options->source.address_count;
	struct listen_address address;
	struct listen_address *grown;
	struct reason reason;

	if (listen_address_parse(&address, text, &reason) < 0)
		return bad_usage("-l %s: %s", text, reason.text);
	if (address.zone[0] != '\0')
		return bad_usage("-l %s: there is no network interface \"%s\"", text, address.zone);
	for (size_t i = 0; i < count; i++) {
		if (listen_address_collides(&options->addresses[i], &address))
			return bad_usage("-l %s: this address was given before", text);
	}
	grown = reallocarray(options->addresses, count + 1, sizeof(*grown));
	if (!grown)
		return bad_usage("-l %s: out of memory", text);
	grown[count] = address;
	options->addresses = grown;
	options->source.addresses = grown;
	options->source.address_count = count + 1;
	return 0;
}

static int set_file(struct options *options, const char *path)
{
	if (*path == '\0')
		return bad_usage("-c needs a file name");
	options->source.path = path;
	options->source.must_exist = true;
	return 0;
}

static int set_check(struct options *options, enum action action)
{
	if (options->action != ACTION_RUN && options->action != action)
		return bad_usage("-t and -T cannot be used together: choose one");
	options->action = action;
	return 0;
}

static int set_last(struct options *options, enum action action)
{
	options->action = action;
	return 0;
}

/* getopt_long returns '?' for an unknown long option, and for a value that it does not take. */
static int refuse_option(const char *word)
{
	if (strncmp(word, "--", 2) != 0)
		return bad_usage("unknown option -%c", optopt);
	if (optopt != 0)
		return bad_usage("option %.*s takes no value", (int)strcspn(word, "="), word);
	return bad_usage("unknown or ambiguous option %s", word);
}

/* WORD is the argument that contains the option. */
static int take_option(struct options *options, int option, const char *word)
{
	switch (option) {
	case 'c':
		return set_file(options, optarg);
	case 'l':
		return add_address(options, optarg);
	case 't':
		return set_check(options, ACTION_TEST);
	case 'T':
		return set_check(options, ACTION_DUMP);
	case 'v':
		options->verbose++;
		return 0;
	case 'V':
		return set_last(options, ACTION_VERSION);
	case 'h':
		return set_last(options, ACTION_HELP);
	case ':':
		return bad_usage("option %s needs a value: %s", word,
				 optopt == 'c' ? "the name of a file" : "an address to serve");
	default:
		return refuse_option(word);
	}
}

int options_parse(struct options *options, int argc, char *argv[])
{
	int option, at;

	memset(options, 0, sizeof(*options));
	options->source.path = SYSCONFDIR "/echod.conf";
	optind = 0; /* glibc: reset, so that tests can parse more than once */
	for (;;) {
		at = optind > 0 ? optind : 1; /* optind stays while a word has more letters */
		option = getopt_long(argc, argv, "+:c:l:tTvVh", long_options, NULL);
		if (option == -1)
			break;
		if (take_option(options, option, argv[at]) < 0)
			return -1;
		if (options->action == ACTION_VERSION || options->action == ACTION_HELP)
			return 0;
	}
	if (optind < argc)
		return bad_usage("unexpected argument '%s': echod takes options only",
				 argv[optind]);
	options->source.handed = activation_present();
	if (options->action == ACTION_RUN && options->addresses && options->source.handed)
		return bad_usage("-l cannot be used with sockets handed over by the service "
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
