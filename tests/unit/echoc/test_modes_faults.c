/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Each mode, whichever of its calls fails and whatever the server does: it ends, and says why if it
 * cannot do its work. What a whole process makes of it is tested by tests/torture.
 */

#include "config.h"

#include "echoc/command/command_line.h"
#include "echoc/command/mode.h"
#include "integration/faulty_server.h"
#include "probe/probe.h"
#include "probe/target.h"
#include "support/test.h"
#include "unit/faults.h"

#define WORDS_MAX 24

/* @ is a server that echoes. */
static const struct {
	const char *line;
	bool udp;
} runs[] = {
	{"ping -c 2 -i 1ms -W 20ms @", false},
	{"ping -c 2 -i 1ms -W 20ms --json --report 1ms -w 1s --proxy v1 @", false},
	{"ping -u -c 2 -i 1ms -W 20ms -Q ef --ttl 9 -I 127.0.0.1 @", true},
	{"ping --plus -c 2 -i 1ms -W 20ms --json @", true},
	{"ping --stamp -c 2 -i 1ms -W 20ms @", true},
	{"bench -d 10ms -W 20ms @", false},
	{"bench -u -c 2 -r 1000 -d 10ms -W 20ms --json @", true},
	{"bench -u -g -d 10ms -W 20ms @", true},
	{"bench --connect -d 10ms -W 20ms @", false},
	{"mtu -W 20ms -v @", true},
	{"mtu -t -W 20ms --json @", false},
	{"send @ hello", false},
	{"send -u --json @ hello", true},
	{"flows -n 3 -r 1000 -d 10ms -W 20ms @", true},
	{"flows -t -n 3 -r 1000 -d 10ms -W 20ms --json @", false},
	{"marks -c 1 -i 1ms -W 20ms --dscp 0,ef @", true},
};

static const struct {
	const char *call;
	int error;
} failures[] = {
	{MEMORY, ENOMEM},
	{"socket", EMFILE},
	{"connect", EADDRNOTAVAIL},
	{"bind", EADDRINUSE},
	{"getsockname", ENOBUFS},
	{"getsockopt", EINVAL},
	{"setsockopt", EPERM},
	{"recv", ECONNRESET},
	{"recv", EINTR},
	{"send", EPIPE},
	{"send", ENOBUFS},
	{"send", EAGAIN},
	{"sendmsg", EPERM},
	{"sendmsg", EAGAIN},
	{"recvmsg", ECONNREFUSED},
	{"recvmsg", EINTR},
	{"recvmmsg", EIO},
	{"sendmmsg", ENOBUFS},
	{"sendmmsg", EMSGSIZE},
	{"read", EIO},
	{"eventfd", EMFILE},
	{"getrlimit", EPERM},
	{"setrlimit", EPERM},
	{"getrandom", ENOSYS},
	{"poll", EINTR},
	{"poll", ENOMEM},
};

/* Of what happens again and again the first few do. */
#define MOST_SKIPPED 4
#define MOST_MEMORY 60

static enum echoc_status run(const char *line, char *server)
{
	static char words[256], program[] = "echoc";
	char *argv[WORDS_MAX] = {program};
	struct arguments arguments;
	struct target target;
	struct reason reason;
	int argc = 1;
	char *rest;

	(void)snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = *word == '@' ? server : word;
	if (command_line_parse(&arguments, mode_table, argc, argv) < 0 ||
	    target_resolve(&target, &arguments.target, arguments.size, &reason) < 0)
		return ECHOC_UNABLE;
	probe_prepare();
	return arguments.mode->run(&arguments, &target);
}

static void silence(void)
{
	fault_spare_timers();
	fault_hand_on();
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
	ck_assert_ptr_nonnull(freopen(test_path("errors"), "w+", stderr));
}

TEST_CASE("modes", silence);

/* Returns whether a call failed. */
static bool run_with(const char *line, char *server, unsigned skip, const char *call, int error)
{
	enum echoc_status status;
	bool happened;

	rewind(stderr);
	fault_after(skip, call, error);
	status = run(line, server);
	happened = fault_over();
	ck_assert_int_le(status, ECHOC_UNABLE);
	ck_assert_msg(status != ECHOC_UNABLE || ftell(stderr) > 0, "%s, %s %u: says nothing", line,
		      call, skip);
	return happened;
}

TEST_EACH(whichever_call_fails_a_mode_ends, ARRAY_SIZE(runs))
{
	const char *line = runs[_i].line;
	char server[64];

	(void)snprintf(server, sizeof(server), "%s", FAULTY(.datagram = runs[_i].udp));
	ck_assert_int_ne(run(line, server), ECHOC_UNABLE);
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		unsigned most = i == 0 ? MOST_MEMORY : MOST_SKIPPED;
		unsigned skip = 0;

		while (skip < most &&
		       run_with(line, server, skip, failures[i].call, failures[i].error))
			skip++;
	}
}

static const struct faulty wrongs[] = {
	{.fault = FAULT_DROP},
	{.fault = FAULT_DROP, .at = 2},
	{.fault = FAULT_DUPLICATE},
	{.fault = FAULT_REORDER, .at = 1},
	{.fault = FAULT_DELAY, .at = 1, .delay_ms = 30},
	{.fault = FAULT_TRUNCATE, .offset = 8},
	{.fault = FAULT_FLIP, .at = 2, .offset = 0},
	{.fault = FAULT_FLIP, .offset = 40},
	{.fault = FAULT_LONGER},
	{.fault = FAULT_PREFIX, .text = "> "},
	{.fault = FAULT_CLOSE, .at = 2, .offset = 5},
	{.fault = FAULT_RESET, .offset = 5},
	{.greeting = "hello"},
};

TEST_EACH(whatever_the_server_does_a_mode_ends, ARRAY_SIZE(wrongs))
{
	struct faulty wrong = wrongs[_i];
	char servers[2][64];

	for (int udp = 0; udp < 2; udp++) {
		wrong.datagram = udp == 1;
		(void)snprintf(servers[udp], sizeof(servers[udp]), "%s", faulty_start(&wrong));
	}
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		(void)run_with(runs[i].line, servers[runs[i].udp], 0, "nothing", 0);
}
