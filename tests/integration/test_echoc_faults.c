/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echoc ping and bench against servers that do one thing wrong: each fault has its name in the
 * lines of a ping, its object in its JSON, its place in the books of both, and its exit status.
 */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"

#define TCP_SIZE 64

/* What can see it: a ping of five probes, 20 ms apart; its JSON; a bench, eight at a time. */
enum { PING = 1, JSON = 2, BENCH = 4, ALL = PING | JSON | BENCH };

struct scenario {
	const char *name;
	struct faulty faulty;
	int status;
	int modes;
	const char *type;    /* an object of it in the JSON of a ping */
	const char *count;   /* a figure of the summary that is not 0 then */
	const char *line;    /* of a ping; NULL: none in particular */
	const char *sums;    /* of a ping */
	const char *timeout; /* where a ping waits for it; NULL: more than any reply takes */
	bool lasting;	     /* a ping goes on until it has reconnected */
};

#define TCP(...) .faulty = {.size = TCP_SIZE, __VA_ARGS__}
#define UDP(...) .faulty = {.datagram = true, __VA_ARGS__}
#define ALL_WELL                                                                                   \
	"5 sent, 5 received, 0 lost (0.0%), 0 duplicated, 0 late\n0 out of order, 0 corrupt, "     \
	"0 truncated"
#define ONE_LOST                                                                                   \
	"5 sent, 4 received, 1 lost (20.0%), 0 duplicated, 0 late\n0 out of order, 0 corrupt"
#define ONE_TRUNCATED                                                                              \
	"5 sent, 5 received, 0 lost (0.0%), 0 duplicated, 0 late\n0 out of order, 0 corrupt, 1 "   \
	"truncated"
#define ONE_TWICE "5 sent, 5 received, 0 lost (0.0%), 1 duplicated"
#define ONE_OUT_OF_ORDER "5 received, 0 lost (0.0%), 0 duplicated, 0 late\n1 out of order"
#define ONE_CORRUPT "0 out of order, 1 corrupt, 0 truncated"

