/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The objects that --json prints: for each type the names of its members and their kinds. */

#pragma once

#include "base/compiler.h"

/* n number, s string, b boolean, x two hexadecimal digits, z none; in capitals it may be null. */
struct field {
	const char *name;
	char kind;
};

struct schema {
	const char *type;
	const char *variant; /* value of "mode" or so that selects it; NULL: any */
	struct field fields[80];
};

#define COUNTS                                                                                     \
	{"sent", 'n'}, {"received", 'n'}, {"lost", 'n'}, {"duplicates", 'n'}, {"late", 'n'},       \
		{"out_of_order", 'n'}, {"corrupt", 'n'}, {"truncated", 'n'}, {"unexpected", 'n'},  \
		{"reconnects", 'n'}, {"refused", 'n'}, {"loss_percent", 'N'}, {"elapsed_s", 'n'},  \
		{"own_drops", 'n'}, {"rtt_us.min", 'N'}, {"rtt_us.avg", 'N'}, {"rtt_us.max", 'N'}, \
		{"rtt_us.mdev", 'N'}, {"rtt_us.p50", 'N'}, {"rtt_us.p90", 'N'},                    \
		{"rtt_us.p99", 'N'}, {"rtt_us.p999", 'N'},                                         \
	{                                                                                          \
		"jitter_us", 'N'                                                                   \
	}
#define PING                                                                                       \
	{"icmp_errors", 'n'}, {"skipped", 'n'}, {"loss_runs", 'n'}, {"loss_run_mean", 'N'},        \
		{"loss_run_longest", 'n'}, {"reorder_extent_mean", 'N'},                           \
		{"reorder_extent_max", 'n'}, {"pdv_us.p50", 'N'}, {"pdv_us.p90", 'N'},             \
		{"pdv_us.p99", 'N'}, {"pdv_us.p999", 'N'}, {"connect_us.min", 'N'},                \
		{"connect_us.avg", 'N'}, {"connect_us.max", 'N'},                                  \
	{                                                                                          \
		"answered_on_the_way", 'B'                                                         \
	}
#define TCP                                                                                        \
	{"tcp.connections", 'n'}, {"tcp.retransmits", 'n'}, {"tcp.rtt_us", 'N'},                   \
		{"tcp.min_rtt_us", 'N'}, {"tcp.cwnd", 'n'}, {"tcp.mss", 'n'},                      \
	{                                                                                          \
		"tcp.pmtu", 'N'                                                                    \
	}
#define NO_TCP                                                                                     \
	{                                                                                          \
		"tcp", 'Z'                                                                         \
	}
#define OUTAGES                                                                                    \
	{"outages", 'n'}, {"outage_s", 'n'}, {"outage_longest_s", 'n'},                            \
	{                                                                                          \
		"up_percent", 'N'                                                                  \
	}
#define RATES                                                                                      \
	{"messages_per_s", 'N'}, {"bytes_per_s", 'N'}, {"duration_s", 'n'}, {"connections", 'n'},  \
		{"unsent", 'n'}, {"cpu_percent", 'N'},                                             \
	{                                                                                          \
		"client_was_limit", 'b'                                                            \
	}
#define FLOW                                                                                       \
	{"class", 'n'}, {"lossy", 'b'}, {"ttl_min", 'N'}, {"ttl_max", 'N'}, {"unsent", 'n'},       \
		{"delayed", 'n'}, {"retransmits", 'n'},                                            \
	{                                                                                          \
		"icmp_errors", 'n'                                                                 \
	}
#define BENCH                                                                                      \
	{"connect_us.min", 'N'}, {"connect_us.avg", 'N'}, {"connect_us.max", 'N'},                 \
		{"connect_us.mdev", 'N'}, {"connect_us.p50", 'N'}, {"connect_us.p90", 'N'},        \
		{"connect_us.p99", 'N'}, {"connect_us.p999", 'N'},                                 \
	{                                                                                          \
		"rtt_buckets_ns", 'n'                                                              \
	}
#define START                                                                                      \
	{"version", 's'}, {"mode", 's'}, {"target", 's'}, {"address", 's'}, {"protocol", 's'},     \
		{"source", 'S'}, {"interface", 'S'}, {"tos", 'n'}, {"ttl", 'N'}, {"proxy", 'S'},   \
	{                                                                                          \
		"run", 'S'                                                                         \
	}
#define REPLY                                                                                      \
	{"seq", 'n'}, {"bytes", 'n'}, {"rtt_us", 'n'}, {"ttl", 'N'},                               \
	{                                                                                          \
		"from", 's'                                                                        \
	}
