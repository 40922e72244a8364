/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See graph.h. The browser scales the line to its size; all text is outside the SVG.
 */

#include "config.h"

#include "daemon/http/graph.h"

#include "daemon/http/html.h"

#define STEP 10 /* a second */
#define WIDTH (STEP * (GRAPH_SECONDS - 1))
#define HEIGHT 100
#define MARGIN 2 /* so that a line at the top or bottom is not clipped */

struct scale {
	double most;
	double top; /* the next round number */
};

/* The next of 1, 2, 3, 5, 10, 20, 30, 50, ... */
static double round_up(double most)
{
	static const double steps[] = {1, 2, 3, 5};
	double power = 1;
	size_t step = 0;

	while (steps[step] * power < most) {
		if (++step == ARRAY_SIZE(steps)) {
			step = 0;
			power *= 10;
		}
	}
	return steps[step] * power;
}

static struct scale measure(const double *values, size_t count)
{
	struct scale scale = {0};

	for (size_t age = 0; age < count; age++) {
		if (values[age] > scale.most)
			scale.most = values[age];
	}
	scale.top = round_up(scale.most);
	return scale;
}

static void add_line(struct bounded_text *page, const struct scale *scale, const double *values,
		     size_t count)
{
	for (size_t age = count; age-- > 0;)
		bounded_text_add(page, "%d,%.1f ", WIDTH - (int)age * STEP,
				 MARGIN + (HEIGHT - 2 * MARGIN) * (1 - values[age] / scale->top));
}

/* The label repeats the values for screen readers. */
static void add_heading(struct bounded_text *page, const char *title, uint64_t limit,
			const struct scale *scale, double now)
{
	bounded_text_add(page, "<section class=card><h2>%s</h2><p><b class=now>", title);
	html_rate(page, now);
	bounded_text_add(page, "</b>");
	if (limit > 0) {
		bounded_text_add(page, " of at most ");
		html_count(page, limit);
	}
	bounded_text_add(page,
			 "</p><div class=graph><svg viewBox=\"0 0 %d %d\" "
			 "preserveAspectRatio=none role=img aria-label=\"%s, last minute: now ",
			 WIDTH, HEIGHT, title);
	html_rate(page, now);
	bounded_text_add(page, ", at most ");
	html_rate(page, scale->most);
	bounded_text_add(page,
			 "\"><path class=grid vector-effect=non-scaling-stroke "
			 "d=\"M0 %d H%d M0 %d H%d M0 %d H%d\"/>",
			 MARGIN, WIDTH, HEIGHT / 2, WIDTH, HEIGHT - MARGIN, WIDTH);
}

void graph_write(struct bounded_text *page, const char *title, uint64_t limit, const double *values,
		 size_t count)
{
	struct scale scale = measure(values, count);

	add_heading(page, title, limit, &scale, count > 0 ? values[0] : 0);
	if (count > 1) {
		bounded_text_add(page, "<polygon points=\"%d,%d ", WIDTH - (int)(count - 1) * STEP,
				 HEIGHT - MARGIN);
		add_line(page, &scale, values, count);
		bounded_text_add(page,
				 "%d,%d\"/><polyline vector-effect=non-scaling-stroke points=\"",
				 WIDTH, HEIGHT - MARGIN);
		add_line(page, &scale, values, count);
		bounded_text_add(page, "\"/>");
	}
	bounded_text_add(page, "</svg><span class=top>");
	html_rate(page, scale.top);
	bounded_text_add(page,
			 "</span></div>"
			 "<p class=axis><span>60 s ago</span><span>now</span></p></section>\n");
}
