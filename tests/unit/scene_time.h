/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Time that passes in a scene. Has the fake clock: one file of a program includes this. */

#pragma once

#include "unit/fake_clock.h"
#include "unit/loop_scene.h"

#define STEP_MS 50

/* MS pass, with a turn after each step. */
static inline void pass(int64_t ms)
{
	for (int64_t end = fake_ms + ms; fake_ms < end;) {
		fake_ms += STEP_MS;
		scene_turn();
	}
}