#define SEEN                                                                                       \
	{"hops_there", 'N'}, {"hops_back", 'N'}, {"dscp_seen", 'N'}, {"ecn_seen", 'N'},            \
		{"one_way_error_us", 'N'},                                                         \
	{                                                                                          \
		"seen_address", 'S'                                                                \
	}
#define MEASURED_REPLY                                                                             \
	REPLY, SEEN, {"there_us", 'N'}, {"back_us", 'N'},                                          \
	{                                                                                          \
		"turnaround_us", 'N'                                                               \
	}
#define EACH_WAY_INTERVAL                                                                          \
	SEEN, {"far_side_counts", 'B'}, {"lost_there", 'N'}, {"lost_back", 'N'},                   \
		{"there_us.min", 'N'}, {"there_us.avg", 'N'}, {"there_us.max", 'N'},               \
		{"there_us.p50", 'N'}, {"there_us.p99", 'N'}, {"back_us.min", 'N'},                \
		{"back_us.avg", 'N'}, {"back_us.max", 'N'}, {"back_us.p50", 'N'},                  \
		{"back_us.p99", 'N'}, {"pdv_there_us.p50", 'N'}, {"pdv_there_us.p90", 'N'},        \
		{"pdv_there_us.p99", 'N'}, {"pdv_there_us.p999", 'N'}, {"pdv_back_us.p50", 'N'},   \
		{"pdv_back_us.p90", 'N'}, {"pdv_back_us.p99", 'N'}, {"pdv_back_us.p999", 'N'},     \
		{"turnaround_us.min", 'N'}, {"turnaround_us.avg", 'N'},                            \
		{"turnaround_us.max", 'N'}, {"turnaround_us.p50", 'N'},                            \
	{                                                                                          \
		"turnaround_us.p99", 'N'                                                           \
	}
#define EACH_WAY                                                                                   \
	EACH_WAY_INTERVAL,                                                                         \
	{                                                                                          \
		"lost_unknown", 'n'                                                                \
	}
#define FINDING                                                                                    \
	{"offset", 'n'}, {"expected", 'X'},                                                        \
	{                                                                                          \
		"got", 'X'                                                                         \
	}

