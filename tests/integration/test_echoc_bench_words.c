/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What echoc bench refuses, warns about and prints: no option is taken and then ignored without a
 * word.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/compiler.h"
#include "echoc_run.h"
#include "faulty_server.h"
#include "harness.h"

START_TEST(an_option_of_another_mode_is_named)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", "--report", "1s", "host"));

	EXPECT(&echoc, 2, "echoc: bench has no option --report\n");
	echoc_free(&echoc);
	echoc = echoc_run(ECHOC_ARGS("send", "--report=1s", "host"));
	EXPECT(&echoc, 2, "echoc: send has no option --report\n");
	echoc_free(&echoc);
}
END_TEST

START_TEST(a_depth_beside_a_rate_is_warned_about)
{
	struct faulty faulty = {.datagram = true};
	const char *target = faulty_start(&faulty);
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "-u", "-p", "4", "-r", "100", "-d", "50ms", target));

	EXPECT(&echoc, 0, "echoc: -p has no effect with -r");
	echoc_free(&echoc);
	echoc = echoc_run(ECHOC_ARGS("bench", "-u", "-r", "100", "-d", "50ms", target));
	EXPECT(&echoc, 0, "");
	ck_assert_str_eq(echoc.errors, "");
	echoc_free(&echoc);
}
END_TEST

START_TEST(verbose_says_more)
{
	struct faulty faulty = {.datagram = _i == 1};
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("bench", _i == 1 ? "-vu" : "-v", "-d", "50ms", faulty_start(&faulty)));

	EXPECT(&echoc, 0, "from 127.0.0.1:", ", run ", "path MTU", "receive buffer");
	echoc_free(&echoc);
}
END_TEST

/* It neither connects nor takes the memory: nobody listens there. */
START_TEST(more_than_fits_into_memory_is_refused)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "-c", "65536", "-p", "65536", closed_port()));

	EXPECT(&echoc, 2, "-c 65536 -p 65536 would take 128.0 GiB");
	echoc_free(&echoc);
	echoc = echoc_run(ECHOC_ARGS("bench", "-c", "2048", "-r", "100000000", closed_port()));
	EXPECT(&echoc, 2, "-c 2048 -r 100000000 would take 2.0 GiB");
	echoc_free(&echoc);
	echoc = echoc_run(ECHOC_ARGS("bench", "-c", "65536", closed_port()));
	EXPECT(&echoc, 2, "nothing listens there");
	echoc_free(&echoc);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("echoc_bench_words");
	TCase *tcase = new_case(suite, "words");

	tcase_add_test(tcase, an_option_of_another_mode_is_named);
	tcase_add_test(tcase, a_depth_beside_a_rate_is_warned_about);
	tcase_add_loop_test(tcase, verbose_says_more, 0, 2);
	tcase_add_test(tcase, more_than_fits_into_memory_is_refused);
	return suite;
}

INTEGRATION_MAIN(suite)
