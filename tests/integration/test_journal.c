/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the log looks like to the journal, and to others. */

#include "config.h"

#include <ctype.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

/* The log is a file here; for echod it is the journal's stream when the numbers are the same. */
static void pretend_journal(void *arg)
{
	const ino_t *difference = arg;
	struct stat status;
	char stream[64];

	if (fstat(STDERR_FILENO, &status) < 0)
		_exit(EXIT_FAILURE);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		 (uintmax_t)(status.st_ino + *difference));
	setenv("JOURNAL_STREAM", stream, 1);
}

static struct echod *start_with_journal(ino_t difference)
{
	struct echod_setup setup = {
		.config = "[server]\nlog_level = info\n"
			  "[listener a]\naddress = 127.0.0.1:0\n"
			  "protocol = udp\ngreeting = not over udp\n"
			  "[listener b]\naddress = 127.0.0.2:0\nprotocol = tcp\n",
		.prepare = pretend_journal,
		.arg = &difference,
	};
	return echod_start_with(&setup);
}

TEST(under_the_journal_lines_have_a_priority_and_no_time)
{
	struct echod *echod = start_with_journal(0);
	int fd = connect_to("127.0.0.2", echod_port(echod, "tcp 127.0.0.2"));
	const char *log;

	echod_wait_log(echod, "opened\n");
	echod_reload(echod, "nonsense\n");
	log = echod_log(echod);
	ck_assert_int_eq(strncmp(log, "<4>/", 4), 0);
	for (const char *line = log; *line != '\0'; line = strchr(line, '\n') + 1)
		ck_assert_msg(line[0] == '<' && line[1] >= '3' && line[1] <= '6' &&
				      line[2] == '>' && !isdigit((unsigned char)line[3]),
			      "%s", line);
	ck_assert_uint_eq(echod_log_count(echod, "<5>listening on udp 127.0.0.1:"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "<6>tcp 127.0.0.1:"), 1);
	ck_assert_uint_ge(echod_log_count(echod, "<3>"), 2);
	ck_assert_uint_eq(echod_log_count(echod, "greeting has no effect"), 1);
	close(fd);
	echod_stop(echod);
}

TEST(under_the_journal_a_refused_file_is_an_error)
{
	ino_t difference = 0;
	struct echod_setup setup = {
		.config = "nonsense\n", .prepare = pretend_journal, .arg = &difference};
	struct echod *echod = echod_spawn(&setup);

	ck_assert_int_eq(echod_wait(echod), BAD_FILE);
	ck_assert_msg(strncmp(echod_log(echod), "<3>/", 4) == 0, "%s", echod_log(echod));
	ck_assert_uint_eq(echod_log_count(echod, "\n"), 1);
	echod_free(echod);
}

TEST(elsewhere_lines_have_a_time_and_no_priority)
{
	struct echod *echod = start_with_journal(1);
	const char *log = echod_log(echod);
	const char *line = strstr(log, "listening on tcp");
	int year = 0;

	ck_assert_ptr_nonnull(line);
	while (line > log && line[-1] != '\n')
		line--;
	ck_assert_int_eq(sscanf(line, "%4d-%*2d-%*2d %*2d:%*2d:", &year), 1);
	ck_assert_int_ge(year, 2026);
	ck_assert_ptr_null(strstr(log, "<5>"));
	echod_stop(echod);
}
