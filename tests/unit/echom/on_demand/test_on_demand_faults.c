/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* /probe when something runs out: it says so, or the target has losses; nothing is left behind. */

#include "config.h"

#include "unit/faults.h"
#include "unit/on_demand_scene.h"

TEST_CASE("on demand faults", set_up_on_demand, tear_down_on_demand);

TEST(without_memory_there_is_none)
{
	struct watchlist *list = list_of(EVERYTHING);
	struct on_demand *another = NULL;
	unsigned skip = 0;

	for (; !another; skip++) {
		int lowest = fault_lowest_fd();
		long blocks;

		fault_after(skip, MEMORY, ENOMEM);
		another = on_demand_new(&watches->shared, list);
		(void)fault_over();
		blocks = fault_blocks();
		ck_assert(another != NULL || (blocks == 0 && fault_lowest_fd() == lowest));
	}
	ck_assert_uint_gt(skip, 2);
	on_demand_free(another);
	on_demand_free(NULL);
	watchlist_release(list);
}

static const char *const questions[] = {
	"target=127.0.0.1:%u&count=2&interval=10ms&timeout=100ms",
	"target=127.0.0.1:%u&count=2&interval=10ms&timeout=100ms&protocol=tcp",
	"target=127.0.0.1:%u&count=2&interval=10ms&timeout=100ms&protocol=stamp",
	"target=name:%u&count=2&interval=10ms&timeout=100ms",
	"target=nobody:%u",
};

static const char *question_to(int which, unsigned port)
{
	static char query[200];
	const char *format = questions[which], *place = strstr(format, "%u");

	(void)snprintf(query, sizeof(query), "%.*s%u%s", (int)(place - format), format, port,
		       place + 2);
	return query;
}

static void serve_questions(struct server *server, int which)
{
	serve(server, "127.0.0.1");
	mean(strstr(questions[which], "nobody") ? NULL : "127.0.0.1", NULL);
	/* What libevent and the threads keep for good, they have now. */
	(void)ask_and_hear(question_to(which, server->port));
}

/* Either there are metrics, or the status says why there are none. */
static bool is_refused(void)
{
	if (strcmp(status_of(&question), HTTP_OK) == 0)
		return false;
	ck_assert_str_eq(status_of(&question), HTTP_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(question.bytes, "Out of memory"));
	return true;
}

TEST_EACH(what_cannot_begin_without_memory_is_refused, ARRAY_SIZE(questions))
{
	struct server server = {0};
	unsigned refused = 0;
	bool failed = true;

	serve_questions(&server, _i);
	for (unsigned skip = 0; failed; skip++) {
		int lowest = fault_lowest_fd();

		prepare(&question, "127.0.0.1", question_to(_i, server.port), "");
		fault_after(skip, MEMORY, ENOMEM);
		on_demand_page(on_demand, &question.request, &question.reply);
		if (is_answered(&question)) {
			failed = fault_over();
		} else {
			failed = fault_over();
			(void)hear_answer(&question);
		}
		refused += is_refused();
		ck_assert_int_eq(fault_lowest_fd(), lowest);
	}
	ck_assert_uint_ge(refused, 5);
}

/* Without sparing those, a timer that was armed before could fail here, which it never does. */
TEST_EACH(what_has_begun_ends_without_memory, ARRAY_SIZE(questions))
{
	struct server server = {0};
	bool failed = true;

	serve_questions(&server, _i);
	fault_spare_timers();
	for (unsigned skip = 0; failed; skip++) {
		int lowest = fault_lowest_fd();

		ask(&question, question_to(_i, server.port));
		if (is_answered(&question))
			break;
		fault_after(skip, MEMORY, ENOMEM);
		while (!is_answered(&question))
			(void)event_base_loop(base, EVLOOP_ONCE);
		failed = fault_over();
		(void)is_refused();
		ck_assert_int_eq(fault_lowest_fd(), lowest);
	}
}

static const char *const calls[] = {"socket", "connect", "send"};

TEST_EACH(a_probe_that_cannot_be_sent_is_lost, ARRAY_SIZE(calls))
{
	struct server server = {0};

	serve_questions(&server, 0);
	prepare(&question, "127.0.0.1", question_to(0, server.port), "");
	fault_next_times(2, calls[_i], ENOBUFS);
	on_demand_page(on_demand, &question.request, &question.reply);
	while (!is_answered(&question))
		(void)event_base_loop(base, EVLOOP_ONCE);
	ck_assert(fault_over());
	ck_assert_double_ge(count("probes_lost_total"), 1);
	expect_counts(2, 2 - count("probes_lost_total"), count("probes_lost_total"));
}
