/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What is concluded from the books of the flows of a run. */

#include "config.h"

#include <math.h>

#include "echoc/flows/findings.h"
#include "echoc/flows/flow_set.h"
#include "support/test.h"

#define FLOWS 8
#define PROBES 1000

static struct arguments arguments = {.size = 100};
static struct target target = {.datagram = true, .text = "192.0.2.7:7"};
static struct source_port ports[FLOWS];
static struct flows flows = {
	.arguments = &arguments, .target = &target, .ports = ports, .count = FLOWS};
static struct findings findings;

static void set(size_t at, uint64_t lost, uint8_t ttl)
{
	struct reason reason;

	ports[at].books.sent = PROBES;
	ports[at].books.lost = lost;
	ports[at].books.received = PROBES - lost;
	ports[at].number = (uint16_t)(50000 + at);
	ports[at].delayed = 0;
	ports[at].retransmits = 0;
	ports[at].ttl_least = ttl;
	ports[at].ttl_most = ttl;
	ck_assert_int_eq(
		address_from_ip(&ports[at].target.source, "192.0.2.1", ports[at].number, &reason),
		0);
}

static void set_up(void)
{
	for (size_t i = 0; i < FLOWS; i++)
		set(i, 0, 62);
}

static void tear_down(void)
{
	flow_findings_clear(&findings);
}

static void conclude(void)
{
	ck_assert_int_eq(flow_findings_make(&findings, &flows), 0);
}

TEST_CASE("findings", set_up, tear_down);

TEST(without_a_loss_there_is_one_class_and_one_path)
{
	char text[REPEAT_TEXT_MAX];

	conclude();
	ck_assert_uint_eq(findings.lossy, 0);
	ck_assert_uint_eq(findings.lossy_classes, 0);
	ck_assert_uint_eq(findings.classes[0].flows, FLOWS);
	ck_assert_uint_eq(findings.sum.sent, FLOWS * PROBES);
	ck_assert_uint_eq(findings.paths_at_least, 1);
	ck_assert(isnan(findings.paths.paths));
	ck_assert_uint_eq(findings_first_lossy(&findings, &flows), FLOWS);
	ck_assert_ptr_null(findings_repeat(&flows, FLOWS, text));
}

TEST(a_lossy_flow_is_another_path_and_can_be_repeated)
{
	char text[REPEAT_TEXT_MAX];

	set(5, PROBES, 0);
	conclude();
	ck_assert_uint_eq(findings.lossy, 1);
	ck_assert_uint_eq(findings.classes[1].flows, 1);
	ck_assert_uint_eq(findings.classes[1].lost, PROBES);
	ck_assert_uint_eq(findings.classes[1].ttl_least, 0);
	ck_assert_uint_eq(findings.paths_at_least, 2);
	ck_assert_uint_eq(findings_first_lossy(&findings, &flows), 5);
	ck_assert_str_eq(findings_repeat(&flows, 5, text),
			 "echoc ping -u -s 100 -I 192.0.2.1:50005 192.0.2.7:7");
}

TEST(what_our_own_sockets_dropped_makes_no_flow_lossy)
{
	set(5, PROBES / 2, 62);
	ports[5].books.own_drops = PROBES / 2;
	set(6, PROBES / 10, 62);
	ports[6].books.own_drops = PROBES; /* duplicates among them */
	conclude();
	ck_assert_uint_eq(findings.lossy, 0);
	ck_assert_uint_eq(findings.classes[0].lost, 0);
	ck_assert_uint_eq(findings.sum.lost, PROBES / 2 + PROBES / 10);
	set(5, PROBES / 2, 62);
	flow_findings_clear(&findings);
	ports[5].books.own_drops = PROBES / 4;
	conclude();
	ck_assert_uint_eq(findings.lossy, 1);
	ck_assert_uint_eq(findings.classes[1].lost, PROBES / 4);
}

TEST(what_tcp_sent_again_was_lost)
{
	ports[2].delayed = 100; /* on the way back */
	ports[3].retransmits = 90;
	ports[3].delayed = 80;
	ports[4].retransmits = PROBES * 2;
	conclude();
	ck_assert_uint_eq(findings.lossy, 3);
	ck_assert_uint_eq(findings.classes[1].lost, PROBES);
	ck_assert_uint_eq(findings.classes[2].lost, 190);
	ck_assert_uint_eq(findings.classes[2].retransmits, 90);
	ck_assert_uint_eq(findings.classes[2].delayed, 180);
	ck_assert_uint_eq(findings.sum.lost, 0);
}

TEST(replies_with_another_ttl_took_another_path)
{
	set(1, 0, 61);
	set(2, 0, 61);
	set(3, 0, 60);
	conclude();
	ck_assert_uint_eq(findings.paths_at_least, 3);
	ck_assert_uint_eq(findings.classes[0].ttl_least, 60);
	ck_assert_uint_eq(findings.classes[0].ttl_most, 62);
}

TEST(a_flow_whose_ttl_changed_counts_for_nothing)
{
	ports[1].ttl_least = 60;
	conclude();
	ck_assert_uint_eq(findings.paths_at_least, 1);
	flow_findings_clear(&findings);
	for (size_t i = 0; i < FLOWS; i++)
		ports[i].ttl_least = 60;
	conclude();
	ck_assert_uint_eq(findings.paths_at_least, 1);
}
