/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The binomial distribution: the probability that a number of losses is due to chance. */

#pragma once

#include <stdint.h>

/* The probability that of TRIALS at least LEAST succeed, each with probability P. */
double binomial_at_least(uint64_t trials, uint64_t least, double p);

/* The probability that at most MOST do. */
double binomial_at_most(uint64_t trials, uint64_t most, double p);
