/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See page.h. The row of a target is in row.c. */

#include "config.h"

#include "echom/status/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http/html.h"
#include "echom/status/row.h"
#include "echom/watching/watches.h"

#define SLICE (2 * NS_PER_MS)
#define TARGETS_BETWEEN_LOOKS 16 /* at the clock */
#define HOST_MAX 64

/* clang-format off */
static const char style[] =
	"<style>\n" HTML_BASE_STYLE
	"body{max-width:80rem}\n"
	".sum{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;margin:.5rem 0 1rem}\n"
	".sum b{font-size:1.4rem;font-weight:600;font-variant-numeric:tabular-nums}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
	"th{text-align:left;font-weight:600;padding:.3rem .75rem .3rem 0;vertical-align:top}\n"
	"th small,td small{display:block;font-weight:400;color:var(--dim)}\n"
	"td{padding:.3rem .75rem .3rem 0;vertical-align:top;font-variant-numeric:tabular-nums}\n"
	"thead th{font-weight:400;color:var(--dim)}\n"
	"tr+tr>*{border-top:1px solid var(--line)}\n"
	".state{font-weight:600;white-space:nowrap}\n"
	"svg{display:block;width:10rem;max-width:100%;height:2rem}\n"
	".rtt{fill:none;stroke:var(--accent);stroke-width:2;vector-effect:non-scaling-stroke}\n"
	".loss{fill:var(--bad)}.base{stroke:var(--line);vector-effect:non-scaling-stroke}\n"
	"ul{list-style:none;margin:0;padding:0}\n"
	"@media(max-width:40rem){thead{display:none}tr{display:grid;padding:.4rem 0;"
	"grid-template-columns:repeat(2,minmax(0,1fr))}tr>*{border:0!important;padding:.1rem 0}"
	"tbody tr{border-top:1px solid var(--line)}tr>:first-child,.past{grid-column:1/3}}\n"
	"</style>\n";
/* clang-format on */

/* The larger the worse. */
struct rank {
	uint64_t down_for; /* nanoseconds; 0: it is up */
	double loss;	   /* of the last hour */
	size_t index;
};

struct page {
	const struct watches *watches; /* not owned */
	uint64_t generation;
	char host[HOST_MAX];
	struct rank *ranks;
	size_t room;
	size_t ranked;
	size_t down;
	size_t unheard; /* no reply yet */
	bool sorted;
	size_t shown; /* of them */
	size_t next;  /* to be written */
};

static bool begin(struct page *page)
{
	const struct watches *watches = page->watches;

	page->generation = watches->generation;
	page->ranked = page->down = page->unheard = 0;
	if (page->room >= watches->count)
		return true;
	free(page->ranks);
	page->room = 0;
	page->ranks = calloc(watches->count, sizeof(*page->ranks));
	if (!page->ranks)
		return false;
	page->room = watches->count;
	return true;
}

struct page *page_new(const struct watches *watches, const char *host)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return NULL;
	page->watches = watches;
	(void)snprintf(page->host, sizeof(page->host), "%s", host);
	if (begin(page))
		return page;
	page_free(page);
	return NULL;
}

void page_free(struct page *page)
{
	if (!page)
		return;
	free(page->ranks);
	free(page);
}

static bool slice_is_over(uint64_t began)
{
	return clock_ns() - began >= SLICE;
}

static void rank_one(struct page *page, uint64_t now)
{
	const struct watch *watch = page->watches->items[page->ranked];
	struct minute hour = history_hour(&watch->history, now);
	bool is_down = watch_is_down(watch);
	double probes = (double)hour.lost + (double)hour.received;

	page->ranks[page->ranked] = (struct rank){
		.down_for = is_down ? now - watch->outages.current.begin : 0,
		.loss = probes > 0 ? (double)hour.lost / probes : 0,
		.index = page->ranked,
	};
	page->ranked++;
	page->down += is_down;
	page->unheard += !is_down && watch->replied_at == 0;
}

static int compare_ranks(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->down_for != b->down_for)
		return a->down_for > b->down_for ? -1 : 1;
	if (a->loss < b->loss || a->loss > b->loss)
		return a->loss > b->loss ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* True when all are in order. */
static bool rank_some(struct page *page, uint64_t began)
{
	while (page->ranked < page->watches->count) {
		rank_one(page, clock_ns());
		if (page->ranked % TARGETS_BETWEEN_LOOKS == 0 && slice_is_over(began))
			return false;
	}
	if (page->ranked > 0)
		qsort(page->ranks, page->ranked, sizeof(*page->ranks), compare_ranks);
	page->shown = page->ranked < PAGE_TARGETS ? page->ranked : PAGE_TARGETS;
	page->sorted = true;
	return true;
}

static void write_sum(struct bounded_text *text, size_t count, const char *what, const char *class)
{
	bounded_text_add(text, "<span class=%s><b>%zu</b> %s</span>\n", class, count, what);
}

static void write_head(const struct page *page, struct bounded_text *text)
{
	bounded_text_add(text, HTML_HEAD "<title>echom: ");
	html_text(text, page->host);
	bounded_text_add(text, "</title>\n%s</head><body><main>\n<header><h1>echom on ", style);
	html_text(text, page->host);
	bounded_text_add(text, "</h1><p><a href=\"\">Reload</a></p></header>\n<p class=sum>\n");
	write_sum(text, page->down, "down", page->down > 0 ? "ill" : "well");
	write_sum(text, page->ranked - page->down - page->unheard, "up", "well");
	if (page->unheard > 0)
		write_sum(text, page->unheard, "without a reply yet", "dim");
	bounded_text_add(text, "</p>\n<table><thead><tr><th scope=col>Target</th>"
			       "<th scope=col>State</th><th scope=col>Round trip, last hour</th>"
			       "<th scope=col>Loss, last hour</th><th scope=col>Latest outages</th>"
			       "</tr></thead><tbody>\n");
}

static void write_foot(const struct page *page, struct bounded_text *text)
{
	bounded_text_add(text, "</tbody></table>\n");
	if (page->ranked > page->shown)
		bounded_text_add(
			text, "<p>%zu more, none of them worse than these: see the metrics.</p>\n",
			page->ranked - page->shown);
	bounded_text_add(text, "<footer><p><a href=metrics>Metrics</a> echom " PACKAGE_VERSION
			       "</p></footer>\n</main></body></html>\n");
}

/* False: there is more to come. */
static bool write_rows(struct page *page, struct bounded_text *text, uint64_t began)
{
	const struct watches *watches = page->watches;

	while (page->next < page->shown) {
		if (bounded_text_room(text) < ROW_MAX)
			return false;
		row_write(watches->items[page->ranks[page->next].index], text);
		if (++page->next % TARGETS_BETWEEN_LOOKS == 0 && slice_is_over(began))
			return false;
	}
	return true;
}

bool page_write(struct page *page, struct bounded_text *text)
{
	uint64_t began = clock_ns();
	bool changed = page->generation != page->watches->generation;

	/* What was written of another list cannot be taken back: the page ends there. */
	if (changed && (page->sorted || !begin(page)))
		return false;
	if (!page->sorted) {
		if (!rank_some(page, began))
			return true;
		write_head(page, text);
	}
	if (!write_rows(page, text, began))
		return true;
	write_foot(page, text);
	return false;
}
