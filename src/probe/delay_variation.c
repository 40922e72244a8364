/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See delay_variation.h. */

#include "config.h"

#include "probe/delay_variation.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

#define ROOM_AT_FIRST 256
#define STEADY (60 * (double)NS_PER_S) /* for so long the drift does not matter */

/* The least delay that there can have been at a time. */
struct line {
	double at, value; /* a point of it */
	double slope;
};

static int make_room(struct delay_variation *variation)
{
	size_t room = variation->room > 0 ? 2 * variation->room : ROOM_AT_FIRST;
	struct delay *delays;

	if (variation->count < variation->room)
		return 0;
	delays = realloc(variation->delays, room * sizeof(*delays));
	if (!delays)
		return -1;
	variation->delays = delays;
	variation->room = room;
	return 0;
}

static void thin_out(struct delay_variation *variation)
{
	variation->count /= 2;
	for (size_t i = 0; i < variation->count; i++)
		variation->delays[i] = variation->delays[2 * i];
	variation->stride *= 2;
}

/* Of what a hostile far side sends, too, differences wrap without harm. */
static int64_t difference(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

void delay_variation_enter(struct delay_variation *variation, const struct delay *delay)
{
	if (variation->stride == 0) {
		variation->first = *delay;
		variation->stride = 1;
	}
	if (variation->entered++ % variation->stride != 0)
		return;
	if (variation->count == DELAYS_MAX)
		thin_out(variation);
	if (make_room(variation) < 0)
		return;
	variation->delays[variation->count++] =
		(struct delay){difference(delay->at, variation->first.at),
			       difference(delay->value, variation->first.value)};
}

void delay_variation_clear(struct delay_variation *variation)
{
	free(variation->delays);
	*variation = (struct delay_variation){0};
}

static int by_time(const void *a, const void *b)
{
	const struct delay *one = a, *other = b;

	return (one->at > other->at) - (one->at < other->at);
}

static int by_value(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* Whether B is above the line from A to C, or on it: then it is no corner of the lower edge. */
static bool is_above(const struct delay *a, const struct delay *b, const struct delay *c)
{
	double run = (double)c->at - (double)a->at;
	double rise = (double)c->value - (double)a->value;

	return ((double)b->value - (double)a->value) * run >=
	       ((double)b->at - (double)a->at) * rise;
}

/* The corners of the lower edge (Andrew's monotone chain), by their number; how many there are. */
static size_t lower_edge(const struct delay_variation *variation, size_t *corners)
{
	const struct delay *delays = variation->delays;
	size_t count = 0;

	for (size_t i = 0; i < variation->count; i++) {
		while (count >= 2 && is_above(&delays[corners[count - 2]],
					      &delays[corners[count - 1]], &delays[i]))
			count--;
		corners[count++] = i;
	}
	return count;
}

static struct line level(const struct delay_variation *variation)
{
	struct line line = {0, INFINITY, 0};

	for (size_t i = 0; i < variation->count; i++)
		line.value = fmin(line.value, (double)variation->delays[i].value);
	return line;
}

/* Of the lines under all delays the one closest to them: it goes through their mean time. */
static struct line sloping(const struct delay_variation *variation, const size_t *corners,
			   size_t count)
{
	const struct delay *delays = variation->delays;
	const struct delay *from = NULL, *to;
	double middle = 0;
	size_t i = 1;

	for (size_t j = 0; j < variation->count; j++)
		middle += (double)delays[j].at / (double)variation->count;
	while (i + 1 < count && (double)delays[corners[i]].at < middle)
		i++;
	from = &delays[corners[i - 1]];
	to = &delays[corners[i]];
	if (to->at == from->at)
		return level(variation);
	return (struct line){(double)from->at, (double)from->value,
			     ((double)to->value - (double)from->value) /
				     ((double)to->at - (double)from->at)};
}

static int find_line(const struct delay_variation *variation, struct line *line)
{
	const struct delay *last = &variation->delays[variation->count - 1];
	size_t *corners;

	*line = level(variation);
	if (variation->count < 3 || (double)last->at - (double)variation->delays[0].at <= STEADY)
		return 0;
	corners = malloc(variation->count * sizeof(*corners));
	if (!corners)
		return -1;
	*line = sloping(variation, corners, lower_edge(variation, corners));
	free(corners);
	return 0;
}

int delay_variation_percentiles(struct delay_variation *variation, const double *percents,
				double *values, size_t count)
{
	size_t size = variation->count;
	double *above;
	struct line line;

	for (size_t i = 0; i < count; i++)
		values[i] = (double)NAN;
	if (size == 0)
		return 0;
	qsort(variation->delays, size, sizeof(*variation->delays), by_time);
	above = malloc(size * sizeof(*above));
	if (!above || find_line(variation, &line) < 0) {
		free(above);
		return -1;
	}
	for (size_t i = 0; i < size; i++) {
		const struct delay *delay = &variation->delays[i];

		above[i] = fmax(0, (double)delay->value - line.value -
					   line.slope * ((double)delay->at - line.at));
	}
	qsort(above, size, sizeof(*above), by_value);
	for (size_t i = 0; i < count; i++)
		values[i] =
			above[(size_t)fmin(ceil(percents[i] / 100 * (double)size), (double)size) -
			      (percents[i] > 0)];
	free(above);
	return 0;
}
