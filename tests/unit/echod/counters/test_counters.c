/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The table of counter names: metrics print it row by row, so each row must be whole, unique and
 * next to its family. The texts for the log and the service manager, word for word.
 */

#include "config.h"

#include <pthread.h>

#include "echod/counters/counters.h"
#include "echod/counters/totals.h"
#include "support/test.h"

TEST(help_opens_each_family_and_stands_nowhere_else)
{
	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		bool first =
			i == 0 || strcmp(counter_names[i].family, counter_names[i - 1].family) != 0;

		ck_assert_msg((counter_names[i].help != NULL) == first, "row %zu", i);
	}
}

TEST(a_family_is_in_one_piece)
{
	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		for (size_t j = i + 2; j < COUNTER_COUNT; j++) {
			if (strcmp(counter_names[i].family, counter_names[j].family) == 0)
				ck_assert_str_eq(counter_names[j - 1].family,
						 counter_names[j].family);
		}
	}
}

TEST(a_set_shares_no_cache_line_with_the_next)
{
	ck_assert_uint_eq(sizeof(struct counters) % 64, 0);
	ck_assert_uint_eq(_Alignof(struct counters) % 64, 0);
}

#define ADDITIONS 200000

static void *add_many(void *counters)
{
	for (int i = 0; i < ADDITIONS; i++)
		counter_add(counters, UDP_RECEIVED_BYTES, 3);
	return NULL;
}

TEST(a_reader_sees_the_sum_grow_and_end_exact)
{
	static struct counters counters;
	uint64_t before = 0;
	pthread_t writer;

	ck_assert_int_eq(pthread_create(&writer, NULL, add_many, &counters), 0);
	while (before < UINT64_C(3) * ADDITIONS) {
		uint64_t now = counter_read(&counters, UDP_RECEIVED_BYTES);

		ck_assert_uint_ge(now, before);
		before = now;
	}
	pthread_join(writer, NULL);
	ck_assert_uint_eq(counter_read(&counters, UDP_RECEIVED_BYTES), UINT64_C(3) * ADDITIONS);
	ck_assert_uint_eq(counter_read(&counters, TCP_RECEIVED_BYTES), 0);
}

static char line[TOTALS_TEXT_MAX], status[STATUS_TEXT_MAX];

/* Every figure another number. */
static struct totals numbered(void)
{
	struct totals totals = {
		.workers = 901,
		.connections = 902,
		.connections_max = 903,
		.stamp_sessions = 907,
		.kernel_drops = 904,
		.reloads_done = 905,
		.reloads_failed = 906,
	};

	for (uint64_t i = 0; i < COUNTER_COUNT; i++)
		totals.counters[i] = 100 + i;
	totals.counters[TCP_HEADERS_PENDING] = 999;
	return totals;
}

TEST(the_line_has_every_figure_under_its_name)
{
	struct totals totals = numbered();

	totals_line(&totals, line);
	ck_assert_str_eq(line,
			 "tcp_connections=902 tcp_connections_max=903 tcp_headers_pending=999 "
			 "tcp_accepted=100 tcp_rejected_denied=101 tcp_rejected_max_clients=102 "
			 "tcp_rejected_per_ip=103 tcp_rejected_proxy=104 tcp_accept_errors=105 "
			 "tcp_closed_client=106 tcp_closed_idle=107 tcp_closed_stall=108 "
			 "tcp_closed_error=109 tcp_closed_shutdown=110 tcp_closed_replied=111 "
			 "received_bytes_tcp=112 received_bytes_udp=113 sent_bytes_tcp=114 "
			 "sent_bytes_udp=115 udp_received_datagrams=116 udp_echoed_datagrams=117 "
			 "udp_dropped_datagrams_denied=118 udp_dropped_datagrams_guard=119 "
			 "udp_dropped_datagrams_ttl=120 udp_dropped_datagrams_rate=121 "
			 "udp_dropped_datagrams_looped=122 udp_dropped_datagrams_short=123 "
			 "udp_dropped_datagrams_auth=124 udp_dropped_datagrams_sessions=125 "
			 "udp_dropped_datagrams_send=126 udp_receive_errors=127 "
			 "stamp_sessions=907 "
			 "udp_kernel_drops=904 reloads_success=905 reloads_failure=906");
}

TEST(the_status_is_short_and_sums_up_what_was_dropped)
{
	struct totals totals = numbered();

	totals_status(&totals, status);
	ck_assert_str_eq(status, "902 of 903 TCP clients, 100 accepted, 114 bytes echoed; "
				 "117 datagrams echoed, 1098 dropped");
}

TEST(the_largest_numbers_fit)
{
	struct totals totals;

	memset(&totals, 0xff, sizeof(totals));
	totals_line(&totals, line);
	ck_assert_ptr_nonnull(strstr(line, " reloads_failure=18446744073709551615"));
	totals_status(&totals, status);
	ck_assert_ptr_nonnull(strstr(status, " dropped"));
}
