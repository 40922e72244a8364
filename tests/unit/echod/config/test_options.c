/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The command line: what each option means, and that whatever is wrong is refused with a message
 * that says so.
 */

#include "config.h"

#include "echod/config/options.h"
#include "support/test.h"
#include "unit/faults.h"

#define ARGUMENTS_MAX 16

static struct options options;
static char text[8192];

static void teardown(void)
{
	options_clear(&options);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
}

/* What RUN writes to STREAM, which is FD, ends up in text. */
static int captured(FILE *stream, int fd, int (*run)(char *argv[]), char *argv[])
{
	int saved = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	int ends[2];
	int status;
	ssize_t n;

	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	fflush(stream);
	dup2(ends[1], fd);
	status = run(argv);
	fflush(stream);
	dup2(saved, fd);
	n = read(ends[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(saved);
	close(ends[0]);
	close(ends[1]);
	return status;
}

static int run_parse(char *argv[])
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return options_parse(&options, argc, argv);
}

/* LINE is split at its blanks; what goes to standard error ends up in text. */
static int parse(const char *line)
{
	static char words[512];
	char *argv[ARGUMENTS_MAX] = {(char[]){"echod"}};
	char *rest;
	int argc = 1;

	options_clear(&options);
	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	ck_assert_int_lt(argc, ARGUMENTS_MAX);
	return captured(stderr, STDERR_FILENO, run_parse, argv);
}

static void assert_accepted(const char *line)
{
	ck_assert_msg(parse(line) == 0, "\"%s\" was refused: %s", line, text);
	ck_assert_str_eq(text, "");
}

static void assert_refused(const char *line, const char *why)
{
	ck_assert_msg(parse(line) == -1, "\"%s\" was accepted", line);
	ck_assert_msg(strstr(text, why) != NULL, "\"%s\": %s", line, text);
	ck_assert_msg(strncmp(text, "echod: ", 7) == 0, "%s", text);
	ck_assert_msg(strstr(text, "usage: echod [-c FILE]") != NULL, "%s", text);
}

TEST_CASE("command line", NULL, teardown);

TEST(no_options_serve_the_default_file_if_there_is_one)
{
	assert_accepted("");
	ck_assert_int_eq(options.action, ACTION_RUN);
	ck_assert_str_eq(options.source.path, SYSCONFDIR "/echod.conf");
	ck_assert(!options.source.must_exist);
	ck_assert_uint_eq(options.source.address_count, 0);
	ck_assert_ptr_null(options.source.addresses);
	ck_assert_uint_eq(options.verbose, 0);
}

TEST(a_named_file_must_exist)
{
	static const char *const lines[] = {"-c /a/b", "-c/a/b", "--config /a/b", "--config=/a/b",
					    "-c /x -c /a/b"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_accepted(lines[i]);
		ck_assert_str_eq(options.source.path, "/a/b");
		ck_assert(options.source.must_exist);
	}
}

TEST(each_action_has_a_short_and_a_long_name)
{
	static const struct {
		const char *line;
		enum action action;
	} cases[] = {
		{"-t", ACTION_TEST},
		{"--test", ACTION_TEST},
		{"-t -t", ACTION_TEST},
		{"-T", ACTION_DUMP},
		{"--dump", ACTION_DUMP},
		{"-V", ACTION_VERSION},
		{"--version", ACTION_VERSION},
		{"-h", ACTION_HELP},
		{"--help", ACTION_HELP},
		{"-t -V", ACTION_VERSION},
		{"-T --help", ACTION_HELP},
		{"--he", ACTION_HELP},
		{"-V surplus", ACTION_VERSION},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_accepted(cases[i].line);
		ck_assert_int_eq(options.action, cases[i].action);
	}
}

TEST(verbosity_adds_up)
{
	assert_accepted("-v");
	ck_assert_uint_eq(options.verbose, 1);
	assert_accepted("-vv");
	ck_assert_uint_eq(options.verbose, 2);
	assert_accepted("--verbose -v -t --verbose");
	ck_assert_uint_eq(options.verbose, 3);
}

TEST(addresses_are_kept_in_order)
{
	char address[LISTEN_ADDRESS_TEXT_MAX];

	assert_accepted("-l *:7007 --listen [::1]:7008 --listen=unix:/run/echo -lunixgram:/run/g");
	ck_assert_uint_eq(options.source.address_count, 4);
	ck_assert_ptr_eq(options.source.addresses, options.addresses);
	ck_assert_str_eq(listen_address_format(&options.addresses[0], address), "*:7007");
	ck_assert_str_eq(listen_address_format(&options.addresses[1], address), "[::1]:7008");
	ck_assert_str_eq(listen_address_format(&options.addresses[2], address), "unix:/run/echo");
	ck_assert_str_eq(listen_address_format(&options.addresses[3], address), "unixgram:/run/g");
	options_clear(&options);
	ck_assert_uint_eq(options.source.address_count, 0);
	options_clear(&options);
}

TEST(a_bad_address_is_bad_usage)
{
	assert_refused("-l localhost", "-l localhost: ");
	assert_refused("-l *:70000", "-l *:70000: ");
	assert_refused("-l example.org:7", "-l example.org:7: ");
	assert_refused("-l *:7 -l 7", "-l 7: ");
	assert_refused("-l [fe80::1%nosuch0]:7",
		       "-l [fe80::1%nosuch0]:7: there is no network interface \"nosuch0\"");
	assert_refused("-l [fe80::1%4294967295]:7",
		       "-l [fe80::1%4294967295]:7: there is no network interface \"4294967295\"");
	assert_refused("-l *:7 -l *:8 -l *:7", "-l *:7: this address was given before");
	assert_refused("-t -l x", "-l x: ");
}

TEST(what_is_not_allowed_is_refused_in_words)
{
	assert_refused("-x", "unknown option -x");
	assert_refused("-tx", "unknown option -x");
	assert_refused("--verbose -xv", "unknown option -x");
	assert_refused("--config /a/b -vxv", "unknown option -x");
	assert_refused("-v --test=1", "option --test takes no value");
	assert_refused("--nonsense", "unknown or ambiguous option --nonsense");
	assert_refused("--ver", "unknown or ambiguous option --ver");
	assert_refused("--test=1", "option --test takes no value");
	assert_refused("-c", "option -c needs a value: the name of a file");
	assert_refused("--config", "option --config needs a value: the name of a file");
	assert_refused("-t -l", "option -l needs a value: an address");
	assert_refused("--config=", "-c needs a file name");
	assert_refused("-t -T", "-t and -T cannot be used together");
	assert_refused("-T --test", "-t and -T cannot be used together");
	assert_refused("surplus", "unexpected argument 'surplus'");
	assert_refused("-v -- -t", "unexpected argument '-t'");
	assert_refused("start -t", "unexpected argument 'start'");
}

TEST(addresses_beside_handed_sockets_are_refused)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	assert_refused("-l *:7", "sockets handed over by the service manager (LISTEN_FDS)");
	assert_accepted("");
	ck_assert(options.source.handed);
	assert_accepted("-t -l *:7");
	setenv("LISTEN_PID", "1", 1);
	assert_accepted("-l *:7");
	ck_assert(!options.source.handed);
}