static const struct schema schemas[] = {
	{"start",
	 "\"ping\"",
	 {START,
	  {"probes", 's'},
	  {"size", 'n'},
	  {"count", 'N'},
	  {"interval_ms", 'n'},
	  {"timeout_ms", 'n'},
	  {"deadline_ms", 'N'},
	  {"report_ms", 'N'},
	  {"outage", 'n'},
	  {"quiet", 'b'}}},
	{"start",
	 "\"bench\"",
	 {START,
	  {"size", 'n'},
	  {"connections", 'n'},
	  {"depth", 'n'},
	  {"rate", 'N'},
	  {"duration_ms", 'n'},
	  {"timeout_ms", 'n'},
	  {"threads", 'n'},
	  {"gso", 'b'},
	  {"connect", 'b'}}},
	{"start",
	 "\"marks\"",
	 {START, {"marks", 'n'}, {"count", 'n'}, {"interval_ms", 'n'}, {"timeout_ms", 'n'}}},
	{"start", "\"idle\"", {START, {"waits", 'n'}, {"up_to_ms", 'n'}, {"fresh", 'b'}}},
	{"wait",
	 NULL,
	 {{"round", 'n'},
	  {"wait_s", 'n'},
	  {"result", 's'},
	  {"sign", 'S'},
	  {"seen_before", 'S'},
	  {"seen_after", 'S'}}},
	{"summary", /* of idle */
	 NULL,
	 {{"complete", 'b'},
	  {"kept_s", 'N'},
	  {"forgotten_s", 'N'},
	  {"closed_s", 'N'},
	  {"keep_alive_s", 'N'},
	  {"answered", 'n'},
	  {"path_down", 'n'},
	  {"address_seen", 'b'}}},
	{"mark",
	 NULL,
	 {{"dscp", 'n'},
	  {"ecn", 'n'},
	  {"name", 'S'},
	  {"sent", 'n'},
	  {"received", 'n'},
	  {"lost", 'n'},
	  {"dscp_seen", 'N'},
	  {"ecn_seen", 'N'},
	  {"dscp_back", 'N'},
	  {"ecn_back", 'N'},
	  {"changed_there", 'n'},
	  {"changed_back", 'n'},
	  {"lost_way", 'S'}}},
	{"summary", /* of marks */
	 NULL,
	 {{"complete", 'b'},
	  {"far_side", 'S'},
	  {"sent", 'n'},
	  {"received", 'n'},
	  {"lost", 'n'},
	  {"sent_again", 'n'},
	  {"refused", 'n'},
	  {"marks_changed_there", 'n'},
	  {"marks_changed_back", 'n'},
	  {"marks_lost", 'n'},
	  {"dscp_returned", 'B'},
	  {"l4s_there", 'B'}}},
	{"start", "\"send\"", {START, {"timeout_ms", 'n'}}},
	{"start",
	 "\"flows\"",
	 {START,
	  {"size", 'n'},
	  {"flows", 'n'},
	  {"rate", 'n'},
	  {"duration_ms", 'n'},
	  {"timeout_ms", 'n'}}},
	{"start", "\"mtu\"", {START, {"timeout_ms", 'n'}}},
	{"size",
	 NULL,
	 {{"bytes", 'n'},
	  {"passed", 'b'},
	  {"sent", 'n'},
	  {"rtt_us", 'N'},
	  {"fragment", 'N'},
	  {"told_mtu", 'N'},
	  {"told_by", 'S'}}},
	{"summary",
	 NULL,
	 {{"elapsed_s", 'n'},
	  {"complete", 'b'},
	  {"verdict", 's'},
	  {"there", 'N'},
	  {"interface_mtu", 'N'},
	  {"told_by", 'S'},
	  {"told_mtu", 'N'},
	  {"back", 'N'},
	  {"back_at_least", 'N'},
	  {"back_at_most", 'N'},
	  {"hole", 'S'},
	  {"error", 'S'},
	  {"sent", 'n'},
	  {"received", 'n'}}},
	{"summary",
	 NULL,
	 {{"elapsed_s", 'n'},
	  {"complete", 'b'},
	  {"verdict", 's'},
	  {"there", 'N'},
	  {"interface_mtu", 'n'},
	  {"mss", 'n'},
	  {"mss_received", 'n'},
	  {"path_mtu", 'n'},
	  {"path_mtu_before", 'n'},
	  {"stalled", 'S'},
	  {"retransmits", 'n'}}},
	{"flow", NULL, {COUNTS, FLOW, {"port", 'n'}}},
	{"class", NULL, {COUNTS, FLOW, {"flows", 'n'}}},
	{"reply", NULL, {REPLY}},
	{"reply", NULL, {MEASURED_REPLY}},
	{"late", NULL, {REPLY}},
	{"late", NULL, {MEASURED_REPLY}},
	{"duplicate", NULL, {REPLY}},
	{"duplicate", NULL, {MEASURED_REPLY}},
	{"corrupt", NULL, {REPLY, FINDING}},
	{"corrupt", NULL, {REPLY, FINDING, {"inserted", 'n'}}},
	{"corrupt", NULL, {FINDING}},
	{"corrupt", NULL, {MEASURED_REPLY, FINDING}},
	{"truncated", NULL, {REPLY, {"offset", 'n'}}},
	{"truncated", NULL, {MEASURED_REPLY, {"offset", 'n'}}},
	{"lost", NULL, {{"seq", 'n'}, {"reason", 's'}}},
	{"unexpected", NULL, {{"bytes", 'n'}}},
	{"interval", NULL, {COUNTS, PING, TCP}},
	{"interval", NULL, {COUNTS, PING, NO_TCP}},
	{"interval", NULL, {COUNTS, PING, NO_TCP, EACH_WAY_INTERVAL}},
	{"interval", NULL, {COUNTS, RATES}},
	{"outage",
	 NULL,
	 {{"begin", 's'},
	  {"end", 'S'},
	  {"duration_s", 'n'},
	  {"duration_min_s", 'n'},
	  {"duration_max_s", 'N'},
	  {"lost", 'n'},
	  {"own_losses", 'n'},
	  {"paused_s", 'n'}}},
	{"summary", NULL, {COUNTS, {"icmp_errors", 'n'}, {"skipped", 'n'}}}, /* of a send */
	{"summary", NULL, {COUNTS, PING, OUTAGES, TCP}},
	{"summary", NULL, {COUNTS, PING, OUTAGES, NO_TCP}},
	{"summary", NULL, {COUNTS, PING, OUTAGES, NO_TCP, EACH_WAY}},
	{"summary", NULL, {COUNTS, RATES, TCP, BENCH}},
	{"summary", NULL, {COUNTS, RATES, NO_TCP, BENCH}},
	{"summary",
	 NULL,
	 {COUNTS,
	  {"flows", 'n'},
	  {"lossy_flows", 'n'},
	  {"lossy_classes", 'n'},
	  {"paths_at_least", 'n'},
	  {"paths", 'N'},
	  {"paths_low", 'N'},
	  {"paths_high", 'N'},
	  {"repeat", 'S'},
	  {"unsent", 'n'},
	  {"icmp_errors", 'n'},
	  {"skipped", 'n'}}},
};
