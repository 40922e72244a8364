/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The arithmetic of a fixed schedule. Owns nothing; the flows of a bench with -r ask it what is
 * due.
 */

#include "config.h"

#include "probe/schedule.h"

#include "base/clock.h"

/* In two steps: number * 10^9 would overflow after a few hours at a high rate. */
static uint64_t time_of(uint64_t number, uint64_t rate)
{
	return number / rate * NS_PER_S + number % rate * NS_PER_S / rate;
}

uint64_t schedule_due(const struct schedule *schedule, uint64_t number)
{
	return schedule->start +
	       time_of(number * schedule->count + schedule->index, schedule->rate);
}

/* How many messages of the whole run are due ELAPSED after its start: those with time_of <= it. */
static uint64_t due_in_all(uint64_t elapsed, uint64_t rate)
{
	uint64_t part = elapsed % NS_PER_S;
	uint64_t guess = elapsed / NS_PER_S * rate + part * rate / NS_PER_S;

	return time_of(guess + 1, rate) <= elapsed ? guess + 2 : guess + 1;
}

uint64_t schedule_count(const struct schedule *schedule, uint64_t now)
{
	uint64_t all;

	if (now < schedule->start)
		return 0;
	if (now >= schedule->end)
		now = schedule->end - 1;
	all = due_in_all(now - schedule->start, schedule->rate);
	if (all <= schedule->index)
		return 0;
	return (all - schedule->index - 1) / schedule->count + 1;
}
