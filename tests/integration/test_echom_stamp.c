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
#define FRESH STATELESS "udp_ttl_guard = no\n"
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

/* Its replies begin with one less than the TTL of the probe, or with one of their own. */
TEST_EACH(a_stateless_reflector_tells_hops_and_marks_alone, 2)
{
	struct echod *echom = echom_watch(local(start(_i == 0 ? STATELESS : FRESH)),
					  ECHOM_PATIENT STAMP "dscp = 46\n");

	WAIT_UNTIL(echom_figure(echom, "probes_received_total") >= 3);
	ck_assert_double_eq(echom_labelled(echom, "lost_direction_total", THERE), -1);
	ck_assert_double_eq(echom_labelled(echom, "lost_direction_total", BACK), -1);
	ck_assert_double_eq(echom_labelled(echom, "hops", THERE), 0);
	ck_assert_double_eq(echom_labelled(echom, "hops", BACK), 0);
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

/* T3 - T2 is 100 s: longer than the round trip. */
static void lengthen_turnaround(uint8_t *reply, size_t size UNUSED)
{
	put64(reply + 16, get64(reply + 28));
	put64(reply + 4, get64(reply + 28) + (UINT64_C(100) << 32));
}

static void come_from_the_future(uint8_t *reply, size_t size UNUSED)
{
	put64(reply + 16, UINT64_MAX);
	put64(reply + 4, UINT64_MAX);
}

static void forge_sequence(uint8_t *reply, size_t size UNUSED)
{
	put32(reply + 24, get32(reply + 24) ^ 1);
}

static void forge_count(uint8_t *reply, size_t size UNUSED)
{
	put32(reply, get32(reply) * UINT32_C(2654435761));
}

static void forge_all(uint8_t *reply, size_t size)
{
	for (size_t i = 0; i < size; i++)
		reply[i] ^= (uint8_t)(i * 37 + 1);
}

/* What a reflector may do beside what it should, and the figure that it shows in. */
static const struct {
	struct relay relay;
	const char *family;
} lies[] = {
	{{.alter = lengthen_turnaround}, "rtt_min_seconds"},
	{{.alter = come_from_the_future}, "rtt_min_seconds"},
	{{.alter = forge_sequence}, "probes_lost_total"},
	{{.alter = forge_count}, "probes_received_total"},
	{{.alter = forge_all}, "probes_lost_total"},
	{{.longer = -30}, "probes_lost_total"}, /* shorter than any reply */
	{{.longer = -20}, "probes_truncated_total"},
	{{.longer = 5}, "probes_corrupt_total"},
	{{.copies = 1}, "probes_duplicates_total"},
};

TEST_EACH(no_lie_of_a_reflector_upsets_the_books, ARRAY_SIZE(lies))
{
	struct relay relay = lies[_i].relay;
	struct echod *echom;

	relay.port = start(COUNTING);
	echom = echom_watch(relay_start(&relay), ECHOM_FAST STAMP);
	WAIT_UNTIL(echom_figure(echom, "probes_sent_total") >= 12 &&
		   echom_figure(echom, lies[_i].family) > 0);
	ck_assert_double_le(echom_labelled(echom, "lost_direction_total", THERE) +
				    echom_labelled(echom, "lost_direction_total", BACK),
			    echom_figure(echom, "probes_lost_total"));
	echod_stop(echom);
}

/* So many copies of each reply that to read them all would take all of the time. */
TEST_EACH(a_flood_of_replies_holds_up_no_other_target, 2)
{
	static const char *const protocols[] = {"udp", "stamp"};
	const char *server = _i == 0 ? "[listener a]\naddress = 127.0.0.1:0\n" : COUNTING;
	uint16_t port = start(server);
	struct echod *echom = echod_start(
		echom_format(ECHOM_SERVER ECHOM_PATIENT "protocol = %s\n[target t]\naddress = %s\n"
							"[target good]\naddress = 127.0.0.1:%u\n",
			     protocols[_i], RELAY(.port = port, .copies = 10000), port));
	const char *metrics;

	WAIT_UNTIL(echom_figure(echom, "probes_duplicates_total") >= 20000);
	do {
		metrics = endpoint_get(echom, "/metrics", NULL);
		echom_expect_balance(metrics, "good");
	} while (echom_figure_in(metrics, "probes_received_total", "good") < 20);
	ck_assert_double_eq(echom_figure_in(metrics, "probes_lost_total", "good"), 0);
	ck_assert_double_eq(echom_figure_in(metrics, "probes_duplicates_total", "good"), 0);
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