static const struct scenario scenarios[] = {
	{"tcp echo", TCP(.fault = FAULT_NONE), 0, ALL, "reply", "received",
	 ": seq=5 time=", ALL_WELL},
	{"udp echo", UDP(.fault = FAULT_NONE), 0, ALL, "reply", "received",
	 "64 bytes from 127.0.0.1:", ALL_WELL},
	{"tcp drop", TCP(.fault = FAULT_DROP, .at = 2), 1, ALL, "lost", "lost",
	 "seq=2 lost (timeout)", ONE_LOST, "1s"},
	{"udp drop", UDP(.fault = FAULT_DROP, .at = 2), 1, ALL, "lost", "lost",
	 "seq=2 lost (timeout)", ONE_LOST, "1s"},
	{"tcp duplicate", TCP(.fault = FAULT_DUPLICATE, .at = 2), 0, ALL, "duplicate", "duplicates",
	 "duplicate", ONE_TWICE},
	{"udp duplicate", UDP(.fault = FAULT_DUPLICATE, .at = 2), 0, ALL, "duplicate", "duplicates",
	 "duplicate", ONE_TWICE},
	/* It is waited for twice as long as the longest reply took. */
	{"udp duplicate of the last", UDP(.fault = FAULT_DUPLICATE, .at = 5, .delay_ms = 300), 0,
	 PING | JSON, "duplicate", "duplicates", "duplicate", ONE_TWICE},
	{"tcp reorder", TCP(.fault = FAULT_REORDER, .at = 2), 0, ALL, "reply", "out_of_order", NULL,
	 ONE_OUT_OF_ORDER},
	{"udp reorder", UDP(.fault = FAULT_REORDER, .at = 2), 0, ALL, "reply", "out_of_order",
	 "\nreordering extent (RFC 4737) mean 1.0, max 1\n", ONE_OUT_OF_ORDER},
	{"tcp truncate", TCP(.fault = FAULT_TRUNCATE, .at = 2, .offset = 20), 1, ALL, "truncated",
	 "truncated", ": seq=2 time=", ONE_TRUNCATED},
	{"tcp truncate by a byte", TCP(.fault = FAULT_TRUNCATE, .at = 2, .offset = 63), 1, BENCH,
	 NULL, "truncated"},
	/* Half a reply and silence is no end: more of it might come. */
	{"tcp truncate the last", TCP(.fault = FAULT_TRUNCATE, .at = 5, .offset = 50), 1,
	 PING | JSON, "lost", "lost", "seq=5 lost (timeout)", "5 sent, 4 received, 1 lost (20.0%)",
	 "1s"},
	{"udp truncate", UDP(.fault = FAULT_TRUNCATE, .at = 2, .offset = 20), 1, ALL, "truncated",
	 "truncated", "truncated at 20", ONE_TRUNCATED},
	{"udp truncate by a byte", UDP(.fault = FAULT_TRUNCATE, .at = 2, .offset = 63), 1, ALL,
	 "truncated", "truncated", "truncated at 63", ONE_TRUNCATED},
	{"udp truncate to nothing", UDP(.fault = FAULT_TRUNCATE, .at = 5), 1, ALL, "truncated",
	 "truncated", "truncated at 0", "0 corrupt, 1 truncated"},
	{"tcp flip", TCP(.fault = FAULT_FLIP, .at = 3, .offset = 40), 1, ALL, "corrupt", "corrupt",
	 " corrupt at offset 40: expected ", ONE_CORRUPT},
	{"udp flip", UDP(.fault = FAULT_FLIP, .at = 3, .offset = 40), 1, ALL, "corrupt", "corrupt",
	 " corrupt at offset 40: expected ", ONE_CORRUPT},
	{"udp flip of the last", UDP(.fault = FAULT_FLIP, .at = 3, .offset = 63), 1, ALL, "corrupt",
	 "corrupt", " corrupt at offset 63: expected ", ONE_CORRUPT},
	{"udp flip in the sequence", UDP(.fault = FAULT_FLIP, .at = 3, .offset = 16), 1, ALL,
	 "corrupt", "corrupt", " corrupt at offset 16: expected 03, got 02",
	 "5 sent, 5 received, 0 lost (0.0%), 0 duplicated"},
	{"tcp flip in the magic", TCP(.fault = FAULT_FLIP, .at = 5), 1, ALL, "corrupt", "corrupt",
	 " corrupt at offset 0: expected ec, got ed", "1 corrupt, 0 truncated"},
	{"tcp flip in the run", TCP(.fault = FAULT_FLIP, .at = 5, .offset = 8), 1, BENCH, NULL,
	 "corrupt"},
	{"udp longer", UDP(.fault = FAULT_LONGER, .at = 4), 1, ALL, "corrupt", "corrupt",
	 "corrupt at offset 64: expected nothing", "1 corrupt, 0 truncated"},
	/* In part is not in time: the rest will not come. */
	{"tcp close", TCP(.fault = FAULT_CLOSE, .at = 2, .offset = 33), 1, ALL, "lost", "lost",
	 "seq=2 lost (connection lost after 33 of 64 bytes)", " reconnect", .lasting = true},
	{"tcp close before the reply", TCP(.fault = FAULT_CLOSE, .at = 3), 1, PING, NULL, NULL,
	 NULL, " reconnect", .lasting = true},
	{"tcp close after the reply", TCP(.fault = FAULT_CLOSE, .at = 5, .offset = TCP_SIZE), 1,
	 BENCH, NULL, "reconnects"},
	{"tcp reset", TCP(.fault = FAULT_RESET, .at = 3), 1, PING | BENCH, NULL, "lost", NULL,
	 " reconnect", .lasting = true},
	{"tcp greeting", TCP(.greeting = "220 ready\r\n"), 1, ALL, "corrupt", "corrupt",
	 "corrupt at offset 0: expected ec, got 32 (11 bytes came before the reply: a greeting",
	 "5 sent, 5 received, 0 lost (0.0%), 0 duplicated, 0 late\n0 out of order, 1 corrupt"},
	{"tcp prefix", TCP(.fault = FAULT_PREFIX, .text = "> "), 1, PING, NULL, NULL,
	 "2 bytes came before the reply", "5 corrupt, 0 truncated"},
	{"tcp prefix of one", TCP(.fault = FAULT_PREFIX, .text = "> ", .at = 3), 1, BENCH, NULL,
	 "corrupt"},
};

