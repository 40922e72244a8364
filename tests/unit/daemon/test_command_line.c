/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The command line that daemons have in common, beside options that only one has: what each means,
 * and that whatever is wrong is refused with a message that says so.
 */

#include "config.h"

#include "daemon/command_line.h"
#include "support/test.h"
#include "unit/command_words.h"

static struct command_line line;
static struct toy {
	const char *name;
	int extras;
} toy;

static const struct command command;

static int take_name(void *arg, const char *value)
{
	if (strcmp(value, "bad") == 0)
		return command_refuse(&command, "-n %s: not a name", value);
	((struct toy *)arg)->name = value;
	return 0;
}

static int take_extra(void *arg, const char *value)
{
	ck_assert_ptr_null(value);
	((struct toy *)arg)->extras++;
	return 0;
}

static const struct command_option toy_options[] = {
	{'n', "name", "a name to keep", take_name}, {'e', "extra", NULL, take_extra}, {0}};
static const struct command command = {.program = "toyd",
				       .file = "/etc/toyd.conf",
				       .purpose = "Plays.",
				       .synopsis = " [-n NAME] [-e]",
				       .help = "  -n, --name NAME       keep NAME\n"
					       "  -e, --extra           play more\n",
				       .verbose = "each game",
				       .notes = "A NAME is a word.\n\n",
				       .options = toy_options};

static int run_parse(char *argv[])
{
	toy = (struct toy){0};
	return command_parse(&command, &line, &toy, words_count(argv), argv);
}

static void assert_accepted(const char *words)
{
	ck_assert_msg(words_run("toyd", words, run_parse) == 0, "\"%s\": %s", words, text);
	ck_assert_str_eq(text, "");
}

static void assert_refused(const char *words, const char *why)
{
	ck_assert_msg(words_run("toyd", words, run_parse) == -1, "\"%s\" was accepted", words);
	ck_assert_msg(strstr(text, why) != NULL, "\"%s\": %s", words, text);
	ck_assert_msg(begins_with(text, "toyd: "), "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "\nusage: toyd [-c FILE] [-n NAME] [-e] [-t | -T] "
					   "[-v]... [-V] [-h]\nTry 'toyd --help'.\n"));
}

TEST_CASE("command line");

TEST(no_options_run_with_the_default_file_if_there_is_one)
{
	assert_accepted("");
	ck_assert_int_eq(line.action, ACTION_RUN);
	ck_assert_str_eq(line.path, "/etc/toyd.conf");
	ck_assert(!line.must_exist);
	ck_assert_uint_eq(line.verbose, 0);
	ck_assert(!toy.name && toy.extras == 0);
}

TEST(a_named_file_must_exist)
{
	static const char *const lines[] = {"-c /a/b", "-c/a/b", "--config /a/b", "--config=/a/b",
					    "-c /x -c /a/b"};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_accepted(lines[i]);
		ck_assert_str_eq(line.path, "/a/b");
		ck_assert(line.must_exist);
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
		ck_assert_int_eq(line.action, cases[i].action);
	}
}

TEST(verbosity_adds_up)
{
	assert_accepted("-v");
	ck_assert_uint_eq(line.verbose, 1);
	assert_accepted("-vv");
	ck_assert_uint_eq(line.verbose, 2);
	assert_accepted("--verbose -v -t --verbose");
	ck_assert_uint_eq(line.verbose, 3);
}

TEST(the_programs_own_options_are_among_them)
{
	assert_accepted("-ven a -t --extra --name=b");
	ck_assert_str_eq(toy.name, "b");
	ck_assert_int_eq(toy.extras, 2);
	ck_assert_uint_eq(line.verbose, 1);
	ck_assert_int_eq(line.action, ACTION_TEST);
	assert_accepted("--ex --nam c");
	ck_assert_str_eq(toy.name, "c");
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
	assert_refused("-t -n", "option -n needs a value: a name to keep");
	assert_refused("--name", "option --name needs a value: a name to keep");
	assert_refused("--extra=1", "option --extra takes no value");
	assert_refused("-n bad", "-n bad: not a name");
	assert_refused("-e7", "unknown option -7");
	assert_refused("--config=", "-c needs a file name");
	assert_refused("-t -T", "-t and -T cannot be used together");
	assert_refused("-T --test", "-t and -T cannot be used together");
	assert_refused("surplus", "unexpected argument 'surplus'");
	assert_refused("-v -- -t", "unexpected argument '-t'");
	assert_refused("start -t", "unexpected argument 'start'");
}

static int run_help(char *argv[] UNUSED)
{
	return command_inform(&command, ACTION_HELP);
}

static int run_version(char *argv[] UNUSED)
{
	return command_inform(&command, ACTION_VERSION);
}

static int run_other(char *argv[] UNUSED)
{
	return command_inform(&command, ACTION_RUN) || command_inform(&command, ACTION_TEST) ||
	       command_inform(&command, ACTION_DUMP);
}

TEST(help_and_version_are_written_for_those_who_ask)
{
	static const char *const parts[] = {"usage: toyd ",
					    "\n\nPlays.\n\n",
					    "(default: /etc/toyd.conf)\n  -n, --name NAME",
					    "log each game; twice: everything\n",
					    "\n\nA NAME is a word.\n\nSIGHUP",
					    "See toyd(8) and toyd.conf(5).\n"};

	ck_assert_int_eq(captured(stdout, STDOUT_FILENO, run_help, NULL), true);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		ck_assert_msg(strstr(text, parts[i]) != NULL, "%s", parts[i]);
	ck_assert_int_eq(captured(stdout, STDOUT_FILENO, run_version, NULL), true);
	ck_assert_str_eq(text, "toyd " PACKAGE_VERSION "\n");
	ck_assert_int_eq(captured(stdout, STDOUT_FILENO, run_other, NULL), false);
	ck_assert_str_eq(text, "");
}
