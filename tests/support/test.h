/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a test program is made of, over libcheck: tests that register themselves. main() is in
 * test.c, and runs them in the order in which the file defines them.
 *
 *	TEST(half_close_returns_every_byte)
 *	{
 *		ck_assert_int_eq(...);
 *	}
 *
 * Each test runs in a process of its own, which has a minute, times CK_TIMEOUT_MULTIPLIER.
 */

#pragma once

/* Nearly every test needs most of these. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "support/skipped.h"

/* How long a test may take. */
#define TEST_TIMEOUT_S 60

#define TEST(name) TEST_EACH(name, 1)

/* A test that runs COUNT times, with 0, 1, 2, ... in _i: for the rows of a table. */
#define TEST_EACH(name, count)                                                                     \
	static const TTest *name;                                                                  \
	static struct test_entry name##_entry = {.test = &name, .iterations = (int)(count)};       \
	TEST_ENTER(name##_entry, enter_##name)                                                     \
	START_TEST(name)

/*
 * TEST_CASE("NAME"); or TEST_CASE("NAME", SET_UP); or TEST_CASE("NAME", SET_UP, TEAR_DOWN); The
 * tests below belong to this case, up to the next one, and run between its two functions. Tests
 * above the first belong to one that is called after the file.
 */
#define TEST_CASE(...) TEST_CASE_AT(__LINE__, __VA_ARGS__, NULL, NULL, NULL)
#define TEST_CASE_AT(line, ...) TEST_CASE_ON(line, __VA_ARGS__)
#define TEST_CASE_ON(line, ...) TEST_CASE_NAMED(test_case_##line, __VA_ARGS__)
#define TEST_CASE_NAMED(entry, label, before, after, ...)                                          \
	static struct test_entry entry = {                                                         \
		.test_case = (label), .set_up = (before), .tear_down = (after)};                   \
	TEST_ENTER(entry, enter_##entry)                                                           \
	_Static_assert(sizeof(label) > 1, "a case has a name")

/* From here on it is machinery of the macros. */

struct test_entry {
	const char *test_case; /* NULL: it is a test */
	SFun set_up, tear_down;
	const TTest **test;
	int iterations;
	struct test_entry *next;
};

/* The first constructors belong to the compiler and its libraries. */
#define TEST_FIRST_PRIORITY 1000

#define TEST_ENTER(entry, function)                                                                \
	static void __attribute__((constructor(TEST_FIRST_PRIORITY + __LINE__))) function(void)    \
	{                                                                                          \
		test_enter(&(entry));                                                              \
	}

/* Called before main, in the order of lines; ENTRY must stay. */
void test_enter(struct test_entry *entry);

/* END is called when a test is over, after the tear-down of its case, unless the test failed. */
void test_at_end(void (*end)(void));

/* The directory of this test program; removed at its end. A NAME in it; good for some calls. */
const char *test_directory(void);
const char *test_path(const char *name);
