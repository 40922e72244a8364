/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The command line, driven by one table: which option belongs to which mode, what it takes, its
 * default as text. Owns nothing; main calls it before anything else.
 */

#include "config.h"

#include "echoc/command/arguments.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "probe/probe.h"
#include "probe/train.h"

/* Outstanding with -g, unless -p says otherwise: more than sockets have room for would be lost. */
#define TRAINS 8
#define TRAINS_BYTES (256u << 10)
#define HOUR_MS UINT64_C(3600000)
#define YEAR_MS (365 * 24 * HOUR_MS)

enum kind { KIND_FLAG, KIND_TEXT, KIND_NUMBER, KIND_DURATION, KIND_SIZE, KIND_FRAGMENTING };

/* Letters of the options that have only a long name. */
enum { LONG_REPORT = 256, LONG_JSON };

struct option_row {
	int letter;
	const char *modes; /* p, b, s */
	enum kind kind;
	size_t offset;
	const char *fallback; /* read like what a user writes */
	uint64_t min;
	uint64_t max;
};

#define AT(member) offsetof(struct arguments, member)

static const struct option_row rows[] = {
	{'4', "pbs", KIND_FLAG, AT(only_v4), NULL, 0, 0},
	{'6', "pbs", KIND_FLAG, AT(only_v6), NULL, 0, 0},
	{'u', "pbs", KIND_FLAG, AT(target.udp), NULL, 0, 0},
	{'v', "pbs", KIND_FLAG, AT(verbose), NULL, 0, 0},
	{'V', "pbs", KIND_FLAG, AT(version), NULL, 0, 0},
	{'h', "pbs", KIND_FLAG, AT(help), NULL, 0, 0},
	{LONG_JSON, "pbs", KIND_FLAG, AT(json), NULL, 0, 0},
	{'I', "pbs", KIND_TEXT, AT(target.source), NULL, 0, 0},
	{'M', "pbs", KIND_FRAGMENTING, AT(target.fragmenting), NULL, 0, 0},
	{'c', "p", KIND_NUMBER, AT(count), NULL, 1, UINT64_MAX >> 8},
	{'i', "p", KIND_DURATION, AT(interval_ms), "1s", 1, 24 * HOUR_MS},
	{'W', "p", KIND_DURATION, AT(timeout_ms), "1s", 1, HOUR_MS},
	{LONG_REPORT, "p", KIND_DURATION, AT(report_ms), NULL, 1, YEAR_MS},
	{'q', "p", KIND_FLAG, AT(quiet), NULL, 0, 0},
	{'s', "pb", KIND_SIZE, AT(size), "64", PROBE_SIZE_MIN, PROBE_SIZE_MAX},
	{'c', "b", KIND_NUMBER, AT(connections), "1", 1, 65536},
	{'p', "b", KIND_NUMBER, AT(depth), "1", 1, 65536},
	{'r', "b", KIND_NUMBER, AT(rate), NULL, 1, 100000000},
	{'d', "b", KIND_DURATION, AT(duration_ms), "10s", 10, YEAR_MS},
	{'j', "b", KIND_NUMBER, AT(threads), "1", 1, 1024},
	{'g', "b", KIND_FLAG, AT(gso), NULL, 0, 0},
	{'w', "s", KIND_DURATION, AT(timeout_ms), "5s", 1, 24 * HOUR_MS},
};

