/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What every integration test program ends with, and the time that all of them share. A test file
 * defines `static Suite *suite(void)`, makes its cases with new_case() and has
 * INTEGRATION_MAIN(suite) as its last line. Nothing waits for a fixed time: WAIT_UNTIL looks again
 * until something holds, and gives up only when the patience is over.
 */

#ifndef HARNESS_H
#define HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "support/skipped.h"

/* How long anything may take before its test fails; more in instrumented builds. */
int patience_ms(void);

int64_t now_ms(void);
void look_again_soon(void);

#define WAIT_UNTIL(condition)                                                                      \
	do {                                                                                       \
		int64_t give_up_at = now_ms() + patience_ms();                                     \
		while (!(condition)) {                                                             \
			ck_assert_msg(now_ms() < give_up_at, "never came true: %s", #condition);   \
			look_again_soon();                                                         \
		}                                                                                  \
	} while (0)

/* The number in the environment under NAME, or FALLBACK: for loads that a slow build cuts down. */
long scale(const char *name, long fallback);

/* Whether this is a build whose memory and speed say nothing about a real one (sanitizers). */
bool instrumented(void);

/* Whether a program of that name is installed. */
bool installed(const char *program);

/* The directory of this test program; removed at its end. */
const char *test_directory(void);

/* A case added to SUITE whose tests may take longer than anything that they wait for. */
TCase *new_case(Suite *suite, const char *name);

int run_suite(Suite *suite);

#define INTEGRATION_MAIN(suite)                                                                    \
	int main(void)                                                                             \
	{                                                                                          \
		return run_suite(suite());                                                         \
	}

#endif
