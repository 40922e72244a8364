/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The command line: options by their table, then the target. Owns nothing; main calls it before
 * anything else.
 */

#include "config.h"

#include "echoc/command/command_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/stamp_format.h"
#include "echoc/command/help.h"
#include "echoc/command/option_table.h"
#include "probe/traffic_class.h"
#include "probe/train.h"

/* Outstanding with -g and without -p: more than sockets have room for would be lost. */
#define TRAINS 8
#define TRAINS_BYTES (256u << 10)
PRINTF_LIKE(1, 2)
static int bad_usage(const char *format, ...)
{
	va_list args;

	fputs("echoc: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

static int set_option(struct arguments *arguments, const struct option_row *row, const char *text)
{
	struct reason reason;

	if (option_set(arguments, row, text, &reason) == 0)
		return 0;
	if (row->letter >= LONG_REPORT)
		return bad_usage("--%s %s: %s", option_long_name(row->letter), text, reason.text);
	return bad_usage("-%c %s: %s", row->letter, text, reason.text);
}

static int refuse_option(const struct mode *mode, int problem, const char *word)
{
	if (problem == ':' && optopt < LONG_REPORT)
		return bad_usage("-%c needs a value", optopt);
	if (problem == ':')
		return bad_usage("%s needs a value", word);
	if (optopt == 0) /* getopt knows letters only */
		return bad_usage("unknown option %s", word);
	if (option_find(mode, optopt)) /* only --option=VALUE leads here */
		return bad_usage("%.*s takes no value", (int)strcspn(word, "="), word);
	return bad_usage("%s has no option -%c", mode->name, optopt);
}

/* With one train at a time the two sides would sleep in turn. */
static uint64_t depth_of_trains(size_t size)
{
	unsigned length = train_length(size);
	size_t trains = TRAINS_BYTES / (length * size);

	return (uint64_t)length * (trains > TRAINS ? TRAINS : trains);
}

static int read_options(struct arguments *arguments, int argc, char *argv[])
{
	char letters[SHORT_OPTIONS_MAX];
	const struct mode *mode = arguments->mode;
	bool has_depth = false, has_size = false;
	int letter;

	option_letters(mode, letters);
	opterr = 0;
	optind = 0; /* glibc: from the start, whatever was read before */
	while ((letter = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		const struct option_row *row = option_find(mode, letter);

		if (letter == '?' || letter == ':')
			return refuse_option(mode, letter, argv[optind - 1]);
		if (!row)
			return bad_usage("%s has no option --%s", mode->name,
					 option_long_name(letter));
		if (set_option(arguments, row, optarg) < 0)
			return -1;
		has_depth |= letter == 'p';
		has_size |= letter == 's';
	}
	if (arguments->rate > 0 && has_depth)
		fputs("echoc: -p has no effect with -r: the schedule decides what is sent\n",
		      stderr);
	if (arguments->stamp && !has_size)
		arguments->size = 0; /* what its options take */
	else if (arguments->gso && !has_depth)
		arguments->depth = depth_of_trains((size_t)arguments->size);
	return optind;
}

static bool has_ip_options(const struct target_options *target)
{
	return target->source || target->fragmenting != FRAGMENTING_DEFAULT || target->tos != 0 ||
	       target->ttl != 0 || target->proxy != PROXY_GREETING_NONE;
}

/* What a unix socket has no use for. */
static int check_unix(const struct arguments *arguments, bool is_datagram)
{
	if (arguments->mode->needs_host)
		return bad_usage("%s needs a host: a unix socket has no path through a network",
				 arguments->mode->name);
	if (arguments->only_tcp)
		return bad_usage("-t does not apply to unix sockets");
	if (arguments->stamp || arguments->plus)
		return bad_usage("--stamp and --plus do not apply to unix sockets");
	if (!is_datagram && arguments->target.udp)
		return bad_usage("unix: is a stream: use unixgram:/PATH for datagrams");
	if (arguments->only_v4 || arguments->only_v6 || has_ip_options(&arguments->target))
		return bad_usage(
			"-4, -6, -I, -M, -Q, --ttl and --proxy do not apply to unix sockets");
	return 0;
}

/* What the protocol decides itself. */
static int check_protocol(const struct target_options *target)
{
	if (target->udp && target->proxy != PROXY_GREETING_NONE)
		return bad_usage("--proxy applies to TCP only");
	if (!target->udp && (target->tos & TRAFFIC_CLASS_ECN) != 0)
		return bad_usage("-Q: with TCP the kernel sets ECN: see net.ipv4.tcp_ecn");
	return 0;
}

/* What only far sides that measure, too, have a use for. */
static int check_measuring(const struct arguments *arguments, bool measures)
{
	if ((arguments->key_file || arguments->ssid > 0) && !arguments->stamp &&
	    !arguments->mode->speaks_stamp)
		return bad_usage("--key-file and --ssid need --stamp");
	if ((arguments->ttl_guarded || arguments->ttl_fresh) && !measures)
		return bad_usage("--ttl-guarded and --ttl-fresh need --stamp or --plus");
	if (arguments->ttl_guarded && arguments->ttl_fresh)
		return bad_usage("--ttl-guarded and --ttl-fresh cannot be used together: choose "
				 "one");
	return 0;
}

/* The far sides that measure, too, are UDP only. */
static int check_far_side(struct arguments *arguments)
{
	bool measures = arguments->stamp || arguments->plus;

	if (arguments->stamp && arguments->plus)
		return bad_usage("--stamp and --plus cannot be used together: choose one");
	if (arguments->only_tcp && measures)
		return bad_usage("-t does not apply to --stamp and --plus, which are UDP only");
	if (check_measuring(arguments, measures) < 0)
		return -1;
	arguments->target.udp |= measures;
	if (arguments->stamp)
		arguments->target.default_port = STAMP_PORT;
	/* As RFC 8762 has it: what the reflector sees of it tells how many routers there are. */
	if (arguments->stamp && arguments->target.ttl == 0)
		arguments->target.ttl = STAMP_TTL;
	return 0;
}

/* -g, --connect and -j, which other modes do not have. */
static int check_bench(const struct arguments *arguments, bool is_unixgram)
{
	if (arguments->gso && (!arguments->target.udp || is_unixgram))
		return bad_usage("-g sends UDP: add -u");
	if (arguments->connect && (arguments->target.udp || is_unixgram))
		return bad_usage("--connect: datagrams have no connections");
	if (arguments->connect && arguments->depth > 1)
		return bad_usage("--connect: a connection has one message: leave out -p");
	if (arguments->threads > arguments->connections)
		return bad_usage("-j %llu: more threads than connections (-c %llu)",
				 (unsigned long long)arguments->threads,
				 (unsigned long long)arguments->connections);
	return 0;
}

static int check_together(struct arguments *arguments)
{
	bool is_unixgram = strncmp(arguments->target.name, "unixgram:", 9) == 0;
	bool is_unix = strncmp(arguments->target.name, "unix:", 5) == 0;

	if (check_far_side(arguments) < 0)
		return -1;
	if (arguments->only_v4 && arguments->only_v6)
		return bad_usage("-4 and -6 cannot be used together: choose one");
	if (arguments->only_tcp && arguments->target.udp)
		return bad_usage("-t and -u cannot be used together: choose one");
	if ((is_unix || is_unixgram) && check_unix(arguments, is_unixgram) < 0)
		return -1;
	if (check_protocol(&arguments->target) < 0)
		return -1;
	return check_bench(arguments, is_unixgram);
}

static int take_operands(struct arguments *arguments, int count, char *const operands[])
{
	if (count < 1)
		return bad_usage("missing target: HOST[:PORT]");
	if (count > 1 && !arguments->mode->takes_text)
		return bad_usage("more than one target: \"%s\"", operands[1]);
	arguments->target.name = operands[0];
	arguments->texts = operands + 1;
	arguments->text_count = (size_t)count - 1;
	if (arguments->only_v4 || arguments->only_v6)
		arguments->target.family = arguments->only_v4 ? AF_INET : AF_INET6;
	arguments->target.udp |= arguments->mode->prefers_udp && !arguments->only_tcp;
	return check_together(arguments);
}

/* Without a mode only -V and -h are valid. */
static int parse_without_mode(struct arguments *arguments, const struct mode *modes,
			      const char *word)
{
	char names[MODE_NAMES_MAX];

	arguments->version = strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0;
	arguments->help = strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
	if (arguments->version || arguments->help)
		return 0;
	return bad_usage("unknown mode \"%s\": use %s", word, mode_names(modes, names));
}

static int parse(struct arguments *arguments, const struct mode *modes, int argc, char *argv[])
{
	char names[MODE_NAMES_MAX];
	int used;

	memset(arguments, 0, sizeof(*arguments));
	if (argc < 2)
		return bad_usage("missing mode: use %s", mode_names(modes, names));
	arguments->mode = mode_find(modes, argv[1]);
	if (!arguments->mode)
		return parse_without_mode(arguments, modes, argv[1]);
	option_set_defaults(arguments);
	used = read_options(arguments, argc - 1, argv + 1);
	if (used < 0)
		return -1;
	if (arguments->version || arguments->help)
		return 0;
	return take_operands(arguments, argc - 1 - used, argv + 1 + used);
}

int command_line_parse(struct arguments *arguments, const struct mode *modes, int argc,
		       char *argv[])
{
	if (parse(arguments, modes, argc, argv) == 0)
		return 0;
	help_print_usage(stderr, arguments->mode);
	fputs("Try 'echoc --help'.\n", stderr);
	return -1;
}
