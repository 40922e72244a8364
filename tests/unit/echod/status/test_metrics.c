/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The text for Prometheus. Others rely on names and labels, so these stand here once more. */

#include "config.h"

#include "echod/status/metrics.h"
#include "support/test.h"

/* In the order of the text; the values are those that figures_of_all_different() gives. */
static const char *const series[] = {
	"echod_build_info{version=\"" PACKAGE_VERSION "\"} 1",
	"echod_start_time_seconds 1795168571.042",
	"echod_workers 7",
	"echod_tcp_connections 8",
	"echod_tcp_connections_max 9",
	"echod_tcp_headers_pending 13",
	"echod_stamp_sessions 14",
	"echod_tcp_accepted_total 100",
	"echod_tcp_rejected_total{reason=\"denied\"} 101",
	"echod_tcp_rejected_total{reason=\"max_clients\"} 102",
	"echod_tcp_rejected_total{reason=\"per_ip\"} 103",
	"echod_tcp_rejected_total{reason=\"proxy\"} 104",
	"echod_tcp_accept_errors_total 105",
	"echod_tcp_closed_total{reason=\"client\"} 106",
	"echod_tcp_closed_total{reason=\"idle\"} 107",
	"echod_tcp_closed_total{reason=\"stall\"} 108",
	"echod_tcp_closed_total{reason=\"error\"} 109",
	"echod_tcp_closed_total{reason=\"shutdown\"} 110",
	"echod_tcp_closed_total{reason=\"replied\"} 111",
	"echod_received_bytes_total{protocol=\"tcp\"} 112",
	"echod_received_bytes_total{protocol=\"udp\"} 113",
	"echod_sent_bytes_total{protocol=\"tcp\"} 114",
	"echod_sent_bytes_total{protocol=\"udp\"} 115",
	"echod_udp_received_datagrams_total 116",
	"echod_udp_echoed_datagrams_total 117",
	"echod_udp_dropped_datagrams_total{reason=\"denied\"} 118",
	"echod_udp_dropped_datagrams_total{reason=\"guard\"} 119",
	"echod_udp_dropped_datagrams_total{reason=\"ttl\"} 120",
	"echod_udp_dropped_datagrams_total{reason=\"rate\"} 121",
	"echod_udp_dropped_datagrams_total{reason=\"looped\"} 122",
	"echod_udp_dropped_datagrams_total{reason=\"short\"} 123",
	"echod_udp_dropped_datagrams_total{reason=\"auth\"} 124",
	"echod_udp_dropped_datagrams_total{reason=\"sessions\"} 125",
	"echod_udp_dropped_datagrams_total{reason=\"send\"} 126",
	"echod_udp_receive_errors_total 127",
	"echod_udp_kernel_drops_total 10",
	"echod_reloads_total{result=\"success\"} 11",
	"echod_reloads_total{result=\"failure\"} 12",
	"echod_refused_system_calls_total 39",
};

static struct totals totals_of_all_different(void)
{
	struct totals totals = {.started_ms = 1795168571042,
				.workers = 7,
				.connections = 8,
				.connections_max = 9,
				.stamp_sessions = 14,
				.kernel_drops = 10,
				.reloads_done = 11,
				.reloads_failed = 12,
				.refused_calls = 39};

	for (size_t i = 0; i < ARRAY_SIZE(totals.counters); i++)
		totals.counters[i] = 100 + i;
	totals.counters[TCP_HEADERS_PENDING] = 13;
	return totals;
}

static char page[16384];

static char *written(const struct totals *totals)
{
	struct bounded_text text;

	bounded_text_begin(&text, page, sizeof(page));
	metrics_write(totals, &text);
	ck_assert(!text.cut);
	ck_assert_uint_eq(text.length, strlen(page));
	ck_assert_int_eq(page[text.length - 1], '\n');
	return page;
}

TEST(every_series_has_the_documented_name_label_and_value)
{
	struct totals totals = totals_of_all_different();
	char *rest = written(&totals), *line;
	size_t found = 0;

	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		if (*line == '#')
			continue;
		ck_assert_uint_lt(found, ARRAY_SIZE(series));
		ck_assert_str_eq(line, series[found++]);
	}
	ck_assert_uint_eq(found, ARRAY_SIZE(series));
}

/* "echod_x_total{a="b"} 1" and "# HELP echod_x_total ..." are of the family echod_x_total. */
static void family_of(const char *line, char family[static 128])
{
	size_t length;

	if (*line == '#')
		line += strlen("# HELP ");
	length = strcspn(line, "{ ");
	ck_assert_uint_lt(length, 128);
	memcpy(family, line, length);
	family[length] = '\0';
}

/* HELP, TYPE, then its series, for one family after the other. */
TEST(every_family_begins_with_its_help_and_type)
{
	struct totals totals = totals_of_all_different();
	char family[128] = "", here[128], expected[256];
	char *rest = written(&totals), *line;
	bool total;

	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		family_of(line, here);
		if (strcmp(here, family) == 0)
			continue;
		(void)snprintf(family, sizeof(family), "%s", here);
		ck_assert_int_eq(strncmp(line, "# HELP ", 7), 0);
		ck_assert_int_eq(line[strlen(line) - 1], '.');
		total = strcmp(here + strlen(here) - strlen("_total"), "_total") == 0;
		(void)snprintf(expected, sizeof(expected), "# TYPE %s %s", here,
			       total ? "counter" : "gauge");
		line = strsep(&rest, "\n");
		ck_assert_str_eq(line, expected);
	}
}

TEST(the_largest_numbers_are_written_whole)
{
	struct totals totals;
	unsigned found = 0;

	memset(&totals, 0xff, sizeof(totals));
	for (const char *at = written(&totals); (at = strstr(at, " 18446744073709551615\n")); at++)
		found++;
	ck_assert_uint_eq(found, ARRAY_SIZE(series) - 2);
}

TEST(too_small_a_room_is_never_exceeded)
{
	struct totals totals = totals_of_all_different();

	for (size_t size = 1; size < 1000; size++) {
		struct bounded_text text;

		memset(page, '!', sizeof(page));
		bounded_text_begin(&text, page, size);
		metrics_write(&totals, &text);
		ck_assert(text.cut);
		ck_assert_uint_eq(strlen(page), text.length);
		ck_assert_uint_lt(text.length, size);
		ck_assert_int_eq(page[size], '!');
	}
}
