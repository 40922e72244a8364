/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a ping over TCP knows besides its probes: how long connecting took, and what the kernel sent
 * again. Owns nothing; summary.c calls it.
 */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "echoc/ping/pinger.h"
#include "echoc/say/report.h"
#include "echoc/say/terminal.h"
#include "probe/handshake.h"

void pinger_put_connection(const struct pinger *pinger, struct json *json,
			   const struct books *books)
{
	enum handshake_by by = handshake_by(&books->connect, &books->latency);
	struct tcp_figures figures = link_tcp_figures(&pinger->link);

	report_put_connect(json, &books->connect);
	if (by == HANDSHAKE_BY_UNKNOWN)
		json_null(json, "answered_on_the_way");
	else
		json_bool(json, "answered_on_the_way", by == HANDSHAKE_BY_OTHER);
	report_put_tcp(json, &figures);
}

static void print_connect(const struct spread *connect)
{
	char text[3][NUMBER_TEXT_MAX];

	if (connect->count == 1)
		printf("connect %s ms\n", ms_text((double)connect->min, text[0]));
	else if (connect->count > 1)
		printf("connect min/avg/max = %s/%s/%s ms over %" PRIu64 " connections\n",
		       ms_text((double)connect->min, text[0]),
		       ms_text(spread_mean(connect), text[1]),
		       ms_text((double)connect->max, text[2]), connect->count);
}

void pinger_print_connection(const struct pinger *pinger, const struct books *books)
{
	struct tcp_figures figures = link_tcp_figures(&pinger->link);

	print_connect(&books->connect);
	report_tcp_text(&figures);
}

void pinger_print_connection_hint(FILE *out, const struct books *books)
{
	if (handshake_by(&books->connect, &books->latency) == HANDSHAKE_BY_OTHER)
		fprintf(out,
			"connect %.1f ms, echo %.1f ms: something on the way answers for the "
			"server\n  (or each reply took the server that long)\n",
			(double)books->connect.min / (double)NS_PER_MS,
			(double)books->latency.min / (double)NS_PER_MS);
}