static void expect_books(const struct echoc *echoc, const struct scenario *scenario)
{
	double lost = sum_of(echoc, "lost"), received = sum_of(echoc, "received");

	ck_assert_msg(echoc->status == scenario->status, "%s: %d: %s", scenario->name,
		      echoc->status, echoc->output);
	ck_assert_msg(sum_of(echoc, scenario->count) >= 1, "%s: %s", scenario->name, echoc->output);
	ck_assert_double_gt(received, 0);
	ck_assert_double_eq(sum_of(echoc, "sent"), received + lost);
	ck_assert_double_le(sum_of(echoc, "late"), lost);
	ck_assert_double_le(sum_of(echoc, "corrupt") + sum_of(echoc, "truncated"), received);
}

static struct echoc ping(const struct scenario *scenario, const char *format)
{
	const char *target = faulty_start(&scenario->faulty);
	struct echoc echoc;

	if (scenario->lasting) {
		echoc = echoc_start(ECHOC_ARGS("ping", format, "-i", "20ms", "-W", "20s", target));
		echoc_await_error(&echoc, "reconnected");
		kill(echoc.pid, SIGINT);
		echoc_finish(&echoc, NULL, 0);
		return echoc;
	}
	return echoc_run(ECHOC_ARGS("ping", scenario->faulty.datagram ? "-u" : "-v", format, "-c",
				    "5", "-i", "20ms", "-W",
				    scenario->timeout ? scenario->timeout : "20s", target));
}

static void run_ping(const struct scenario *scenario)
{
	struct echoc echoc = ping(scenario, "-v");

	EXPECT(&echoc, scenario->status, scenario->sums);
	if (scenario->line)
		EXPECT(&echoc, scenario->status, scenario->line);
}

static void run_json(const struct scenario *scenario)
{
	struct echoc echoc = ping(scenario, "--json");

	/* Its start and end, and five probes, or those up to the fault. */
	ck_assert_uint_ge(json_check(echoc.output), scenario->lasting ? 4 : 7);
	ck_assert_uint_ge(json_count(echoc.output, scenario->type), 1);
	expect_books(&echoc, scenario);
}

/* Again, if the machine stalled for all the time of a bench. */
static void run_bench(const struct scenario *scenario)
{
	const char *target = faulty_start(&scenario->faulty);
	struct echoc echoc;

	do {
		echoc = echoc_run(ECHOC_ARGS("bench", "--json", "-d", "120ms", "-p", "8",
					     scenario->faulty.datagram ? "-u" : "-v", target));
		(void)json_check(echoc.output);
	} while (sum_of(&echoc, scenario->count) < 1);
	expect_books(&echoc, scenario);
}

TEST_EACH(each_fault_has_its_name_and_its_place_in_the_books, ARRAY_SIZE(scenarios))
{
	const struct scenario *scenario = &scenarios[_i];

	if (scenario->modes & PING)
		run_ping(scenario);
	if (scenario->modes & JSON)
		run_json(scenario);
	if (scenario->modes & BENCH)
		run_bench(scenario);
}

/* Long enough that the reply comes while others still do, though the machine may stall. */
TEST(a_reply_after_the_timeout_is_late_and_lost)
{
	static const struct scenario late = {
		"udp delay", UDP(.fault = FAULT_DELAY, .at = 1, .delay_ms = 1500), 1, JSON, "late",
		"late"};
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "-u", "-c", "50", "-i", "50ms", "-W",
						  "1s", faulty_start(&late.faulty)));

	EXPECT(&echoc, 1, "seq=1 lost (timeout)",
	       "50 sent, 49 received, 1 lost (2.0%), 0 duplicated, 1 late\n0 out of order");
	echoc = echoc_run(ECHOC_ARGS("ping", "-u", "--json", "-c", "50", "-i", "50ms", "-W", "1s",
				     faulty_start(&late.faulty)));
	ck_assert_uint_eq(json_count(echoc.output, late.type), 1);
	expect_books(&echoc, &late);
}
