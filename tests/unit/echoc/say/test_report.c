/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The lines of a report for people: plurals, what is left out, places after the point. */

#include "config.h"

#include "echoc/say/report.h"
#include "support/test.h"
#include "unit/printed.h"

static const struct {
	struct books books;
	const char *text;
} incidents[] = {
	{{.sent = 1}, ""},
	{{.reconnects = 1}, "1 reconnect\n"},
	{{.reconnects = 2}, "2 reconnects\n"},
	{{.refused = 1}, "1 time refused: nothing listens there\n"},
	{{.refused = 2}, "2 times refused: nothing listens there\n"},
	{{.icmp_errors = 1}, "1 ICMP error\n"},
	{{.icmp_errors = 2}, "2 ICMP errors\n"},
	{{.skipped = 3, .unexpected = 4},
	 "3 not sent while echoc was stopped\n4 unexpected: what came belongs to no probe\n"},
};

TEST_EACH(an_incident_has_a_line_if_there_was_one, ARRAY_SIZE(incidents))
{
	print_begin();
	report_incidents(&incidents[_i].books);
	ck_assert_str_eq(print_end(), incidents[_i].text);
}

static const struct {
	struct tcp_figures figures;
	const char *text;
} figures[] = {
	{{.retransmits = 9}, ""},
	{{.connections = 1, .retransmits = 1, .cwnd = 10}, "TCP: 1 retransmit, cwnd 10\n"},
	{{.connections = 1, .rtt_sum_us = 5000, .rtt_count = 2, .cwnd = 1, .pmtu = 1500},
	 "TCP: 0 retransmits, RTT 2.500 ms, cwnd 1, path MTU 1500\n"},
	{{.connections = 1, .rtt_sum_us = 5000, .rtt_count = 2, .min_rtt_us = 999},
	 "TCP: 0 retransmits, RTT 2.500 ms (min 0.999), cwnd 0\n"},
};

TEST_EACH(what_tcp_does_not_know_is_left_out, ARRAY_SIZE(figures))
{
	print_begin();
	report_tcp_text(&figures[_i].figures);
	ck_assert_str_eq(print_end(), figures[_i].text);
}

static const struct {
	uint64_t sent, lost;
	const char *text;
} losses[] = {
	{0, 0, "0 sent, 0 received, 0 lost, 0 duplicated"},
	{1000, 0, "1000 sent, 1000 received, 0 lost (0.0%), 0 duplicated"},
	{1000, 1, "1000 sent, 999 received, 1 lost (0.1%), 0 duplicated"},
	{10000, 1, "10000 sent, 9999 received, 1 lost (0.0100%), 0 duplicated"},
};

TEST_EACH(a_small_loss_has_more_places, ARRAY_SIZE(losses))
{
	struct books books = {.sent = losses[_i].sent,
			      .received = losses[_i].sent - losses[_i].lost,
			      .lost = losses[_i].lost};
	const char *text;

	print_begin();
	report_ping_text(&books);
	text = print_end();
	ck_assert_msg(strncmp(text, losses[_i].text, strlen(losses[_i].text)) == 0, "%s", text);
}

static const struct {
	bool datagram;
	uint64_t sent, lost, refused;
	double seconds;
	bool hint;
} hints[] = {
	{true, 2000, 200, 0, 3, true},	 {true, 2000, 2000, 0, 3, true},
	{true, 2000, 100, 0, 3, false},	 {true, 2000, 101, 0, 3, true},
	{true, 2000, 200, 0, 4, false},	 {true, 2000, 200, 0, 0, false},
	{true, 2000, 200, 9, 3, true},	 {true, 2000, 2000, 9, 3, false},
	{false, 2000, 200, 0, 3, false},
};

TEST_EACH(the_limit_of_echod_is_named_where_much_is_lost_quickly, ARRAY_SIZE(hints))
{
	struct target target = {.datagram = hints[_i].datagram};
	struct books books = {.sent = hints[_i].sent,
			      .received = hints[_i].sent - hints[_i].lost,
			      .lost = hints[_i].lost,
			      .refused = hints[_i].refused};

	print_begin();
	report_hint(stdout, &target, &books, hints[_i].seconds);
	ck_assert((strstr(print_end(), "udp_rate") != NULL) == hints[_i].hint);
}
