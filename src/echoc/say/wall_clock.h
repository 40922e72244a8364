/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Times of clock_ns() as the wall clock shows them, by its present setting: in UTC for programs, in
 * local time for people.
 */

#pragma once

#include <stdint.h>

#define WALL_CLOCK_TEXT_MAX 64

/* "2026-11-30T14:03:04.120000Z" */
const char *wall_clock_utc(uint64_t time, char text[static WALL_CLOCK_TEXT_MAX]);

/* "2026-11-30 14:03:04.120" */
const char *wall_clock_local(uint64_t time, char text[static WALL_CLOCK_TEXT_MAX]);

/* "14:03:04.120" */
const char *wall_clock_of_day(uint64_t time, char text[static WALL_CLOCK_TEXT_MAX]);
