/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What every unit test program ends with: a main that runs its suite. A test file defines
 * `static Suite *suite(void)` and has UNIT_MAIN(suite) as its last line.
 */

#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdlib.h>

#include "support/skipped.h"

static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int result = run_tests(runner);

	srunner_free(runner);
	return result;
}

#define UNIT_MAIN(suite)                                                                           \
	int main(void)                                                                             \
	{                                                                                          \
		return unit_run(suite());                                                          \
	}

#endif
