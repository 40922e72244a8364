/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What echoc is started with: standard streams that are full, or not there, or have no reader,
 * which its exit status must show; what ends it before it has begun; and the memory it does not
 * take once it runs.
 */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/process.h"

#define CLOSED "a port where nothing listens"

static const struct {
	const char *arguments[8];
	int status;
	const char *errors[2];
	const char *output; /* NULL: none at all */
} failures[] = {
	{{"ping", "-u", "-c", "2", "-i", "10ms", CLOSED}, 1, {""}, "2 lost (100.0%)"},
	{{"ping", "-u", "-c", "1", CLOSED}, 1, {""}, "refused: nothing listens there"},
	{{"ping", "-c", "2", "-i", "10ms", CLOSED},
	 1,
	 {"Connection refused: nothing listens there"},
	 "2 sent, 0 received, 2 lost (100.0%)"},
	{{"ping", "-c", "1", "unix:/no/such/socket"}, 1, {"No such file"}, "1 lost (100.0%)"},
	{{"ping", "-c", "1", "-I", "192.0.2.1", CLOSED}, 2, {"not an address of this host"}, NULL},
	{{"ping", "-c", "1", "no.such.host.invalid"}, 2, {"no.such.host.invalid"}, NULL},
	{{"ping", "-6", "127.0.0.1"}, 2, {"\"127.0.0.1\" has no IPv6 address\n"}, NULL},
	{{"ping", "-I", "127.0.0.1", "::1"},
	 2,
	 {"\"::1\" has no IPv4 address, which the source address requires"},
	 NULL},
	{{"bench", "-c", "3", CLOSED}, 2, {"Connection refused: nothing listens there"}, NULL},
	{{"bench", "-c", "65536", CLOSED}, 2, {"nothing listens there"}, NULL},
	{{"bench", "-c", "65536", "-p", "65536", CLOSED}, 2, {"would take 128.0 GiB"}, NULL},
	{{"bench", "-c", "2048", "-r", "100000000", CLOSED}, 2, {"would take 2.0 GiB"}, NULL},
	{{"bench", "--report", "1s", "host"}, 2, {"echoc: bench has no option --report\n"}, NULL},
	{{"send", "--report=1s", "host"}, 2, {"echoc: send has no option --report\n"}, NULL},
	{{"send", CLOSED, "hello"}, 2, {"nothing listens there"}, NULL},
	{{"send", "-u", CLOSED, "hello"},
	 1,
	 {"nothing listens there", "0 of 5 bytes came back\n"},
	 NULL},
};

TEST_EACH(what_cannot_be_done_is_reported, ARRAY_SIZE(failures))
{
	const char *const *errors = failures[_i].errors;
	const char *arguments[ARRAY_SIZE(failures[0].arguments) + 2] = {"echoc"};
	struct echoc echoc;

	for (size_t i = 0; i < ARRAY_SIZE(failures[0].arguments); i++) {
		const char *argument = failures[_i].arguments[i];

		arguments[i + 1] =
			argument && strcmp(argument, CLOSED) == 0 ? closed_port() : argument;
	}
	echoc = echoc_run(arguments);
	EXPECT_ERRORS(&echoc, failures[_i].status, errors[0], errors[1]);
	if (failures[_i].output)
		EXPECT(&echoc, failures[_i].status, failures[_i].output);
	else
		ck_assert_str_eq(echoc.output, "");
}

/* The exit status of echoc, run by a shell that sets up its streams. */
static int run_redirected(const char *arguments, const char *target, const char *redirections)
{
	const char *echoc = getenv("ECHOC");
	char command[512];
	int status;

	snprintf(command, sizeof(command), "exec '%s' %s %s </dev/null >/dev/null 2>&1 %s",
		 echoc ? echoc : "./echoc", arguments, target, redirections);
	status = system(command);
	ck_assert_int_ne(status, -1);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *const modes[] = {
	"ping -c 2 -i 10ms",	"ping --json -c 2 -i 10ms", "bench -d 50ms",
	"bench --json -d 50ms", "send --json -w 1s",
};

TEST_CASE("streams");

TEST_EACH(a_result_that_cannot_be_written_is_no_good_one, ARRAY_SIZE(modes))
{
	if (access("/dev/full", W_OK) < 0)
		skip("no /dev/full");
	ck_assert_int_eq(
		run_redirected(modes[_i], FAULTY(.fault = FAULT_NONE), "</dev/null >/dev/full"), 1);
	ck_assert_int_eq(run_redirected("--version", "", ">/dev/full"), 1);
}

TEST_EACH(without_standard_streams_nothing_else_takes_their_place, ARRAY_SIZE(modes))
{
	static const char *const closed[] = {"<&-", "2>&-", ">&-", ">&- <&-", "<&- >&- 2>&-"};
	struct faulty faulty = {0};
	const char *target = faulty_start(&faulty);
	const bool reads = strncmp(modes[_i], "send", 4) == 0;

	for (unsigned i = 0; i < ARRAY_SIZE(closed); i++) {
		bool no_input = reads && strstr(closed[i], "<&-");
		bool no_output = strstr(closed[i], " >&-") || closed[i][0] == '>';

		ck_assert_int_eq(run_redirected(modes[_i], target, closed[i]),
				 no_input || no_output ? 1 : 0);
	}
}

/* As under a service manager, which may have it ignored: nothing else would end this ping. */
TEST(a_closed_output_ends_a_ping_though_sigpipe_was_ignored)
{
	struct echoc echoc;

	(void)signal(SIGPIPE, SIG_IGN);
	echoc = echoc_start(ECHOC_ARGS("ping", "-i", "10ms", FAULTY(.fault = FAULT_NONE)));
	echoc_await(&echoc, ": seq=1 ");
	close(echoc.out);
	echoc.out = -1;
	echoc_finish(&echoc, NULL, 0);
	ck_assert_int_eq(echoc.status, 128 + SIGPIPE);
}

static const char *const patient[][4] = {
	{"ping", "-W", "1h"},
	{"bench", "-d", "1h"},
	{"send", "-w", "1h"},
};

TEST_EACH(interrupt_before_it_is_connected_ends_it_at_once, ARRAY_SIZE(patient))
{
	const char *const *options = patient[_i];
	const char *target = deaf_port();
	struct echoc echoc = echoc_start(ECHOC_ARGS(options[0], options[1], options[2], target));

	WAIT_UNTIL(deaf_port_called(target));
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 128 + SIGINT, NULL);
}

