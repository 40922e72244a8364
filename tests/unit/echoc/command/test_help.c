/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The help of each mode has exactly the options that the mode takes. */

#include "config.h"

#include <ctype.h>

#include "echoc/command/command_line.h"
#include "echoc/command/help.h"
#include "echoc/command/option_table.h"
#include "support/test.h"
#include "unit/printed.h"

#define MODES 7
#define OPTION_MAX 32

static const char letters[] = "46abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* As a word of its own. */
static bool has_option(const char *help, const char *option)
{
	size_t length = strlen(option);

	for (const char *at = help; (at = strstr(at, option)) != NULL; at += length) {
		char after = at[length];
		char before = at == help ? ' ' : at[-1];

		if (!isalnum((unsigned char)after) && after != '-' && strchr(" [(,\n", before))
			return true;
	}
	return false;
}

/* Those without a value together in the synopsis, as in [-Dq], count too. */
static bool has_letter(const char *help, char letter)
{
	const char *joined = strstr(help, "[-Dq]");
	const char option[] = {'-', letter, '\0'};

	return has_option(help, option) || (joined && (letter == 'D' || letter == 'q'));
}

static const struct {
	int letter;
	const char *value;
} values[] = {
	{'I', "::1"},	    {'M', "do"},       {'Q', "ef"},	   {LONG_TTL, "3"},
	{LONG_PROXY, "v1"}, {LONG_DSCP, "ef"}, {'j', "1"},	   {LONG_KEY_FILE, "file"},
	{LONG_SSID, "3"},   {LONG_UP_TO, "5"}, {LONG_OUTAGE, "2"}, {LONG_REPORT, "1"},
};

static const char *value_of(const struct option_row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (values[i].letter == row->letter)
			return values[i].value;
	}
	return row->kind == KIND_FLAG ? NULL : "100";
}

/* What an option is of no use without. */
static const char *companion(const struct mode *mode, int letter)
{
	if (letter == 'g')
		return "-u";
	if (letter == LONG_TTL_GUARDED || letter == LONG_TTL_FRESH ||
	    ((letter == LONG_KEY_FILE || letter == LONG_SSID) && !mode->speaks_stamp))
		return "--stamp";
	return letter == LONG_PROXY ? "-t" : "-v";
}

static int parse(const struct mode *mode, int letter, const char *option)
{
	static struct arguments arguments;
	char words[6][OPTION_MAX] = {"echoc"};
	char *argv[7];
	int argc = 0;
	const struct option_row *row = option_find(mode, letter);
	const char *value = row ? value_of(row) : NULL;
	const char *const rest[] = {mode->name, companion(mode, letter), option,
				    value ? value : "host", value ? "host" : NULL};

	argv[argc++] = words[0];
	for (size_t i = 0; i < ARRAY_SIZE(rest) && rest[i]; i++) {
		argv[argc] = words[argc];
		snprintf(words[argc++], OPTION_MAX, "%s", rest[i]);
	}
	argv[argc] = NULL;
	return command_line_parse(&arguments, mode_table, argc, argv);
}

static void expect(const struct mode *mode, const char *help, int letter, const char *option,
		   bool is_listed)
{
	bool is_taken = option_find(mode, letter) != NULL;

	ck_assert_msg(is_listed == is_taken, "%s: %s is %s, but %s in: %s", mode->name, option,
		      is_taken ? "taken" : "refused", is_listed ? "listed" : "not listed", help);
	ck_assert_msg((parse(mode, letter, option) == 0) == is_taken, "%s %s", mode->name, option);
}

TEST_EACH(it_lists_what_the_mode_takes_and_nothing_else, MODES)
{
	const struct mode *mode = &mode_table[_i];
	const char *help;
	char option[OPTION_MAX];

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	print_begin();
	help_print(mode);
	help = print_end();
	for (const char *letter = letters; *letter != '\0'; letter++) {
		snprintf(option, sizeof(option), "-%c", *letter);
		expect(mode, help, *letter, option, has_letter(help, *letter));
	}
	for (const struct option *row = long_options; row->name; row++) {
		if (row->val == 'V' || row->val == 'h')
			continue;
		snprintf(option, sizeof(option), "--%s", row->name);
		expect(mode, help, row->val, option, has_option(help, option));
	}
	ck_assert_ptr_null(mode_table[MODES].name);
}
