/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See command_line.h. */

#include "config.h"

#include "daemon/command_line.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define COMMON_OPTIONS 6

static const struct option common_options[COMMON_OPTIONS] = {
	{"config", required_argument, NULL, 'c'}, {"test", no_argument, NULL, 't'},
	{"dump", no_argument, NULL, 'T'},	  {"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},	  {"help", no_argument, NULL, 'h'},
};

/* All options, as getopt_long takes them. */
struct spelling {
	char letters[sizeof("+:c:tTvVh") + 2 * (size_t)COMMAND_OPTIONS_MAX];
	struct option names[COMMON_OPTIONS + COMMAND_OPTIONS_MAX + 1];
};

static void spell(struct spelling *spelling, const struct command_option *own)
{
	char *letter = stpcpy(spelling->letters, "+:c:tTvVh");
	struct option *name = &spelling->names[COMMON_OPTIONS];

	memset(spelling->names, 0, sizeof(spelling->names));
	memcpy(spelling->names, common_options, sizeof(common_options));
	for (; own->name; own++) {
		assert(name < &spelling->names[COMMON_OPTIONS + COMMAND_OPTIONS_MAX]);
		*name++ = (struct option){own->name, own->value ? required_argument : no_argument,
					  NULL, own->letter};
		*letter++ = own->letter;
		if (own->value)
			*letter++ = ':';
	}
	*letter = '\0';
}

static void write_synopsis(const struct command *command, FILE *out)
{
	fprintf(out, "usage: %s [-c FILE]%s [-t | -T] [-v]... [-V] [-h]\n", command->program,
		command->synopsis);
}

static void write_help(const struct command *command)
{
	write_synopsis(command, stdout);
	printf("\n"
	       "%s\n"
	       "\n"
	       "  -c, --config FILE     read FILE (default: %s)\n"
	       "%s"
	       "  -t, --test            check the file, print every error, and exit\n"
	       "  -T, --dump            print the configuration in force, and exit\n"
	       "  -v, --verbose         log %s; twice: everything\n"
	       "  -V, --version         print the version, and exit\n"
	       "  -h, --help            print this, and exit\n"
	       "\n"
	       "%s"
	       "SIGHUP reloads the file, SIGTERM and SIGINT stop, SIGUSR1 logs the counters.\n"
	       "See %s(8) and %s.conf(5).\n",
	       command->purpose, command->file, command->help, command->verbose, command->notes,
	       command->program, command->program);
}

bool command_inform(const struct command *command, enum action action)
{
	if (action == ACTION_HELP)
		write_help(command);
	else if (action == ACTION_VERSION)
		printf("%s %s\n", command->program, PACKAGE_VERSION);
	else
		return false;
	return true;
}

int command_refuse(const struct command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", command->program);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	write_synopsis(command, stderr);
	fprintf(stderr, "Try '%s --help'.\n", command->program);
	return -1;
}

static int set_file(const struct command *command, struct command_line *line, const char *path)
{
	if (*path == '\0')
		return command_refuse(command, "-c needs a file name");
	line->path = path;
	line->must_exist = true;
	return 0;
}

static int set_check(const struct command *command, struct command_line *line, enum action action)
{
	if (line->action != ACTION_RUN && line->action != action)
		return command_refuse(command, "-t and -T cannot be used together: choose one");
	line->action = action;
	return 0;
}

static const struct command_option *find_own(const struct command *command, int letter)
{
	const struct command_option *own = command->options;

	while (own->name && own->letter != letter)
		own++;
	return own->name ? own : NULL;
}

/* getopt_long returns '?' for an unknown long option, and for a value that it does not take. */
static int refuse_option(const struct command *command, const char *word)
{
	if (strncmp(word, "--", 2) != 0)
		return command_refuse(command, "unknown option -%c", optopt);
	if (optopt != 0)
		return command_refuse(command, "option %.*s takes no value",
				      (int)strcspn(word, "="), word);
	return command_refuse(command, "unknown or ambiguous option %s", word);
}

static int refuse_no_value(const struct command *command, const char *word)
{
	const struct command_option *own = find_own(command, optopt);

	return command_refuse(command, "option %s needs a value: %s", word,
			      own ? own->value : "the name of a file");
}

static int take_own(const struct command *command, void *arg, int letter, const char *word)
{
	const struct command_option *own = find_own(command, letter);

	return own ? own->take(arg, optarg) : refuse_option(command, word);
}

/* WORD is the argument that contains the option. */
static int take_option(const struct command *command, struct command_line *line, void *arg,
		       int option, const char *word)
{
	switch (option) {
	case 'c':
		return set_file(command, line, optarg);
	case 't':
		return set_check(command, line, ACTION_TEST);
	case 'T':
		return set_check(command, line, ACTION_DUMP);
	case 'v':
		line->verbose++;
		return 0;
	case 'V':
		line->action = ACTION_VERSION;
		return 0;
	case 'h':
		line->action = ACTION_HELP;
		return 0;
	case ':':
		return refuse_no_value(command, word);
	default:
		return take_own(command, arg, option, word);
	}
}

int command_parse(const struct command *command, struct command_line *line, void *arg, int argc,
		  char *argv[])
{
	struct spelling spelling;
	int option, at;

	spell(&spelling, command->options);
	*line = (struct command_line){.path = command->file};
	optind = 0; /* glibc: reset, so that tests can parse more than once */
	for (;;) {
		at = optind > 0 ? optind : 1; /* optind stays while a word has more letters */
		option = getopt_long(argc, argv, spelling.letters, spelling.names, NULL);
		if (option == -1)
			break;
		if (take_option(command, line, arg, option, argv[at]) < 0)
			return -1;
		if (line->action == ACTION_VERSION || line->action == ACTION_HELP)
			return 0;
	}
	if (optind < argc)
		return command_refuse(command, "unexpected argument '%s': %s takes options only",
				      argv[optind], command->program);
	return 0;
}
