/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* echom and STAMP reflectors: echod over paths that lose on one way, and reflectors that lie. */

#include "config.h"

#include "base/big_endian.h"
#include "integration/echom_run.h"
#include "integration/endpoint.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/relay.h"

#define STAMP "protocol = stamp\n"
#define THERE "direction=\"there\""
#define BACK "direction=\"back\""
#define STATELESS "[listener a]\naddress = 127.0.0.1:0\nmode = stamp\n"
#define COUNTING STATELESS "stamp_sessions = 64\n"

TEST_CASE("echom_stamp", echom_set_up);

static uint16_t start(const char *config)
{
	return echod_port(echom_start_echod(config), "udp 127.0.0.1");
}

static const char *local(uint16_t port)
{
	return echom_format("127.0.0.1:%u", port);
}

TEST(a_reflector_that_counts_tells_the_way_of_each_loss)
{
	const char *path = RELAY(.port = start(COUNTING), .lost_there = 0x8c, .lost_back = 0x210);
	struct echod *echom = echom_watch(path, ECHOM_FAST STAMP);

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 12);
	WAIT_UNTIL(echom_figure(echom, "probes_lost_total") == 5);
	ck_assert_double_eq(echom_labelled(echom, "lost_direction_total", THERE), 3);
	ck_assert_double_eq(echom_labelled(echom, "lost_direction_total", BACK), 2);
	echod_stop(echom);
}

TEST(a_stateless_reflector_tells_hops_and_marks_alone)
{
	struct echod *echom =
		echom_watch(local(start(STATELESS)), ECHOM_PATIENT STAMP "dscp = 46\n");

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 3);
	ck_assert_double_eq(echom_labelled(echom, "lost_direction_total", THERE), -1);
	ck_assert_double_eq(echom_labelled(echom, "lost_direction_total", BACK), -1);
	ck_assert_double_eq(echom_labelled(echom, "hops", THERE), 0);
	ck_assert_double_eq(echom_labelled(echom, "dscp_changed", THERE), 0);
	ck_assert_double_eq(echom_labelled(echom, "dscp_changed", BACK), 0);
	ck_assert_double_eq(echom_figure(echom, "flows_lossy"), -1);
	echod_stop(echom);
}

/* Each port is a session of its own: one that lost the count of another would look as lost. */
TEST(each_source_port_is_a_session)
{
	struct echod *echod = echom_start_echod(COUNTING);
	struct echod *echom = echom_watch(local(echod_port(echod, "udp 127.0.0.1")),
					  ECHOM_PATIENT STAMP "flows = 5\n");

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 20);
	ck_assert_double_eq(echom_labelled(echom, "lost_direction_total", THERE), 0);
	ck_assert_double_eq(echom_labelled(echom, "lost_direction_total", BACK), 0);
	ck_assert_double_eq(echom_figure(echom, "flows_lossy"), 0);
	ck_assert_double_eq(echom_figure(echom, "probes_out_of_order_total"), 0);
	echod_stop(echom);
}

/* It says that the probe came and left within the round trip, which is then as good as none. */
static void lengthen_turnaround(uint8_t *reply, size_t size)
{
	ck_assert_uint_ge(size, 44);
	put64(reply + 16, get64(reply + 28));
	put64(reply + 4, get64(reply + 28) + (UINT64_C(100) << 32));
}

TEST(a_turnaround_longer_than_the_round_trip_is_not_taken_off)
{
	const char *path = RELAY(.port = start(COUNTING), .alter = lengthen_turnaround);
	struct echod *echom = echom_watch(path, ECHOM_PATIENT STAMP);

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 3);
	ck_assert_double_gt(echom_figure(echom, "rtt_min_seconds"), 0);
	echod_stop(echom);
}

TEST(an_echo_server_is_no_reflector)
{
	struct echod *echom = echom_watch(FAULTY(.datagram = true), ECHOM_FAST STAMP);

	WAIT_UNTIL(echom_figure(echom, "probes_lost_total") >= 3);
	ck_assert_double_eq(echom_figure(echom, "probes_received_total"), 0);
	ck_assert_double_eq(echom_figure(echom, "up"), 0);
	ck_assert_uint_eq(echod_log_count(echom, "target t: returns requests unchanged"), 1);
	echod_stop(echom);
}
