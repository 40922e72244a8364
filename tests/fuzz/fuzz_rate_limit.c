/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A few sources in any order, with trains of any length, at any rate, against one simple model for
 * each: the limiter grants what the model has room for, and of the rest no more than as much again.
 */

#include "config.h"

#include "echod/guard/rate_limit.h"
#include "fuzz/fuzz.h"

#define SECOND INT64_C(1000000000)
#define SOURCES 4 /* as many as always find a place */
#define START (1000 * SECOND)

/* An input is a rate, and then any number of steps. */
struct step {
	uint8_t source;
	uint8_t scale; /* the pause is so many bits longer */
	uint16_t count;
	uint16_t pause;
} __attribute__((packed));

/*
 * What the two buckets of a source hold, in units of which a second drains RATE * SECOND and a
 * datagram brings SECOND. Bounds, since the limiter rounds to nanoseconds, and does not show which
 * of the answers were beyond the rate.
 */
struct model {
	int64_t least, most;
	int64_t least_extra;
	int64_t last;
};

static struct model models[SOURCES];

/* What is more than fits has drained anything. */
static int64_t drain(int64_t held, int64_t elapsed, uint32_t rate)
{
	int64_t drained;

	if (__builtin_mul_overflow(elapsed, (int64_t)rate, &drained) || drained > held)
		return 0;
	return held - drained;
}

static void advance(struct model *model, uint32_t rate, int64_t now)
{
	int64_t elapsed = now - model->last;

	model->least = drain(model->least, elapsed, rate);
	model->most = drain(model->most, elapsed, rate);
	model->least_extra = drain(model->least_extra, elapsed, rate);
	model->last = now;
}

/* Of COUNT. */
static unsigned fitting(int64_t room, unsigned count)
{
	int64_t datagrams = room / SECOND;

	return datagrams < 0 ? 0 : datagrams < count ? (unsigned)datagrams : count;
}

static unsigned lesser(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static void check_step(struct rate_limit *limit, const struct step *step, uint32_t rate,
		       int64_t now, uint64_t *random_state)
{
	struct model *model = &models[step->source % SOURCES];
	struct in6_addr ip = {.s6_addr = {0x20, 1, 0x0d, 0xb8, [7] = step->source % SOURCES}};
	int64_t burst = (int64_t)rate * SECOND,
		extra_burst = rate < 8 ? SECOND + (int64_t)rate : burst / 8;
	unsigned least, most, extra;
	struct rate_grant grant;

	advance(model, rate, now);
	least = fitting(burst - model->most, step->count);
	most = fitting(burst - model->least, step->count);
	extra = fitting(extra_burst - model->least_extra, step->count - least);
	grant = rate_limit_take(limit, 1, &ip, rate, step->count, now, random_state);
	FUZZ_CHECK(grant.allowed >= least && grant.allowed <= step->count);
	FUZZ_CHECK(grant.allowed <= most + extra);
	FUZZ_CHECK(!grant.log_due || grant.allowed < step->count);

	if (grant.allowed > least + extra)
		least = grant.allowed - extra;
	most = lesser(most, grant.allowed);
	model->least += (int64_t)least * SECOND;
	model->most += (int64_t)most * SECOND + (SECOND % rate != 0 ? rate : 0);
	model->least_extra += (int64_t)(grant.allowed - most) * SECOND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rate_limit *limit = rate_limit_new();
	uint64_t random_state = 1;
	int64_t now = START;
	uint32_t rate = 0;
	struct step step;

	FUZZ_CHECK(limit);
	if (size >= sizeof(rate))
		memcpy(&rate, data, sizeof(rate));
	for (size_t i = 0; i < SOURCES; i++)
		models[i] = (struct model){.last = now};
	for (size_t at = sizeof(rate); rate > 0 && at + sizeof(step) <= size; at += sizeof(step)) {
		memcpy(&step, data + at, sizeof(step));
		now += (int64_t)step.pause << step.scale % 24;
		check_step(limit, &step, rate, now, &random_state);
	}
	rate_limit_free(limit);
	return 0;
}
