/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See page.h. Listeners and graphs are in separate files. */

#include "config.h"

#include "echod/status/page.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "daemon/http/graph.h"
#include "daemon/http/html.h"
#include "echod/status/listeners.h"

/* Rates are averages over this many seconds, so that they stay readable. */
#define RATE_SECONDS 10

/* The maximum size of everything after the listeners. */
#define REST_MAX (16 * 1024)

/* clang-format off */
static const char head[] = HTML_HEAD "<meta http-equiv=refresh content=5>\n";

static const char style[] =
	"<style>\n" HTML_BASE_STYLE
	"h2{font-size:1rem;margin:1.75rem 0 .5rem}h3{font-size:1rem;margin:0}\n"
	"header p,dt,.default,.none td,.none th{color:var(--dim)}\n"
	"header p{margin:.25rem 0 1rem}\n"
	"header div{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:center}\n"
	"header span{border:1px solid;border-radius:1rem;padding:0 .75rem;font-size:.9rem}\n"
	".card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;"
	"padding:.75rem 1rem;overflow-wrap:anywhere}\n"
	".row{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr))}\n"
	".row.wide{grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));"
	"margin-top:.75rem}\n"
	".row h2,.row p{margin:0;font-size:.85rem;font-weight:400;color:var(--dim)}\n"
	".now{font-size:1.4rem;color:var(--ink);font-variant-numeric:tabular-nums}\n"
	".graph{position:relative;margin-top:1.25rem}.top{position:absolute;top:-1.1rem;left:0;"
	"font-size:.75rem;color:var(--dim)}\n"
	"svg{display:block;width:100%;height:6rem}\n"
	"svg *{vector-effect:non-scaling-stroke;fill:none}\n"
	".grid{stroke:var(--line)}polygon{fill:var(--accent);opacity:.15}\n"
	"polyline{stroke:var(--accent);stroke-width:2;stroke-linejoin:round}\n"
	".axis{display:flex;justify-content:space-between}\n"
	"article{margin-bottom:.75rem}\n"
	"ul{list-style:none;margin:.25rem 0 .75rem;padding:0;display:flex;flex-wrap:wrap;"
	"gap:.25rem 1.25rem;font-family:ui-monospace,monospace;font-size:.95rem}\n"
	"b{font-weight:600}li b{color:var(--accent)}\n"
	"dl,dl div{margin:0;display:flex;flex-wrap:wrap;gap:.1rem 1.25rem;font-size:.9rem}\n"
	"dl div{column-gap:.4rem}dd{margin:0}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
	"th{text-align:left;font-weight:400;padding:.15rem 0}\n"
	"td,th:nth-child(n+2){text-align:right;padding:.15rem 0 .15rem 1rem;"
	"font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	"thead th{color:var(--dim);border-bottom:1px solid var(--line)}\n"
	"th.part{padding-left:1.25rem}\n"
	/* On a phone, two large numbers leave no space for a name: put it on its own line. */
	"@media(max-width:30rem){tr{display:flex;flex-wrap:wrap}"
	"tbody th{flex:1 0 100%;padding-bottom:0}thead th:first-child{display:none}"
	"td:nth-child(n),thead th:nth-child(n){flex:1 0 50%;padding:0 0 .15rem}}\n"
	"</style>\n";
/* clang-format on */

static size_t offset_of(size_t counter)
{
	return offsetof(struct totals, counters) + counter * sizeof(uint64_t);
}

static double rate_between(const struct history *history, size_t oldest, size_t newest,
			   size_t offset)
{
	return history_rate(history_at(history, oldest), history_at(history, newest), offset);
}

/* The rate over the last seconds, as far back as known. */
static double recent_rate(const struct history *history, size_t offset)
{
	size_t oldest = history->count > RATE_SECONDS ? RATE_SECONDS : history->count - 1;

	return history->count > 0 ? rate_between(history, oldest, 0, offset) : 0;
}

/* These are negative where the value is not known. */
typedef double value_at(const struct history *history, size_t age);

static double connections_at(const struct history *history, size_t age)
{
	const struct sample *sample = history_at(history, age);

	return sample ? (double)sample->totals.connections : -1;
}

/* A message is a datagram, or the result of one read from a TCP connection. */
static double messages_at(const struct history *history, size_t age)
{
	if (age + 1 >= history->count)
		return -1;
	return rate_between(history, age + 1, age, offset_of(TCP_MESSAGES)) +
	       rate_between(history, age + 1, age, offset_of(UDP_RECEIVED_DATAGRAMS));
}

static void add_graph(struct bounded_text *page, const char *title, uint64_t limit,
		      const struct history *history, value_at *value)
{
	double values[GRAPH_SECONDS];
	size_t count = 0;

	while (count < GRAPH_SECONDS && (values[count] = value(history, count)) >= 0)
		count++;
	graph_write(page, title, limit, values, count);
}