static const struct option long_options[] = {
	{"report", required_argument, NULL, LONG_REPORT},
	{"json", no_argument, NULL, LONG_JSON},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

const char *const mode_names[] = {"ping", "bench", "send", NULL};
static const char mode_letters[] = "pbs";

static const char synopsis[] =
	"usage: echoc ping  [-u] [-c N] [-i INTERVAL] [-s SIZE] [-W TIMEOUT]\n"
	"                   [--report INTERVAL] [-q] HOST[:PORT]\n"
	"       echoc bench [-u] [-c CONNECTIONS] [-s SIZE] [-p DEPTH] [-r RATE]\n"
	"                   [-d DURATION] [-j THREADS] [-g] HOST[:PORT]\n"
	"       echoc send  [-u] [-w TIMEOUT] HOST[:PORT] [TEXT...]\n";

void arguments_help(void)
{
	fputs(synopsis, stdout);
	fputs("\n"
	      "Talks to an echo server and checks every byte that comes back.\n"
	      "\n"
	      "  ping   one probe each INTERVAL (1s): is the path there, what is its delay\n"
	      "  bench  as many as DEPTH (1) outstanding on each connection, or RATE a second:\n"
	      "         how much does it carry, with what delay\n"
	      "  send   TEXT or standard input: what goes out must come back\n"
	      "\n"
	      "  -u  over UDP instead of TCP         -I ADDRESS  from this address\n"
	      "  -4, -6  only IPv4, only IPv6        -v  say more\n"
	      "  -M do|want|dont  path MTU discovery; do: never fragment\n"
	      "  --json  one JSON object a line      -V  print the version    -h  print this\n"
	      "\n"
	      "ping:   -c N probes (endless)  -s SIZE in bytes (64)  -W TIMEOUT for a reply (1s)\n"
	      "        --report INTERVAL: a summary each interval    -q  only the summary\n"
	      "bench:  -c CONNECTIONS (1)  -s SIZE (64)  -d DURATION (10s)  -j THREADS (1)\n"
	      "        -g  send UDP as trains, several of them outstanding unless -p is given\n"
	      "send:   -w TIMEOUT: give up when nothing moves for so long (5s)\n"
	      "\n"
	      "HOST[:PORT] is a name or an address, [V6]:PORT, unix:/PATH or unixgram:/PATH; the\n"
	      "port is 7 unless given. Durations end in ms, s, m, h or d; sizes in k or m.\n"
	      "Exit status: 0 all came back intact, 1 something did not, 2 could not start.\n"
	      "See echoc(1).\n",
	      stdout);
}

PRINTF_LIKE(1, 2)
static int bad_usage(const char *format, ...)
{
	va_list args;

	fputs("echoc: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n%sTry 'echoc --help'.\n", synopsis);
	return -1;
}

static const struct option_row *find_row(enum mode mode, int letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].letter == letter && strchr(rows[i].modes, mode_letters[mode]))
			return &rows[i];
	}
	return NULL;
}

static int parse_fragmenting(const char *text, enum fragmenting *fragmenting, struct reason *reason)
{
	static const char *const words[] = {"", "do", "want", "dont"};

	for (size_t i = FRAGMENTING_DO; i < ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*fragmenting = (enum fragmenting)i;
		return 0;
	}
	return reason_set(reason, "must be do, want or dont");
}

static int set_value(struct arguments *arguments, const struct option_row *row, const char *text,
		     struct reason *reason)
{
	void *member = (char *)arguments + row->offset;

	switch (row->kind) {
	case KIND_TEXT:
		*(const char **)member = text;
		return 0;
	case KIND_NUMBER:
		return parse_unsigned(text, row->min, row->max, member, reason);
	case KIND_DURATION:
		return parse_duration(text, row->min, row->max, member, reason);
	case KIND_SIZE:
		return parse_size(text, row->min, row->max, member, reason);
	case KIND_FRAGMENTING:
		return parse_fragmenting(text, member, reason);
	case KIND_FLAG:
	default:
		*(bool *)member = true;
		return 0;
	}
}

static int set_option(struct arguments *arguments, const struct option_row *row, const char *text)
{
	struct reason reason;

	if (set_value(arguments, row, text, &reason) == 0)
		return 0;
	if (row->letter == LONG_REPORT)
		return bad_usage("--report %s: %s", text, reason.text);
	return bad_usage("-%c %s: %s", row->letter, text, reason.text);
}

static void set_defaults(struct arguments *arguments, enum mode mode)
{
	memset(arguments, 0, sizeof(*arguments));
	arguments->mode = mode;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reason ignored;

		if (rows[i].fallback && strchr(rows[i].modes, mode_letters[mode]))
			(void)!set_value(arguments, &rows[i], rows[i].fallback, &ignored);
	}
}

/* What getopt wants to know; a TEXT of send may begin with a dash, so options end before it. */
static void short_options(enum mode mode, char text[static 2 * ARRAY_SIZE(rows) + 3])
{
	if (mode == MODE_SEND)
		*text++ = '+';
	*text++ = ':';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].letter >= LONG_REPORT || !strchr(rows[i].modes, mode_letters[mode]))
			continue;
		*text++ = (char)rows[i].letter;
		if (rows[i].kind != KIND_FLAG)
			*text++ = ':';
	}
	*text = '\0';
}

static int refuse_option(enum mode mode, int problem, const char *word)
{
	if (problem == ':' && optopt < LONG_REPORT)
		return bad_usage("-%c needs a value", optopt);
	if (problem == ':')
		return bad_usage("%s needs a value", word);
	if (optopt == 0) /* getopt knows letters only */
		return bad_usage("unknown option %s", word);
	if (find_row(mode, optopt)) /* only --option=VALUE brings us here */
		return bad_usage("%.*s takes no value", (int)strcspn(word, "="), word);
	return bad_usage("%s has no option -%c", mode_names[mode], optopt);
}

