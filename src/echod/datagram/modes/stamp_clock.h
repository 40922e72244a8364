/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How far our clock may be from the truth, as STAMP packets have it. Owns nothing; what was asked
 * last is kept by the worker.
 */

#pragma once

#include <stdint.h>

struct mode_state;

/* Asks the kernel, at most once a second. */
uint16_t stamp_clock_estimate(struct mode_state *state);
