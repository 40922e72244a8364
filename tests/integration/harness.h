/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The time that all integration tests share. Nothing waits for a fixed time: WAIT_UNTIL looks again
 * until something holds, and gives up only when the patience is over.
 */

#pragma once

#include "support/test.h"

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

/* Whether a program of that name is installed. */
bool installed(const char *program);
