/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Tests that cannot show anything on this host. libcheck knows only passed and failed ones, so
 * every test program runs its suite through run_tests(), which names those that were skipped and
 * exits with what automake counts as a skip.
 */

#pragma once

#include <check.h>
#include <stdbool.h>

#include "base/compiler.h"

/* Ends the present test. */
void skip(const char *reason, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

/* EXIT_FAILURE if a test of RUNNER failed, else 77 if one was skipped, else EXIT_SUCCESS. */
int run_tests(SRunner *runner);

/* Whether this is a build whose memory and speed say nothing about a real one (sanitizers). */
bool instrumented(void);

/* Whether it makes system calls that the sources do not: a sanitizer's, or to write coverage. */
bool makes_more_calls(void);
