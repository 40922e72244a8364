/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See page.h. Listeners, counters and graphs are in separate files. */

#include "config.h"

#include "echod/status/page.h"

#include <inttypes.h>
#include <stddef.h>

#include "daemon/http/graph.h"
#include "daemon/http/html.h"
#include "echod/status/counter_tables.h"
#include "echod/status/listeners.h"

/* The maximum size of everything after the listeners. */
#define REST_MAX (8 * 1024)

/* clang-format off */
static const char style[] =
	"<style>\n" HTML_BASE_STYLE
	"h2{font-size:1rem;margin:1.75rem 0 .5rem}h3{font-size:1rem;margin:0}\n"
	"header p,dt,.none td,.none th{color:var(--dim)}\n"
	"header p{margin:.25rem 0 1rem}\n"
	"header div{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:center}\n"
	"header span{border:1px solid;border-radius:1rem;padding:0 .75rem;font-size:.9rem}\n"
	".card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;"
	"padding:.75rem 1rem;overflow-wrap:anywhere}\n"
	".row{display:grid;gap:.75rem;grid-template-columns:repeat(4,1fr)}\n"
	".row.wide{grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));"
	"margin-top:.75rem}\n"
	".row h2,.row p{margin:0;font-size:.85rem;font-weight:400;color:var(--dim)}\n"
	".now{font-size:1.4rem;color:var(--ink);font-variant-numeric:tabular-nums;"
	"white-space:nowrap}\n"
	".graph{position:relative;margin-top:1.25rem}.top{position:absolute;top:-1.1rem;left:0;"
	"font-size:.75rem;color:var(--dim)}\n"
	"svg{display:block;width:100%;height:6rem}\n"
	"svg *{fill:none}\n"
	".grid{stroke:var(--line)}polygon{fill:var(--accent);opacity:.15}\n"
	"polyline{stroke:var(--accent);stroke-width:2;stroke-linejoin:round}\n"
	".axis{display:flex;justify-content:space-between}\n"
	"summary{cursor:pointer}article{padding:.5rem 0;border-top:1px solid var(--line)}\n"
	"article,ul,dl,dl div{margin:0;padding-left:0;display:flex;flex-wrap:wrap;"
	"gap:.1rem 1.25rem}\n"
	"summary+article{margin-top:.5rem}\n"
	"ul{list-style:none}ul,dl{font:.9rem ui-monospace,monospace;line-height:1.6}\n"
	"b{font-weight:600}li b{color:var(--accent)}\n"
	"dl div{column-gap:.4rem}dd{margin:0}\n"
	"table{border-collapse:collapse;width:100%;font-size:.9rem;overflow-wrap:normal}\n"
	"th{text-align:left;font-weight:400;padding:.15rem 0}\n"
	"td,th:nth-child(n+2){text-align:right;padding:.15rem 0 .15rem 1rem;vertical-align:top;"
	"width:6.5rem;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	"thead th{color:var(--dim);border-bottom:1px solid var(--line)}\n"
	"thead th:first-child{color:var(--ink);font-weight:600}th.part{padding-left:1.25rem}\n"
	"@media(max-width:44rem){.row{grid-template-columns:1fr 1fr}}\n"
	/* On a phone, tiles are lines, and numbers that leave no room for the name go below it. */
	"@media(max-width:30rem){body,.card{padding:.75rem}"
	".row{grid-template-columns:1fr;gap:.5rem}"
	".tile{display:flex;justify-content:space-between;align-items:baseline;"
	"padding:.25rem .75rem}.tile .now{font-size:1.1rem}"
	"tr{display:flex;flex-wrap:wrap;justify-content:flex-end}th:first-child{flex:1 0 7rem}"
	"td:nth-child(n),thead th:nth-child(n+2){width:auto;min-width:4.2rem;"
	"padding-left:.5rem}}\n"
	"</style>\n";
/* clang-format on */

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
	return history_rate(history, age, counter_offset(TCP_MESSAGES)) +
	       history_rate(history, age, counter_offset(UDP_RECEIVED_DATAGRAMS));
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
	bounded_text_add(page, HTML_HEAD "<title>echod on ");
	html_text(page, view->host);
	bounded_text_add(page, "</title>\n%s</head><body>\n<header><div><h1>echod on ", style);
	html_text(page, view->host);
	bounded_text_add(page, "</h1><span class=%s>%s</span><a href=\"\">Reload</a></div>\n",
			 view->well ? "well" : "ill", view->state);
	bounded_text_add(page, "<p>Version %s, %" PRIu64 " worker%s, up for ", PACKAGE_VERSION,
			 view->totals->workers, view->totals->workers == 1 ? "" : "s");
	html_duration(page, view->up_s);
	bounded_text_add(page, "</p></header>\n");
}

static void begin_tile(struct bounded_text *page, const char *title)
{
	bounded_text_add(page, "<div class=\"card tile\"><h2>%s</h2><p><b class=now>", title);
}

static void end_tile(struct bounded_text *page)
{
	bounded_text_add(page, "/s</b></p></div>\n");
}

static void add_bytes_tile(struct bounded_text *page, const struct history *history,
			   const char *title, enum counter tcp, enum counter udp)
{
	begin_tile(page, title);
	html_bytes(page, history_rate(history, 0, counter_offset(tcp)) +
				 history_rate(history, 0, counter_offset(udp)));
	end_tile(page);
}

static void add_tiles(struct bounded_text *page, const struct history *history)
{
	double silent = history_rate(history, 0, offsetof(struct totals, kernel_drops));

	for (enum counter which = UDP_DROPPED_DENIED; which <= UDP_DROPPED_SEND; which++)
		silent += history_rate(history, 0, counter_offset(which));
	bounded_text_add(page, "<div class=row>\n");
	add_bytes_tile(page, history, "Received", TCP_RECEIVED_BYTES, UDP_RECEIVED_BYTES);
	add_bytes_tile(page, history, "Sent", TCP_SENT_BYTES, UDP_SENT_BYTES);
	begin_tile(page, "Connections accepted");
	html_rate(page, history_rate(history, 0, counter_offset(TCP_ACCEPTED)));
	end_tile(page);
	begin_tile(page, "Datagrams not answered");
	html_rate(page, silent);
	end_tile(page);
	bounded_text_add(page, "</div>\n");
}

static void add_footer(struct bounded_text *page)
{
	bounded_text_add(page,
			 "</main>\n<footer>Rates are averages over the last %d seconds. Settings "
			 "that are not shown have their defaults; echod -T prints all. For "
			 "machines: <a href=metrics>metrics</a>, <a href=healthz>healthz</a>."
			 "</footer>\n</body></html>\n",
			 RATE_SECONDS);
}

void status_page_write(struct bounded_text *page, const struct status_view *view)
{
	add_header(page, view);
	bounded_text_add(page, "<main>\n");
	add_tiles(page, view->history);
	bounded_text_add(page, "<div class=\"row wide\">\n");
	add_graph(page, "TCP connections", view->totals->connections_max, view->history,
		  connections_at);
	add_graph(page, "Messages a second", 0, view->history, messages_at);
	bounded_text_add(page, "</div>\n<h2>Counters</h2>\n");
	counter_tables_write(page, view->totals, view->history);
	bounded_text_add(page, "<h2>Listeners%s</h2>\n",
			 view->sockets->handed ? ", on sockets that were handed over" : "");
	status_listeners_write(page, view->config, view->sockets, REST_MAX);
	bounded_text_add(page, "<h2>Settings</h2>\n");
	status_settings_write(page, view->config);
	add_footer(page);
}
