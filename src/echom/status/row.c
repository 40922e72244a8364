/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See row.h. A state is a word and a figure, never only a colour. */

#include "config.h"

#include "echom/status/row.h"

#include <inttypes.h>
#include <time.h>

#include "daemon/http/html.h"
#include "echom/watching/watch.h"

#define STEP 4 /* of the graph, a minute */
#define WIDTH (STEP * HISTORY_MINUTES)
#define HEIGHT 40
#define DAY (24 * 3600 * NS_PER_S)
#define OUTAGES_SHOWN 3

static double mean_ms(const struct minute *minute)
{
	return (double)minute->rtt_sum / (double)minute->received / (double)NS_PER_MS;
}

static void write_name(const struct watch *watch, struct bounded_text *text)
{
	bounded_text_add(text, "<tr><th scope=row>");
	html_text(text, watch_name(watch->settings));
	bounded_text_add(text, "<small>%s ", watch_protocol_names[watch->settings->protocol]);
	html_text(text, watch->settings->address);
	bounded_text_add(text, "</small></th>\n");
}

/* What is known of the way of packets, beside how long it takes. */
static void write_hops(const struct watch_state *state, struct bounded_text *text)
{
	int64_t there = state->hops[WAY_THERE], back = state->hops[WAY_BACK];

	if (there != STATE_UNKNOWN)
		bounded_text_add(text, "<small>%" PRId64 " hop%s there</small>", there,
				 there == 1 ? "" : "s");
	if (back != STATE_UNKNOWN)
		bounded_text_add(text, "<small>%" PRId64 " hop%s back</small>", back,
				 back == 1 ? "" : "s");
	if (state->dscp_changed[WAY_THERE] == 1)
		bounded_text_add(text, "<small class=ill>DSCP changed on the way there</small>");
	if (state->dscp_changed[WAY_BACK] == 1)
		bounded_text_add(text, "<small class=ill>DSCP changed on the way back</small>");
}

/* Which way and which of the flows lose: of all probes since the start, unlike the graph. */
static void write_where(const struct watch *watch, const struct watch_state *state,
			struct bounded_text *text)
{
	if (state->lost_on[WAY_THERE] != STATE_UNKNOWN)
		bounded_text_add(
			text, "<small>since the start: %" PRId64 " there, %" PRId64 " back</small>",
			state->lost_on[WAY_THERE], state->lost_on[WAY_BACK]);
	else if (watch->reflector && watch->replied_at != 0)
		bounded_text_add(text, "<small>direction unknown: the reflector does not "
				       "count</small>");
	if (state->flows_lossy > 0)
		bounded_text_add(text,
				 "<small class=ill>%" PRId64
				 " of %zu flows lose more than the others</small>",
				 state->flows_lossy, watch->port_count);
}

static void write_state(const struct watch *watch, uint64_t now, struct bounded_text *text)
{
	uint64_t begin = watch->outages.current.begin;

	if (watch_is_down(watch)) {
		bounded_text_add(text, "<td class=\"state ill\">down<small>for ");
		html_duration(text, (int64_t)((now - begin) / NS_PER_S));
		bounded_text_add(text, "</small></td>\n");
	} else if (watch->replied_at == 0) {
		bounded_text_add(text, "<td class=state>no reply yet</td>\n");
	} else {
		bounded_text_add(text, "<td class=\"state well\">up</td>\n");
	}
}

static double highest_ms(const struct history *history, uint64_t now)
{
	double highest = 0;

	for (uint64_t ago = 0; ago < HISTORY_MINUTES; ago++) {
		struct minute minute = history_minute(history, now, ago);

		if (minute.received > 0 && mean_ms(&minute) > highest)
			highest = mean_ms(&minute);
	}
	return highest;
}

/* Minutes without a reply are a gap in the line. */
static void write_rtt_line(const struct history *history, uint64_t now, double highest,
			   struct bounded_text *text)
{
	bool is_drawing = false;

