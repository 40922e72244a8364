/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What STAMP packets say of the clock. Their fields are compared byte by byte where they are
 * answered (echod/datagram/modes) and asked (probe).
 */

#include "config.h"

#include "base/stamp_format.h"

#include <errno.h>
#include <sys/timex.h>

#include "support/test.h"

static struct timex kernel;
static int refusal;

/* In place of the kernel's, which may or may not be synchronised. */
int adjtimex(struct timex *clock)
{
	ck_assert_uint_eq(clock->modes, 0);
	*clock = kernel;
	errno = refusal;
	return refusal == 0 ? TIME_OK : -1;
}

TEST_CASE("stamp_format", NULL, NULL);

/* RFC 8762's clock: error = multiplier * 2^(scale - 32) s, the smallest scale that has room. */
static const struct {
	uint64_t maxerror;
	uint16_t estimate;
} estimates[] = {
	{0, 0x8001}, /* the multiplier is never 0 */
	{1, 0x8000 | 5 << 8 | 135},
	{16000000, 0x8000 | 29 << 8 | 128},
	{1000000, 0x8000 | 25 << 8 | 128},
	{999999, 0x8000 | 25 << 8 | 128}, /* just below 2^32: rounded up into the next scale */
	{500000, 0x8000 | 24 << 8 | 128},
	{UINT64_MAX, 0x8000 | 36 << 8 | 135},
};

TEST_EACH(errors_of_the_clock_are_rounded_up, ARRAY_SIZE(estimates))
{
	ck_assert_uint_eq(stamp_estimate_of(estimates[_i].maxerror), estimates[_i].estimate);
}

TEST(an_estimate_is_at_least_the_error_and_hardly_more)
{
	for (uint64_t error = 1; error < 20000000; error += error / 7 + 1) {
		uint16_t estimate = stamp_estimate_of(error);
		double seconds = (double)error / 1e6, said = estimate & 0xff;

		for (unsigned scale = 0; scale < (estimate >> 8 & 0x3f); scale++)
			said *= 2;
		said /= 4294967296.0;
		ck_assert(said >= seconds && said <= seconds * (1 + 1.0 / 127));
	}
}

static const struct {
	int status;
	int refusal;
	uint16_t estimate;
} clocks[] = {
	{0, 0, 0x8000 | 24 << 8 | 128},
	{STA_PLL | STA_NANO, 0, 0x8000 | 24 << 8 | 128},
	{STA_UNSYNC, 0, STAMP_UNSYNCHRONISED_ESTIMATE},
	{STA_PLL | STA_UNSYNC, 0, STAMP_UNSYNCHRONISED_ESTIMATE},
	{0, EPERM, STAMP_UNSYNCHRONISED_ESTIMATE},
};

TEST_EACH(a_clock_is_synchronised_if_the_kernel_says_so, ARRAY_SIZE(clocks))
{
	kernel = (struct timex){.status = clocks[_i].status, .maxerror = 500000};
	refusal = clocks[_i].refusal;
	ck_assert_uint_eq(stamp_estimate(), clocks[_i].estimate);
}
