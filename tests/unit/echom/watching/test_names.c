/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Names are looked up beside the loop: one that hangs holds up nobody else. */

#include "config.h"

#include <event2/event.h>
#include <netdb.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/events.h"
#include "echom/watching/names.h"
#include "support/test.h"

/* In place of the C library's: names that begin with "slow" wait for the semaphore. */
static sem_t released;
static atomic_uint slow;

int getaddrinfo(const char *host, const char *service UNUSED, const struct addrinfo *hints UNUSED,
		struct addrinfo **list)
{
	struct addrinfo *info = calloc(1, sizeof(*info) + sizeof(struct sockaddr_in));
	struct sockaddr_in *address = (struct sockaddr_in *)(info + 1);

	if (strncmp(host, "slow", 4) == 0) {
		atomic_fetch_add(&slow, 1);
		(void)sem_wait(&released);
	}
	if (strncmp(host, "no", 2) == 0) {
		free(info);
		return EAI_NONAME;
	}
	address->sin_family = AF_INET;
	info->ai_addr = (struct sockaddr *)address;
	info->ai_addrlen = sizeof(*address);
	*list = info;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list);
}

struct asked {
	struct event_base *base;
	struct watch_settings settings;
	bool failed; /* before */
	unsigned answers, failures;
	char reason[REASON_MAX];
};

static void on_answer(void *context, const struct target *target, const struct reason *reason)
{
	struct asked *asked = context;

	asked->answers++;
	if (!target) {
		asked->failures++;
		(void)snprintf(asked->reason, sizeof(asked->reason), "%s", reason->text);
	} else {
		ck_assert_uint_eq(target->count, 1);
	}
	event_base_loopbreak(asked->base);
}

static struct event_base *base;
static struct names *names;

static void set_up(void)
{
	ck_assert_int_eq(sem_init(&released, 0, 0), 0);
	base = events_new_base(0);
	names = names_new(base, NAMES_THREADS);
	ck_assert_ptr_nonnull(names);
}

static void tear_down(void)
{
	names_free(names);
	event_base_free(base);
}

TEST_CASE("names", set_up, tear_down);

static struct asked ask(const char *address)
{
	struct asked asked = {.base = base, .settings = {.size = 64}};

	(void)snprintf(asked.settings.address, sizeof(asked.settings.address), "%s", address);
	return asked;
}

static struct name_request *begin(struct asked *asked)
{
	struct name_request *request =
		names_ask(names, &asked->settings, asked->failed, on_answer, asked);

	ck_assert_ptr_nonnull(request);
	return request;
}

TEST(an_answer_comes_once_and_later)
{
	struct asked asked = ask("host:7");

	(void)begin(&asked);
	ck_assert_uint_eq(asked.answers, 0);
	event_base_dispatch(base);
	ck_assert_uint_eq(asked.answers, 1);
	ck_assert_uint_eq(asked.failures, 0);
}

TEST(what_is_not_found_has_a_reason)
{
	struct asked asked = ask("nobody:7");

	(void)begin(&asked);
	event_base_dispatch(base);
	ck_assert_uint_eq(asked.failures, 1);
	ck_assert_str_eq(asked.reason, "unknown host \"nobody\"");
}

TEST(names_that_hang_hold_up_no_other)
{
	struct asked hanging[NAMES_THREADS - 1], quick = ask("host:7");

	for (size_t i = 0; i < ARRAY_SIZE(hanging); i++) {
		hanging[i] = ask("slow:7");
		(void)begin(&hanging[i]);
	}
	for (unsigned i = 1; i <= 3; i++) {
		(void)begin(&quick);
		event_base_dispatch(base);
		ck_assert_uint_eq(quick.answers, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(hanging); i++)
		ck_assert_uint_eq(hanging[i].answers, 0);
	for (size_t i = 0; i < ARRAY_SIZE(hanging); i++)
		(void)sem_post(&released);
	for (size_t i = 0; i < ARRAY_SIZE(hanging); i++) {
		while (hanging[i].answers == 0)
			event_base_dispatch(base);
	}
	ck_assert_uint_eq(atomic_load(&slow), NAMES_THREADS - 1);
}

TEST(more_names_than_threads_wait_for_their_turn)
{
	struct asked hanging[NAMES_THREADS], waiting = ask("host:7");

	for (size_t i = 0; i < ARRAY_SIZE(hanging); i++) {
		hanging[i] = ask("slow:7");
		(void)begin(&hanging[i]);
	}
	(void)begin(&waiting);
	(void)sem_post(&released);
	while (waiting.answers == 0)
		event_base_dispatch(base);
	for (size_t i = 1; i < ARRAY_SIZE(hanging); i++)
		(void)sem_post(&released);
	for (size_t i = 0; i < ARRAY_SIZE(hanging); i++) {
		while (hanging[i].answers == 0)
			event_base_dispatch(base);
	}
}

TEST(a_name_that_failed_waits_behind_others)
{
	struct asked hanging[NAMES_THREADS], failed = ask("slow:7"), quick = ask("host:7");

	failed.failed = true;
	for (size_t i = 0; i < ARRAY_SIZE(hanging); i++) {
		hanging[i] = ask("slow:7");
		(void)begin(&hanging[i]);
	}
	while (atomic_load(&slow) < NAMES_THREADS)
		(void)sched_yield();
	(void)begin(&failed);
	(void)begin(&quick);
	(void)sem_post(&released);
	while (quick.answers == 0)
		event_base_dispatch(base);
	ck_assert_uint_eq(failed.answers, 0);
	for (size_t i = 0; i < ARRAY_SIZE(hanging); i++)
		(void)sem_post(&released);
	while (failed.answers == 0)
		event_base_dispatch(base);
}

TEST(nobody_hears_of_a_request_that_was_cancelled)
{
	struct asked cancelled = ask("host:7"), other = ask("host:8");

	names_cancel(begin(&cancelled));
	names_cancel(NULL);
	while (other.answers < 2) {
		(void)begin(&other);
		event_base_dispatch(base);
	}
	ck_assert_uint_eq(cancelled.answers, 0);
}

TEST(an_end_waits_for_no_name)
{
	struct asked hanging = ask("slow:7");

	(void)begin(&hanging);
	while (atomic_load(&slow) == 0)
		(void)sched_yield();
	names_free(names);
	names = NULL;
	ck_assert_uint_eq(hanging.answers, 0);
	(void)sem_post(&released);
}