static const char *long_name(int letter)
{
	const struct option *option = long_options;

	while (option->val != letter)
		option++;
	return option->name;
}

/* One train at a time would have both sides sleep in turn. */
static uint64_t depth_of_trains(size_t size)
{
	unsigned length = train_length(size);
	size_t trains = TRAINS_BYTES / (length * size);

	return (uint64_t)length * (trains > TRAINS ? TRAINS : trains);
}

static int read_options(struct arguments *arguments, int argc, char *argv[])
{
	char letters[2 * ARRAY_SIZE(rows) + 3];
	enum mode mode = arguments->mode;
	bool has_depth = false;
	int letter;

	short_options(mode, letters);
	opterr = 0;
	optind = 0; /* glibc: from the start, whatever was read before */
	while ((letter = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
		const struct option_row *row = find_row(mode, letter);

		if (letter == '?' || letter == ':')
			return refuse_option(mode, letter, argv[optind - 1]);
		if (!row)
			return bad_usage("%s has no option --%s", mode_names[mode],
					 long_name(letter));
		if (set_option(arguments, row, optarg) < 0)
			return -1;
		has_depth |= letter == 'p';
	}
	if (arguments->rate > 0 && has_depth)
		fputs("echoc: -p has no effect with -r: the schedule decides what is sent\n",
		      stderr);
	if (arguments->gso && !has_depth)
		arguments->depth = depth_of_trains((size_t)arguments->size);
	return optind;
}

static int check_together(const struct arguments *arguments)
{
	bool is_unixgram = strncmp(arguments->target.name, "unixgram:", 9) == 0;
	bool is_unix = strncmp(arguments->target.name, "unix:", 5) == 0;

	if (arguments->only_v4 && arguments->only_v6)
		return bad_usage("-4 and -6 cannot be used together: choose one");
	if (is_unix && arguments->target.udp)
		return bad_usage("unix: is a stream: write unixgram:/PATH for datagrams");
	if ((is_unix || is_unixgram) &&
	    (arguments->only_v4 || arguments->only_v6 || arguments->target.source ||
	     arguments->target.fragmenting != FRAGMENTING_DEFAULT))
		return bad_usage("-4, -6, -I and -M do not concern unix sockets");
	if (arguments->gso && (!arguments->target.udp || is_unixgram))
		return bad_usage("-g sends UDP: add -u");
	if (arguments->mode == MODE_BENCH && arguments->threads > arguments->connections)
		return bad_usage("-j %llu: more threads than connections (-c %llu)",
				 (unsigned long long)arguments->threads,
				 (unsigned long long)arguments->connections);
	return 0;
}

static int take_operands(struct arguments *arguments, int count, char *const operands[])
{
	if (count < 1)
		return bad_usage("%s: missing target: HOST[:PORT]", mode_names[arguments->mode]);
	if (count > 1 && arguments->mode != MODE_SEND)
		return bad_usage("only one HOST[:PORT]: \"%s\" is too many", operands[1]);
	arguments->target.name = operands[0];
	arguments->texts = operands + 1;
	arguments->text_count = (size_t)count - 1;
	if (arguments->only_v4 || arguments->only_v6)
		arguments->target.family = arguments->only_v4 ? AF_INET : AF_INET6;
	return check_together(arguments);
}

/* Without a mode only -V and -h mean something. */
static int parse_without_mode(struct arguments *arguments, const char *word)
{
	arguments->version = strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0;
	arguments->help = strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
	if (arguments->version || arguments->help)
		return 0;
	return bad_usage("unknown mode \"%s\": use ping, bench or send", word);
}

int arguments_parse(struct arguments *arguments, int argc, char *argv[])
{
	unsigned mode = 0;
	int used;

	memset(arguments, 0, sizeof(*arguments));
	if (argc < 2)
		return bad_usage("missing mode: use ping, bench or send");
	while (mode_names[mode] && strcmp(mode_names[mode], argv[1]) != 0)
		mode++;
	if (!mode_names[mode])
		return parse_without_mode(arguments, argv[1]);
	set_defaults(arguments, (enum mode)mode);
	used = read_options(arguments, argc - 1, argv + 1);
	if (used < 0)
		return -1;
	if (arguments->version || arguments->help)
		return 0;
	return take_operands(arguments, argc - 1 - used, argv + 1 + used);
}
