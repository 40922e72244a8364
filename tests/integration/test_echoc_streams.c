/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What echoc is started with: standard streams that are full, or not there, or have no reader; what
 * ends it before it has begun; and the memory it does not take once it runs.
 */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"

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

/* As under a service manager, which may have it ignored: nobody else would end this ping. */
TEST(who_reads_no_more_ends_a_ping_though_sigpipe_was_ignored)
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
	EXPECT(&echoc, 128 + SIGINT, "");
}

/* Of its own memory, not of what it shares with files. */
static unsigned long resident_kib(pid_t pid)
{
	unsigned long kib = 0;
	char path[64], line[256];
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	status = fopen(path, "r");
	ck_assert_ptr_nonnull(status);
	while (fgets(line, sizeof(line), status)) {
		if (strncmp(line, "RssAnon:", 8) == 0)
			kib = strtoul(line + 8, NULL, 10);
	}
	fclose(status);
	return kib;
}

static const char *const loads[][10] = {
	{"-c", "50"},
	{"-c", "100", "-r", "5000"},
	{"-u", "-g"},
	{"-u", "-g", "-c", "4", "-j", "2", "-r", "20000"},
};

#define SECONDS_MAX 10

TEST_CASE("memory");

/* Of two seconds that follow one another: what one more takes up, so does the one after it. */
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
		now = resident_kib(echoc.pid);
	}
	ck_assert_uint_gt(before, 0);
	ck_assert_uint_eq(now, before);
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
}