static int run_usage(char *argv[] UNUSED)
{
	options_usage();
	return 0;
}

TEST(usage_names_every_option_and_fits_a_terminal)
{
	static const char *const names[] = {
		"-c, --config FILE", "-l, --listen ADDRESS", "-t, --test",
		"-T, --dump",	     "usage: echod ",	     "-v, --verbose",
		"-V, --version",     "-h, --help",	     "unixgram:/PATH"};
	char *rest;

	captured(stdout, STDOUT_FILENO, run_usage, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_msg(strstr(text, names[i]) != NULL, "%s", names[i]);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!strstr(line, SYSCONFDIR)) /* that is as long as the builder wants it */
			ck_assert_uint_le(strlen(line), 80);
	}
}

static int run_parse_without_memory(char *argv[])
{
	int status;

	fault_next(MEMORY, ENOMEM);
	status = run_parse(argv);
	ck_assert(fault_over());
	return status;
}

TEST(no_memory_for_an_address_is_reported)
{
	char *argv[] = {(char[]){"echod"}, (char[]){"-l"}, (char[]){"127.0.0.1:7007"}, NULL};

	ck_assert_int_eq(captured(stderr, STDERR_FILENO, run_parse_without_memory, argv), -1);
	ck_assert_msg(strstr(text, "-l 127.0.0.1:7007: out of memory\n") != NULL, "%s", text);
}
