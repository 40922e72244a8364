/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* echoc send: what comes back is printed and compared, at any size, and the exit status tells. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/compiler.h"
#include "echoc_run.h"
#include "faulty_server.h"
#include "harness.h"

#define LARGE (24u << 20)

/* Runs it with INPUT on its standard input. */
static struct echoc run_with(const char *const *arguments, const void *input, size_t length)
{
	struct echoc echoc = echoc_start(arguments);

	echoc_finish(&echoc, input, length);
	return echoc;
}

static void expect_output(const struct echoc *echoc, const void *bytes, size_t length)
{
	ck_assert_uint_eq(echoc->output_length, length);
	ck_assert(memcmp(echoc->output, bytes, length) == 0);
}

START_TEST(a_text_comes_back_and_is_printed)
{
	struct faulty faulty = {.datagram = _i == 1};
	struct echoc echoc = echoc_run(ECHOC_ARGS("send", _i == 1 ? "-uv" : "-v",
						  faulty_start(&faulty), "hello", "world"));

	EXPECT(&echoc, 0, "11 bytes sent to 127.0.0.1:", "11 came back");
	expect_output(&echoc, "hello world", 11);
	echoc_free(&echoc);
}
END_TEST

START_TEST(standard_input_of_any_size_comes_back)
{
	const size_t sizes[] = {0, 1, 65536, 65537, LARGE};
	struct faulty faulty = {0};
	const char *target = faulty_start(&faulty);
	unsigned char *input = malloc(LARGE);

	ck_assert_ptr_nonnull(input);
	for (size_t i = 0; i < LARGE; i++)
		input[i] = (unsigned char)(i * 2654435761u >> 13);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct echoc echoc = run_with(ECHOC_ARGS("send", target), input, sizes[i]);

		EXPECT(&echoc, 0, "");
		expect_output(&echoc, input, sizes[i]);
		echoc_free(&echoc);
	}
	free(input);
}
END_TEST

START_TEST(standard_input_goes_in_datagrams_that_fit)
{
	struct faulty faulty = {.datagram = true};
	unsigned char input[10000];
	struct echoc echoc;

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (unsigned char)(i >> 5);
	echoc = run_with(ECHOC_ARGS("send", "-u", faulty_start(&faulty)), input, sizeof(input));
	EXPECT(&echoc, 0, "");
	expect_output(&echoc, input, sizeof(input));
	echoc_free(&echoc);
}
END_TEST

START_TEST(an_altered_byte_is_named)
{
	struct faulty faulty = {.datagram = _i == 1, .fault = FAULT_FLIP, .offset = 4};
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("send", _i == 1 ? "-u" : "-v", faulty_start(&faulty), "hello"));

	EXPECT(&echoc, 1, "corrupt at offset 4: expected 6f, got 6e", "1 bytes came back altered");
	echoc_free(&echoc);
}
END_TEST

START_TEST(a_greeting_is_no_echo)
{
	struct faulty faulty = {.greeting = "220 ready\r\n"};
	struct echoc echoc = echoc_run(ECHOC_ARGS("send", faulty_start(&faulty), "hello"));

	EXPECT(&echoc, 1, "corrupt at offset 0", "never sent");
	echoc_free(&echoc);
}
END_TEST

START_TEST(bytes_that_do_not_come_back_are_counted)
{
	struct faulty close = {.fault = FAULT_CLOSE, .offset = 3};
	struct faulty cut = {.datagram = true, .fault = FAULT_TRUNCATE, .offset = 2};
	struct echoc echoc = echoc_run(ECHOC_ARGS("send", faulty_start(&close), "hello"));

	EXPECT(&echoc, 1, "3 of 5 bytes came back");
	echoc_free(&echoc);
	echoc = echoc_run(ECHOC_ARGS("send", "-u", faulty_start(&cut), "hello"));
	EXPECT(&echoc, 1, "2 of 5 bytes came back");
	echoc_free(&echoc);
}
END_TEST

START_TEST(silence_is_not_waited_for_for_ever)
{
	struct faulty faulty = {.datagram = _i == 1, .fault = FAULT_DROP};
	struct echoc echoc = echoc_run(ECHOC_ARGS("send", _i == 1 ? "-u" : "-v", "-w", "50ms",
						  faulty_start(&faulty), "hello"));

	EXPECT(&echoc, 1, "0 of 5 bytes came back", "50ms");
	echoc_free(&echoc);
}
END_TEST

START_TEST(a_refused_port_is_said)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("send", closed_port(), "hello"));

	EXPECT(&echoc, 2, "nothing listens there");
	echoc_free(&echoc);
	echoc = echoc_run(ECHOC_ARGS("send", "-u", closed_port(), "hello"));
	EXPECT(&echoc, 1, "nothing listens there", "0 of 5 bytes came back\n");
	echoc_free(&echoc);
	echoc = echoc_run(ECHOC_ARGS("send", "-u", closed_port(), "hello"));
	EXPECT(&echoc, 1, "nothing listens there");
	echoc_free(&echoc);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("echoc_send");
	TCase *tcase = new_case(suite, "send");

	tcase_add_loop_test(tcase, a_text_comes_back_and_is_printed, 0, 2);
	tcase_add_test(tcase, standard_input_of_any_size_comes_back);
	tcase_add_test(tcase, standard_input_goes_in_datagrams_that_fit);
	tcase_add_loop_test(tcase, an_altered_byte_is_named, 0, 2);
	tcase_add_test(tcase, a_greeting_is_no_echo);
	tcase_add_test(tcase, bytes_that_do_not_come_back_are_counted);
	tcase_add_loop_test(tcase, silence_is_not_waited_for_for_ever, 0, 2);
	tcase_add_test(tcase, a_refused_port_is_said);
	return suite;
}

INTEGRATION_MAIN(suite)
