/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Round-trip times, summed up. Owns nothing beyond the structs; the books hold one latency for each
 * sum, and every flow its jitter.
 */

#include "config.h"

#include "probe/latency.h"

#include <math.h>
#include <string.h>

void latency_clear(struct latency *latency)
{
	memset(latency, 0, sizeof(*latency));
}

void latency_add(struct latency *latency, uint64_t ns, uint64_t count)
{
	double value = (double)ns;
	double times = (double)count;

	if (latency->count == 0 || ns < latency->min)
		latency->min = ns;
	if (ns > latency->max)
		latency->max = ns;
	latency->count += count;
	latency->sum += times * value;
	latency->squares += times * value * value;
	histogram_add(&latency->histogram, ns, count);
}

void latency_merge(struct latency *into, const struct latency *from)
{
	if (from->count == 0)
		return;
	if (into->count == 0 || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->count += from->count;
	into->sum += from->sum;
	into->squares += from->squares;
	histogram_merge(&into->histogram, &from->histogram);
}

double latency_mean(const struct latency *latency)
{
	return latency->count > 0 ? latency->sum / (double)latency->count : (double)NAN;
}

double latency_deviation(const struct latency *latency)
{
	double mean = latency_mean(latency);
	double variance;

	if (latency->count == 0)
		return (double)NAN;
	variance = latency->squares / (double)latency->count - mean * mean;
	return sqrt(fmax(variance, 0)); /* rounding may leave it just below 0 */
}

/* A bucket's middle may lie outside of what was seen: the extremes are exact and bound it. */
double latency_percentile(const struct latency *latency, double percent)
{
	uint64_t value;

	if (latency->count == 0)
		return (double)NAN;
	value = histogram_percentile(&latency->histogram, percent);
	if (value < latency->min)
		value = latency->min;
	return (double)(value > latency->max ? latency->max : value);
}

double latency_variation(const struct latency *latency, double percent)
{
	return latency_percentile(latency, percent) - (double)latency->min;
}

/* RFC 3550, 6.4.1: J += (|D| - J) / 16, where D is the difference between two transit times. */
void jitter_add(struct jitter *jitter, uint64_t ns, uint64_t count)
{
	if (jitter->previous != 0) {
		double difference = fabs((double)ns - (double)jitter->previous);

		jitter->value += (difference - jitter->value) / 16.0;
		jitter->differences++;
	}
	if (count > 1) { /* all further differences are 0 */
		jitter->value *= pow(15.0 / 16.0, (double)(count - 1));
		jitter->differences += count - 1;
	}
	jitter->previous = ns;
}
