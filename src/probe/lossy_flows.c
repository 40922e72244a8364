/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Statistics over the losses of flows. Owns nothing; the mode flows of echoc calls it.
 */

#include "config.h"

#include "probe/lossy_flows.h"

#include <math.h>
#include <stdbool.h>

#include "probe/binomial.h"

#define QUANTILE 1.96 /* of the normal distribution, for 95 % on both sides */

static double share(uint64_t part, uint64_t whole)
{
	return (double)part / (double)whole;
}

/* The loss of the flows that are not lossy; NaN of none. */
static double usual_loss(const struct flow_loss *flows, size_t count)
{
	struct flow_loss rest = {.sent = 0};

	for (size_t i = 0; i < count; i++) {
		if (flows[i].class > 0)
			continue;
		rest.sent += flows[i].sent;
		rest.lost += flows[i].lost;
	}
	return share(rest.lost, rest.sent);
}

static bool is_lossy(const struct flow_loss *flow, double usual, double chance)
{
	return flow->lost >= LOSSY_LEAST &&
	       binomial_at_least(flow->sent, flow->lost, usual) < chance;
}

/* How many more are found: the fewer the rest loses, the more stand out. */
static size_t find_more(struct flow_loss *flows, size_t count)
{
	double usual = usual_loss(flows, count);
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		if (flows[i].class > 0 || !is_lossy(&flows[i], usual, LOSSY_CHANCE / (double)count))
			continue;
		flows[i].class = 1;
		found++;
	}
	return found;
}

static bool loses_more(const struct flow_loss *flow, const struct flow_loss *other)
{
	return !other || share(flow->lost, flow->sent) > share(other->lost, other->sent);
}

/* Of the lossy ones without a place in a class, the one that loses most. */
static struct flow_loss *next_lossiest(struct flow_loss *flows, size_t count, unsigned unplaced)
{
	struct flow_loss *most = NULL;

	for (size_t i = 0; i < count; i++) {
		if (flows[i].class == unplaced && loses_more(&flows[i], most))
			most = &flows[i];
	}
	return most;
}

/* Those that lose alike: each is compared to all in the class so far. */
static void part_classes(struct flow_loss *flows, size_t count)
{
	const unsigned unplaced = (unsigned)count + 1;
	struct flow_loss sum = {.class = 0};
	struct flow_loss *flow;

	for (size_t i = 0; i < count; i++) {
		if (flows[i].class > 0)
			flows[i].class = unplaced;
	}
	while ((flow = next_lossiest(flows, count, unplaced)) != NULL) {
		double alike = binomial_at_most(flow->sent, flow->lost, share(sum.lost, sum.sent));

		if (sum.class == 0 || alike < LOSSY_CHANCE / (double)count)
			sum = (struct flow_loss){.class = sum.class + 1};
		flow->class = sum.class;
		sum.sent += flow->sent;
		sum.lost += flow->lost;
	}
}

size_t lossy_flows_find(struct flow_loss *flows, size_t count)
{
	size_t lossy = 0;
	size_t more;

	for (size_t i = 0; i < count; i++)
		flows[i].class = 0;
	while ((more = find_more(flows, count)) > 0)
		lossy += more;
	part_classes(flows, count);
	return lossy;
}

unsigned lossy_flows_classes(const struct flow_loss *flows, size_t count)
{
	unsigned classes = 0;

	for (size_t i = 0; i < count; i++) {
		if (flows[i].class > classes)
			classes = flows[i].class;
	}
	return classes;
}

/* The share of lossy flows is that of CLASSES paths, within Wilson's interval. */
struct path_estimate lossy_flows_paths(size_t count, size_t lossy, unsigned classes)
{
	double n = (double)count;
	double p = share(lossy, count);
	double z2 = QUANTILE * QUANTILE / n;
	double centre = (p + z2 / 2) / (1 + z2);
	double half = sqrt(z2 * (p * (1 - p) + z2 / 4)) / (1 + z2);

	if (lossy == 0)
		return (struct path_estimate){(double)NAN, (double)NAN, (double)NAN};
	return (struct path_estimate){classes / p, classes / (centre + half),
				      classes / (centre - half)};
}
