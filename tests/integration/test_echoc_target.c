/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A target with several addresses: which one is taken, how long each is waited for, and what is
 * said of those that were in vain.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "probe/target.h"

static struct target target;
static struct reason reason;

static void set_up(void)
{
	memset(&target, 0, sizeof(target));
	target.protocol = "tcp";
}

static void set_up_datagrams(void)
{
	memset(&target, 0, sizeof(target));
	target.protocol = "udp";
	target.datagram = true;
}

/* TEXT is 127.0.0.1:PORT. */
static void add_candidate(const char *text)
{
	unsigned port;

	ck_assert_int_eq(sscanf(text, "127.0.0.1:%u", &port), 1);
	ck_assert_int_eq(address_from_ip(&target.candidates[target.count++], "127.0.0.1",
					 (uint16_t)port, &reason),
			 0);
}

static char refused[2][64];

static void add_refused(void)
{
	for (int i = 0; i < 2; i++) {
		snprintf(refused[i], sizeof(refused[i]), "%s", closed_port());
		add_candidate(refused[i]);
	}
}

static void expect_reason(const char *text)
{
	ck_assert_msg(strstr(reason.text, text), "\"%s\" is not in: %s", text, reason.text);
}

static void expect_refused_named(void)
{
	expect_reason(refused[0]);
	expect_reason(refused[1]);
	expect_reason("Connection refused");
}

static void expect_chosen(int fd, size_t chosen)
{
	ck_assert_msg(fd >= 0, "%s", reason.text);
	ck_assert_uint_eq(target.chosen, chosen);
	close(fd);
}

START_TEST(the_first_that_answers_is_taken)
{
	struct faulty good = {.datagram = target.datagram};

	add_refused();
	add_candidate(faulty_start(&good));
	expect_chosen(target_open(&target, 20000, &reason), 2);
	ck_assert(target.answered);
	expect_refused_named();
	ck_assert_ptr_null(strstr(reason.text, target.text));
}
END_TEST

START_TEST(one_alone_is_not_asked)
{
	struct faulty mute = {.datagram = target.datagram, .fault = FAULT_DROP};

	add_candidate(faulty_start(&mute));
	expect_chosen(target_open(&target, 20000, &reason), 0);
	ck_assert(target.answered);
	ck_assert_str_eq(reason.text, "");
}
END_TEST

START_TEST(all_that_refuse_a_connection_are_named)
{
	add_refused();
	ck_assert_int_lt(target_open(&target, 20000, &reason), 0);
	expect_refused_named();
}
END_TEST

#define WAIT_MS 300

/* The time is not divided among them. */
START_TEST(each_may_take_all_of_the_time)
{
	struct faulty good = {.datagram = target.datagram};
	struct faulty mute = {.datagram = true, .fault = FAULT_DROP};
	uint64_t before;

	add_candidate(target.datagram ? faulty_start(&mute) : deaf_port());
	add_candidate(faulty_start(&good));
	before = clock_ns();
	expect_chosen(target_open(&target, WAIT_MS, &reason), 1);
	ck_assert_uint_ge(clock_ns() - before, WAIT_MS * NS_PER_MS);
	expect_reason("no answer");
}
END_TEST

START_TEST(who_is_silent_is_preferred_to_who_refuses)
{
	struct faulty mute = {.datagram = true, .fault = FAULT_DROP};

	add_refused();
	add_candidate(faulty_start(&mute));
	expect_chosen(target_open(&target, WAIT_MS, &reason), 2);
	ck_assert(!target.answered);
	expect_refused_named();
}
END_TEST

START_TEST(datagrams_go_to_the_first_if_all_refuse)
{
	add_refused();
	expect_chosen(target_open(&target, 20000, &reason), 0);
	ck_assert(!target.answered);
	expect_refused_named();
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("echoc_target");
	TCase *stream = new_case(suite, "stream");
	TCase *datagram = new_case(suite, "datagram");

	tcase_add_checked_fixture(stream, set_up, NULL);
	tcase_add_test(stream, the_first_that_answers_is_taken);
	tcase_add_test(stream, one_alone_is_not_asked);
	tcase_add_test(stream, all_that_refuse_a_connection_are_named);
	tcase_add_test(stream, each_may_take_all_of_the_time);
	tcase_add_checked_fixture(datagram, set_up_datagrams, NULL);
	tcase_add_test(datagram, the_first_that_answers_is_taken);
	tcase_add_test(datagram, one_alone_is_not_asked);
	tcase_add_test(datagram, each_may_take_all_of_the_time);
	tcase_add_test(datagram, who_is_silent_is_preferred_to_who_refuses);
	tcase_add_test(datagram, datagrams_go_to_the_first_if_all_refuse);
	return suite;
}

INTEGRATION_MAIN(suite)
