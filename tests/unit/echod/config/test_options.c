/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echod's own part of the command line: addresses, and that whatever is wrong with them is refused
 * with a message that says so.
 */

#include "config.h"

#include "echod/config/options.h"
#include "support/test.h"
#include "unit/command_words.h"
#include "unit/faults.h"

static struct options options;

static void teardown(void)
{
	options_clear(&options);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
}

static int run_parse(char *argv[])
{
	return options_parse(&options, words_count(argv), argv);
}

static void assert_accepted(const char *line)
{
	options_clear(&options);
	ck_assert_msg(words_run("echod", line, run_parse) == 0, "\"%s\": %s", line, text);
	ck_assert_str_eq(text, "");
}

static void assert_refused(const char *line, const char *why)
{
	options_clear(&options);
	ck_assert_msg(words_run("echod", line, run_parse) == -1, "\"%s\" was accepted", line);
	ck_assert_msg(strstr(text, why) != NULL, "\"%s\": %s", line, text);
	ck_assert_msg(begins_with(text, "echod: "), "%s", text);
	ck_assert_msg(strstr(text, "usage: echod [-c FILE] [-l ADDRESS]...") != NULL, "%s", text);
}

TEST_CASE("options", NULL, teardown);

TEST(no_options_serve_the_default_file_if_there_is_one)
{
	assert_accepted("");
	ck_assert_int_eq(options.line.action, ACTION_RUN);
	ck_assert_str_eq(options.source.path, SYSCONFDIR "/echod.conf");
	ck_assert(!options.source.must_exist);
	ck_assert_uint_eq(options.source.address_count, 0);
	ck_assert_ptr_null(options.source.addresses);
	ck_assert_uint_eq(options.line.verbose, 0);
}

TEST(a_named_file_is_that_of_the_configuration)
{
	assert_accepted("-v -c /a/b");
	ck_assert_str_eq(options.source.path, "/a/b");
	ck_assert(options.source.must_exist);
}

TEST(a_missing_address_is_refused)
{
	assert_refused("-t -l", "option -l needs a value: an address");
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
	return command_inform(&echod_command, ACTION_HELP) ? 0 : -1;
}

TEST(usage_names_every_option_and_fits_a_terminal)
{
	static const char *const names[] = {
		"-c, --config FILE", "-l, --listen ADDRESS", "-t, --test",
		"-T, --dump",	     "usage: echod ",	     "-v, --verbose",
		"-V, --version",     "-h, --help",	     "unixgram:/PATH"};
	char *rest;

	ck_assert_int_eq(captured(stdout, STDOUT_FILENO, run_usage, NULL), 0);
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
