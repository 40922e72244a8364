/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A target with several addresses: which one is taken, how long each is waited for, and what is
 * said of those that were in vain.
 */

#include "config.h"

#include <netinet/tcp.h>

#include "base/clock.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "probe/target.h"

static struct target target;
static struct reason reason;

enum { STREAM, DATAGRAM, BOTH };

static void begin(int transport)
{
	memset(&target, 0, sizeof(target));
	target.protocol = transport == DATAGRAM ? "udp" : "tcp";
	target.datagram = transport == DATAGRAM;
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

TEST_EACH(the_first_that_answers_is_taken, BOTH)
{
	struct faulty good = {.datagram = _i == DATAGRAM};

	begin(_i);
	add_refused();
	add_candidate(faulty_start(&good));
	expect_chosen(target_open(&target, 20000, &reason), 2);
	ck_assert(target.answered);
	expect_refused_named();
	ck_assert_ptr_null(strstr(reason.text, target.text));
}

TEST_EACH(one_alone_is_not_asked, BOTH)
{
	struct faulty mute = {.datagram = _i == DATAGRAM, .fault = FAULT_DROP};

	begin(_i);
	add_candidate(faulty_start(&mute));
	expect_chosen(target_open(&target, 20000, &reason), 0);
	ck_assert(target.answered);
	ck_assert_str_eq(reason.text, "");
}

static int option_of(int fd, int level, int name)
{
	socklen_t length = sizeof(int);
	int value = 0;

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

/* A small message is not to wait for the acknowledgement of the one before. */
TEST(small_messages_go_at_once)
{
	struct faulty good = {0};
	int fd;

	begin(STREAM);
	add_candidate(faulty_start(&good));
	fd = target_open(&target, 20000, &reason);
	ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	expect_chosen(fd, 0);
}

TEST(all_that_refuse_a_connection_are_named)
{
	begin(STREAM);
	add_refused();
	ck_assert_int_lt(target_open(&target, 20000, &reason), 0);
	expect_refused_named();
}

#define WAIT_MS 300

/* The time is not divided among them. */
TEST_EACH(each_may_take_all_of_the_time, BOTH)
{
	struct faulty good = {.datagram = _i == DATAGRAM};
	struct faulty mute = {.datagram = true, .fault = FAULT_DROP};
	uint64_t before;

	begin(_i);
	add_candidate(target.datagram ? faulty_start(&mute) : deaf_port());
	add_candidate(faulty_start(&good));
	before = clock_ns();
	expect_chosen(target_open(&target, WAIT_MS, &reason), 1);
	ck_assert_uint_ge(clock_ns() - before, WAIT_MS * NS_PER_MS);
	expect_reason("no answer");
}

TEST(a_silent_address_is_preferred_to_one_that_refuses)
{
	struct faulty mute = {.datagram = true, .fault = FAULT_DROP};

	begin(DATAGRAM);
	add_refused();
	add_candidate(faulty_start(&mute));
	expect_chosen(target_open(&target, WAIT_MS, &reason), 2);
	ck_assert(!target.answered);
	expect_refused_named();
}

TEST(datagrams_go_to_the_first_if_all_refuse)
{
	begin(DATAGRAM);
	add_refused();
	expect_chosen(target_open(&target, 20000, &reason), 0);
	ck_assert(!target.answered);
	expect_refused_named();
}
