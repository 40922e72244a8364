/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Tails of the binomial distribution. Always the tail away from the mean is summed up, from its
 * largest term on, which is computed as a logarithm: no term overflows, and a small result is exact
 * to many digits. Owns nothing; lossy_flows.c calls it.
 */

#include "config.h"

#include "probe/binomial.h"

#include <math.h>

#define NEGLIGIBLE 1e-17 /* of the sum */

static double term(double trials, double successes, double p)
{
	double failures = trials - successes;

	return exp(lgamma(trials + 1) - lgamma(successes + 1) - lgamma(failures + 1) +
		   successes * log(p) + failures * log1p(-p));
}

/*
 * P[X >= LEAST], where that is above the mean, so that the terms decrease. The first is 0 where no
 * success can be, or no failure; there is none where LEAST is above TRIALS.
 */
static double upper_tail(uint64_t trials, uint64_t least, double p)
{
	double next = term((double)trials, (double)least, p);
	double sum = 0;

	for (uint64_t i = least; i <= trials && next > sum * NEGLIGIBLE; i++) {
		sum += next;
		next *= (double)(trials - i) / ((double)i + 1) * p / (1 - p);
	}
	return sum;
}

double binomial_at_least(uint64_t trials, uint64_t least, double p)
{
	if ((double)least > (double)trials * p)
		return upper_tail(trials, least, p);
	return 1 - upper_tail(trials, trials - least + 1, 1 - p);
}

double binomial_at_most(uint64_t trials, uint64_t most, double p)
{
	return most >= trials ? 1 : binomial_at_least(trials, trials - most, 1 - p);
}