static void add_header(struct bounded_text *page, const struct status_view *view)
{
	bounded_text_add(page, "%s<title>echod on ", head);
	html_text(page, view->host);
	bounded_text_add(page, "</title>\n%s</head><body>\n<header><div><h1>echod on ", style);
	html_text(page, view->host);
	bounded_text_add(page, "</h1><span class=%s>%s</span></div>\n", view->well ? "well" : "ill",
			 view->state);
	bounded_text_add(page, "<p>Version %s, %" PRIu64 " worker%s, up for ", PACKAGE_VERSION,
			 view->totals->workers, view->totals->workers == 1 ? "" : "s");
	html_duration(page, view->up_s);
	bounded_text_add(page, "</p></header>\n");
}

static void begin_tile(struct bounded_text *page, const char *title)
{
	bounded_text_add(page, "<div class=card><h2>%s</h2><p><b class=now>", title);
}

static void end_tile(struct bounded_text *page)
{
	bounded_text_add(page, "</b> a second</p></div>\n");
}

static void add_bytes_tile(struct bounded_text *page, const struct history *history,
			   const char *title, enum counter tcp, enum counter udp)
{
	begin_tile(page, title);
	html_bytes(page,
		   recent_rate(history, offset_of(tcp)) + recent_rate(history, offset_of(udp)));
	end_tile(page);
}

static void add_tiles(struct bounded_text *page, const struct status_view *view)
{
	double silent = recent_rate(view->history, offsetof(struct totals, kernel_drops));

	for (size_t which = UDP_DROPPED_DENIED; which <= UDP_DROPPED_SEND; which++)
		silent += recent_rate(view->history, offset_of(which));
	bounded_text_add(page, "<div class=row>\n");
	add_bytes_tile(page, view->history, "Received", TCP_RECEIVED_BYTES, UDP_RECEIVED_BYTES);
	add_bytes_tile(page, view->history, "Sent", TCP_SENT_BYTES, UDP_SENT_BYTES);
	begin_tile(page, "Connections accepted");
	html_rate(page, recent_rate(view->history, offset_of(TCP_ACCEPTED)));
	end_tile(page);
	begin_tile(page, "Datagrams not answered");
	html_rate(page, silent);
	end_tile(page);
	bounded_text_add(page, "</div>\n");
}

/* A counter's help is a sentence; here it is the title of a row. */
static void add_row(struct bounded_text *page, const char *name, bool part, uint64_t total,
		    double rate)
{
	bounded_text_add(page, "<tr%s><th scope=row%s>%.*s</th><td>",
			 total == 0 ? " class=none" : "", part ? " class=part" : "",
			 (int)strcspn(name, "."), name);
	html_count(page, total);
	bounded_text_add(page, "</td><td>");
	html_rate(page, rate);
	bounded_text_add(page, "</td></tr>\n");
}

static void add_counter(struct bounded_text *page, const struct status_view *view, size_t which)
{
	const struct counter_name *name = &counter_names[which];
	bool part = name->value;

	if (part && name->help)
		bounded_text_add(page, "<tr><th scope=rowgroup colspan=3>%.*s</th></tr>\n",
				 (int)strcspn(name->help, "."), name->help);
	add_row(page, part ? name->value : name->help, part, view->totals->counters[which],
		recent_rate(view->history, offset_of(which)));
}

static void add_counters(struct bounded_text *page, const struct status_view *view)
{
	bounded_text_add(page, "<h2>Counters</h2><div class=card><table><thead><tr><th scope=col>"
			       "</th><th scope=col>since the start</th>"
			       "<th scope=col>a second</th></tr></thead><tbody>\n");
	for (size_t which = 0; which < COUNTER_COUNT; which++)
		add_counter(page, view, which);
	add_row(page, "Datagrams dropped by the kernel: buffer full, or checksum wrong", false,
		view->totals->kernel_drops,
		recent_rate(view->history, offsetof(struct totals, kernel_drops)));
	add_row(page, "Reloads", false, view->totals->reloads_done,
		recent_rate(view->history, offsetof(struct totals, reloads_done)));
	add_row(page, "Reloads that failed", false, view->totals->reloads_failed,
		recent_rate(view->history, offsetof(struct totals, reloads_failed)));
	bounded_text_add(page, "</tbody></table></div>\n");
}

void status_page_write(struct bounded_text *page, const struct status_view *view)
{
	add_header(page, view);
	add_tiles(page, view);
	bounded_text_add(page, "<div class=\"row wide\">\n");
	add_graph(page, "TCP connections", view->totals->connections_max, view->history,
		  connections_at);
	add_graph(page, "Messages a second", 0, view->history, messages_at);
	bounded_text_add(page, "</div>\n<h2>Served%s</h2>\n",
			 view->sockets->handed ? ", on sockets that were handed over" : "");
	status_listeners_write(page, view->config, view->sockets, REST_MAX);
	add_counters(page, view);
	bounded_text_add(page, "<h2>Settings of the process</h2><div class=card>");
	status_server_write(page, &view->config->server);
	bounded_text_add(
		page,
		"</div>\n<footer>Rates are averages over the last %d seconds; settings at their "
		"defaults are dimmed. "
		"For machines: <a href=metrics>metrics</a>, "
		"<a href=healthz>healthz</a>.</footer>\n</body></html>\n",
		RATE_SECONDS);
}