	bounded_text_add(text, "<path class=rtt d=\"");
	for (uint64_t ago = HISTORY_MINUTES; ago-- > 0;) {
		struct minute minute = history_minute(history, now, ago);

		if (minute.received > 0)
			bounded_text_add(text, "%c%d %.1f", is_drawing ? 'L' : 'M',
					 (int)(HISTORY_MINUTES - 1 - ago) * STEP + STEP / 2,
					 1 + (HEIGHT - 2) * (1 - mean_ms(&minute) / highest));
		is_drawing = minute.received > 0;
	}
	bounded_text_add(text, "\"/>");
}

static void write_rtt(const struct watch *watch, const struct watch_state *state, uint64_t now,
		      struct bounded_text *text)
{
	struct minute hour = history_hour(&watch->history, now);
	double highest = highest_ms(&watch->history, now);

	if (hour.received == 0) {
		bounded_text_add(text, "<td>no reply</td>\n");
		return;
	}
	bounded_text_add(text, "<td>%.3g ms<small>at most %.3g in a minute</small>", mean_ms(&hour),
			 highest);
	write_hops(state, text);
	bounded_text_add(text,
			 "<svg viewBox=\"0 0 %d "
			 "%d\" preserveAspectRatio=none role=img aria-label=\"mean %.3g ms\">",
			 WIDTH, HEIGHT, mean_ms(&hour));
	write_rtt_line(&watch->history, now, highest, text);
	bounded_text_add(text, "</svg></td>\n");
}

/* A bar for each minute in which something was lost; the least is still seen. */
static void write_bars(const struct history *history, uint64_t now, struct bounded_text *text)
{
	for (uint64_t ago = HISTORY_MINUTES; ago-- > 0;) {
		struct minute minute = history_minute(history, now, ago);
		double share;

		if (minute.lost == 0)
			continue;
		share = (double)minute.lost / ((double)minute.lost + (double)minute.received);
		bounded_text_add(text, "<path class=loss d=\"M%d %dv%.1fh%dV%dz\"/>",
				 (int)(HISTORY_MINUTES - 1 - ago) * STEP, HEIGHT,
				 -(4 + (HEIGHT - 4) * share), STEP - 1, HEIGHT);
	}
}

static void write_loss(const struct watch *watch, const struct watch_state *state, uint64_t now,
		       struct bounded_text *text)
{
	struct minute hour = history_hour(&watch->history, now);
	double probes = (double)hour.lost + (double)hour.received;
	double percent = probes > 0 ? 100 * (double)hour.lost / probes : 0;

	bounded_text_add(text, "<td>%.3g %%<small>%u of %.0f lost</small>", percent, hour.lost,
			 probes);
	write_where(watch, state, text);
	if (hour.lost > 0) {
		bounded_text_add(text,
				 "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=none role=img "
				 "aria-label=\"%.3g %% lost\"><path class=base d=\"M0 %dH%d\"/>",
				 WIDTH, HEIGHT, percent, HEIGHT, WIDTH);
		write_bars(&watch->history, now, text);
		bounded_text_add(text, "</svg>");
	}
	bounded_text_add(text, "</td>\n");
}

static void write_outage(const struct past_outage *outage, struct bounded_text *text)
{
	time_t begin = (time_t)(outage->begin / NS_PER_S);
	char when[sizeof("2026-01-31 23:59:59")];
	struct tm parts;

	if (!gmtime_r(&begin, &parts) ||
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &parts) == 0)
		return;
	bounded_text_add(text, "<li>%s UTC, %.3f s, %" PRIu64 " lost</li>", when,
			 (double)outage->duration / (double)NS_PER_S, outage->lost);
}

static void write_outages(const struct watch *watch, struct bounded_text *text)
{
	uint64_t now = clock_read(CLOCK_REALTIME);

	bounded_text_add(text, "<td class=past><ul>");
	for (size_t ago = 0; ago < OUTAGES_SHOWN; ago++) {
		const struct past_outage *outage = history_past(&watch->history, ago);

		if (outage && outage->begin + DAY >= now)
			write_outage(outage, text);
	}
	bounded_text_add(text, "</ul></td></tr>\n");
}

void row_write(const struct watch *watch, struct bounded_text *text)
{
	const struct watch_state state = watch_state(watch);
	uint64_t now = clock_ns();

	write_name(watch, text);
	write_state(watch, now, text);
	write_rtt(watch, &state, now, text);
	write_loss(watch, &state, now, text);
	write_outages(watch, text);
}