static const char *const loads[][10] = {
	{"-c", "50"},
	{"-c", "100", "-r", "5000"},
	{"-u", "-g"},
	{"-u", "-g", "-c", "4", "-j", "2", "-r", "20000"},
};

#define SECONDS_MAX 10

TEST_CASE("memory");

/* Its own memory, not what it shares with files, over two seconds one after the other. */
TEST_EACH(a_bench_takes_no_memory_after_its_first_second, ARRAY_SIZE(loads))
{
	struct faulty faulty = {.datagram = strcmp(loads[_i][0], "-u") == 0};
	const char *arguments[20] = {"echoc", "bench", "--json", "-d", "1h"};
	unsigned long before = 0, now = 0;
	struct echoc echoc;
	size_t count = 5;
	char second[32];

	if (instrumented())
		skip("sanitizers take memory of their own");
	for (const char *const *option = loads[_i]; *option; option++)
		arguments[count++] = *option;
	arguments[count] = faulty_start(&faulty);
	echoc = echoc_start(arguments);
	for (int i = 1; i <= SECONDS_MAX && (i < 2 || now != before); i++) {
		snprintf(second, sizeof(second), "\"elapsed_s\":%d.0", i);
		echoc_await(&echoc, second);
		before = now;
		now = strtoul(process_status(echoc.pid, "RssAnon:"), NULL, 10);
	}
	ck_assert_uint_gt(before, 0);
	ck_assert_uint_eq(now, before);
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
}

static const struct {
	const char *arguments;
	const char *redirection;
	int status;
	const char *error;
} runs[] = {
	{"ping -c 1 -W 20s $TARGET", ">&-", 1, "cannot write all of it"},
	{"ping --json -c 1 -W 20s $TARGET", ">&-", 1, "cannot write all of it"},
	{"ping -q -c 1 -W 20s $TARGET", ">/dev/full", 1, "cannot write all of it"},
	{"bench -d 50ms $TARGET", ">&-", 1, "cannot write all of it"},
	{"bench --json -d 50ms $TARGET", ">&-", 1, "cannot write all of it"},
	{"send $TARGET hello", ">&-", 1, "cannot write to standard output"},
	{"send --json $TARGET hello", ">&-", 1, "cannot write all of it"},
	{"--version", ">&-", 1, "cannot write all of it"},
	{"--help", ">&-", 1, "cannot write all of it"},
	{"send $TARGET", "<&-", 1, "cannot read standard input: Bad file descriptor"},
	{"send $TARGET", "</", 1, "cannot read standard input: Is a directory"},
	{"send $TARGET hello", "<&-", 0, ""},
	{"ping -q -c 1 -W 20s $TARGET", "<&-", 0, ""},
	{"ping -q -c 1 -W 20s $TARGET", "<&- >&- 2>&-", 1, ""},
	{"bench -d 50ms $TARGET", "2>&-", 0, ""},
};

/* What it wrote to standard error; its output goes where the redirection says, or nowhere. */
TEST_EACH(what_cannot_be_read_or_written_shows_in_the_exit_status, ARRAY_SIZE(runs))
{
	char command[512], errors[1024] = "";
	FILE *shell;
	int status;

	setenv("ECHOC", "./echoc", 0);
	setenv("TARGET", FAULTY(.fault = FAULT_NONE), 1);
	snprintf(command, sizeof(command), "exec \"$ECHOC\" %s 2>&1 >/dev/null %s",
		 runs[_i].arguments, runs[_i].redirection);
	shell = popen(command, "r");
	ck_assert_ptr_nonnull(shell);
	errors[fread(errors, 1, sizeof(errors) - 1, shell)] = '\0';
	status = pclose(shell);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == runs[_i].status, "%s: %x: %s",
		      command, (unsigned)status, errors);
	ck_assert_msg(strstr(errors, runs[_i].error), "%s: %s", command, errors);
}
