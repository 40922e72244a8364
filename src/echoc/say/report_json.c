/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The JSON side of the reports: echoc(1) documents every name. Owns nothing.
 */

#include "config.h"

#include "echoc/say/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "echoc/say/json.h"

void report_begin_start(struct json *json, const char *mode, const struct target *target,
			uint64_t run, const char *own_address)
{
	static const char *const proxies[] = {[PROXY_GREETING_NONE] = NULL,
					      [PROXY_GREETING_V1] = "v1",
					      [PROXY_GREETING_V2] = "v2"};
	char run_text[24];

	json_begin(json, stdout, "start");
	json_string(json, "version", PACKAGE_VERSION);
	json_string(json, "mode", mode);
	json_string(json, "target", target->name);
	json_string(json, "address", target->text);
	json_string(json, "protocol", target->protocol);
	json_string(json, "source", own_address);
	snprintf(run_text, sizeof(run_text), "%016" PRIx64, run);
	json_string(json, "run", run != 0 ? run_text : NULL);
	json_string(json, "interface", target->interface[0] != '\0' ? target->interface : NULL);
	json_unsigned(json, "tos", target->tos);
	json_optional(json, "ttl", target->ttl);
	json_string(json, "proxy", proxies[target->proxy]);
}

static void put_us(struct json *json, const char *name, double ns)
{
	json_number(json, name, ns / (double)NS_PER_US, 3);
}

void report_put_latency(struct json *json, const char *name, const struct latency *latency)
{
	bool measured = latency->count > 0;

	json_open(json, name);
	put_us(json, "min", measured ? (double)latency->min : (double)NAN);
	put_us(json, "avg", latency_mean(latency));
	put_us(json, "max", measured ? (double)latency->max : (double)NAN);
	put_us(json, "mdev", latency_deviation(latency));
	put_us(json, "p50", latency_percentile(latency, 50));
	put_us(json, "p90", latency_percentile(latency, 90));
	put_us(json, "p99", latency_percentile(latency, 99));
	put_us(json, "p999", latency_percentile(latency, 99.9));
	json_close(json);
}

static void put_counts(struct json *json, const struct books *books)
{
	json_unsigned(json, "sent", books->sent);
	json_unsigned(json, "received", books->received);
	json_unsigned(json, "lost", books->lost);
	json_unsigned(json, "duplicates", books->duplicates);
	json_unsigned(json, "late", books->late);
	json_unsigned(json, "out_of_order", books->out_of_order);
	json_unsigned(json, "corrupt", books->corrupt);
	json_unsigned(json, "truncated", books->truncated);
	json_unsigned(json, "unexpected", books->unexpected);
	json_unsigned(json, "reconnects", books->reconnects);
	json_unsigned(json, "refused", books->refused);
	json_unsigned(json, "own_drops", books->own_drops);
	json_number(json, "loss_percent", books_loss_percent(books), 3);
}

void report_begin_books(struct json *json, const char *type, const struct books *books,
			double elapsed)
{
	json_begin(json, stdout, type);
	json_number(json, "elapsed_s", elapsed, 3);
	put_counts(json, books);
	report_put_latency(json, "rtt_us", &books->latency);
	put_us(json, "jitter_us", books_jitter(books));
}

void report_put_tcp(struct json *json, const struct tcp_figures *figures)
{
	if (figures->connections == 0) {
		json_null(json, "tcp");
		return;
	}
	json_open(json, "tcp");
	json_unsigned(json, "connections", figures->connections);
	json_unsigned(json, "retransmits", figures->retransmits);
	json_number(json, "rtt_us", tcp_figures_rtt_us(figures), 3);
	json_optional(json, "min_rtt_us", figures->min_rtt_us);
	json_unsigned(json, "cwnd", figures->cwnd);
	json_unsigned(json, "mss", figures->mss);
	json_optional(json, "pmtu", figures->pmtu);
	json_close(json);
}

void report_put_connect(struct json *json, const struct spread *connect)
{
	bool measured = connect->count > 0;

	json_open(json, "connect_us");
	put_us(json, "min", measured ? (double)connect->min : (double)NAN);
	put_us(json, "avg", spread_mean(connect));
	put_us(json, "max", measured ? (double)connect->max : (double)NAN);
	json_close(json);
}

void report_put_buckets(struct json *json, const struct latency *latency)
{
	char name[24];

	json_open(json, "rtt_buckets_ns");
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (latency->histogram.buckets[i] == 0)
			continue;
		snprintf(name, sizeof(name), "%" PRIu64, histogram_lowest(i));
		json_unsigned(json, name, latency->histogram.buckets[i]);
	}
	json_close(json);
}

void report_end_books(struct json *json, const struct books *books)
{
	json_unsigned(json, "icmp_errors", books->icmp_errors);
	json_unsigned(json, "skipped", books->skipped);
	json_end(json);
}
