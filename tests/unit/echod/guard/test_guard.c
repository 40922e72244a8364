/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The guard: every source port, every class of address at its edges, every rule before the next. */

#include "config.h"

#include "echod/guard/guard.h"

#include "echod/config/configuration.h"
#include "unit/sources.h"

#define ORDINARY_PORT 40000
#define SERVED_PORT 50007

static struct guard_ports ports;
static struct listener_config listener;

static void set_up(void)
{
	guard_ports_init(&ports);
	listener = (struct listener_config){.udp_guard = true, .udp_ttl_guard = true};
}

static void tear_down(void)
{
	netlist_clear(&listener.allow);
	netlist_clear(&listener.deny);
}

/* What an honest client sends from afar. */
static struct arrival ordinary(const char *source)
{
	struct in6_addr from = ip(source);

	return (struct arrival){
		.source = from,
		.destination = ip(IN6_IS_ADDR_V4MAPPED(&from) ? "::ffff:192.0.2.1" : "2001:db8::1"),
		.source_port = ORDINARY_PORT,
		.hops = 64,
	};
}

static enum verdict judge(const struct arrival *arrival)
{
	return guard_judge(&ports, &listener, arrival);
}

static enum verdict judge_from(const char *source)
{
	struct arrival arrival = ordinary(source);

	return judge(&arrival);
}

static void add(struct netlist *list, const char *network)
{
	struct reason reason;

	ck_assert_int_eq(netlist_add(list, network, &reason), 0);
}

static enum verdict expected_for_port(unsigned port)
{
	if (port < 1024)
		return PORT_RESERVED;
	if (port == 2049)
		return PORT_NFS;
	return port == SERVED_PORT || port == 1024 ? PORT_SERVED_HERE : ANSWER;
}

TEST_CASE("guard", set_up, tear_down);

TEST(every_source_port_in_both_families)
{
	struct arrival ipv4 = ordinary("::ffff:192.0.2.9"), ipv6 = ordinary("2001:db8::9");

	guard_ports_refuse(&ports, SERVED_PORT);
	guard_ports_refuse(&ports, 7);
	guard_ports_refuse(&ports, 1024);
	for (unsigned port = 0; port < 65536; port++) {
		ipv4.source_port = ipv6.source_port = (uint16_t)port;
		if (judge(&ipv4) != expected_for_port(port) ||
		    judge(&ipv6) != expected_for_port(port))
			ck_abort_msg("source port %u", port);
	}
}

TEST(a_mode_may_answer_port_862_and_no_other)
{
	struct arrival arrival = ordinary("::ffff:192.0.2.9");

	arrival.waives = WAIVES_PORT_862;
	guard_ports_refuse(&ports, SERVED_PORT);
	guard_ports_refuse(&ports, 1024);
	guard_ports_refuse(&ports, 862); /* served here: a sender elsewhere has the same one */
	for (unsigned port = 0; port < 65536; port++) {
		arrival.source_port = (uint16_t)port;
		if (judge(&arrival) != (port == 862 ? ANSWER : expected_for_port(port)))
			ck_abort_msg("source port %u", port);
	}
}

TEST(without_the_guard_every_source_port_is_answered)
{
	struct arrival arrival = ordinary("::ffff:192.0.2.9");

	listener.udp_guard = false;
	guard_ports_refuse(&ports, SERVED_PORT);
	for (unsigned port = 0; port < 65536; port++) {
		arrival.source_port = (uint16_t)port;
		if (judge(&arrival) != ANSWER)
			ck_abort_msg("source port %u", port);
	}
}

TEST(only_ports_that_are_refused_are)
{
	ck_assert_uint_eq(ports.refused[0], UINT64_MAX);
	ck_assert_uint_eq(ports.refused[15], UINT64_MAX);
	ck_assert_uint_eq(ports.refused[16], 0);
	guard_ports_refuse(&ports, 65535);
	ck_assert_uint_eq(ports.refused[1023], UINT64_C(1) << 63);
	guard_ports_init(&ports);
	ck_assert_uint_eq(ports.refused[1023], 0);
}

TEST(a_source_of_the_other_family_is_nobody)
{
	/* Neither mapped nor unspecified, by one bit in each word of them. */
	static const char *const near_misses[] = {
		"1::ffff:0:0", "0:0:1::ffff:0:0", "::1:ffff:0:0", "::fffe:0:0",
		"1::",	       "0:0:1::",	  "::1:0:0",	  "::1"};
	struct arrival mapped = ordinary("::ffff:192.0.2.9"), plain = ordinary("2001:db8::9");

	mapped.destination = ip("2001:db8::192.0.2.1");
	plain.destination = ip("::ffff:192.0.2.1");
	ck_assert_int_eq(judge(&mapped), SOURCE_NOT_UNICAST);
	ck_assert_int_eq(judge(&plain), SOURCE_NOT_UNICAST);
	listener.udp_guard = false;
	ck_assert_int_eq(judge(&mapped), SOURCE_NOT_UNICAST);
	mapped.destination = in6addr_any; /* not reported by the kernel */
	ck_assert_int_eq(judge(&mapped), ANSWER);
	for (size_t i = 0; i < ARRAY_SIZE(near_misses); i++) {
		mapped.destination = ip(near_misses[i]);
		ck_assert_int_eq(judge(&mapped), SOURCE_NOT_UNICAST);
	}
}

static const struct {
	const char *source;
	enum verdict verdict, verdict_through_loopback;
} classes[] = {
	{"::ffff:0.0.0.0", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
	{"::ffff:0.255.255.255", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
	{"::ffff:1.0.0.0", ANSWER, ANSWER},
	{"::ffff:126.255.255.255", ANSWER, ANSWER},
	{"::ffff:127.0.0.0", SOURCE_LOOPBACK_OUTSIDE, ANSWER},
	{"::ffff:127.0.0.1", SOURCE_LOOPBACK_OUTSIDE, ANSWER},
	{"::ffff:127.255.255.255", SOURCE_LOOPBACK_OUTSIDE, ANSWER},
	{"::ffff:128.0.0.0", ANSWER, ANSWER},
	{"::ffff:192.0.2.255", ANSWER, ANSWER},
	{"::ffff:223.255.255.255", ANSWER, ANSWER},
	{"::ffff:224.0.0.0", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
	{"::ffff:239.255.255.255", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
	{"::ffff:240.0.0.0", ANSWER, ANSWER},
	{"::ffff:254.255.255.255", ANSWER, ANSWER},
	{"::ffff:255.0.0.0", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
	{"::ffff:255.255.255.255", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
	{"::", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
	{"::1", SOURCE_LOOPBACK_OUTSIDE, ANSWER},
	{"::2", ANSWER, ANSWER},
	{"::1:0:1", ANSWER, ANSWER},
	{"0:0:0:1::1", ANSWER, ANSWER},
	{"::fffe:127.0.0.1", ANSWER, ANSWER},
	{"2001:db8::9", ANSWER, ANSWER},
	{"fe80::1", ANSWER, ANSWER},
	{"feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ANSWER, ANSWER},
	{"ff00::", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
	{"ff02::1", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", SOURCE_NOT_UNICAST, SOURCE_NOT_UNICAST},
};

TEST_EACH(every_class_of_source_at_its_edges, ARRAY_SIZE(classes))
{
	struct arrival arrival = ordinary(classes[_i].source);

	ck_assert_int_eq(judge(&arrival), classes[_i].verdict);
	arrival.from_loopback = true;
	ck_assert_int_eq(judge(&arrival), classes[_i].verdict_through_loopback);
	listener.udp_guard = false;
	ck_assert_int_eq(judge(&arrival), ANSWER);
	arrival.from_loopback = false;
	ck_assert_int_eq(judge(&arrival), ANSWER);
}

TEST(what_was_sent_to_many_is_not_answered)
{
	struct arrival arrival = ordinary("::ffff:192.0.2.9");

	arrival.to_group = true;
	ck_assert_int_eq(judge(&arrival), DESTINATION_NOT_UNICAST);
	listener.udp_guard = false;
	ck_assert_int_eq(judge(&arrival), ANSWER);
}

TEST(what_claims_to_come_from_its_own_destination_is_not_answered)
{
	static const char *const hosts[] = {"::ffff:192.0.2.1", "2001:db8::1", "fe80::1"};
	static const char *const loopbacks[] = {"::ffff:127.0.0.1", "::1"};
	struct arrival arrival;

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		arrival = ordinary(hosts[i]);
		arrival.destination = arrival.source;
		ck_assert_int_eq(judge(&arrival), SOURCE_IS_DESTINATION);
		/* Another host, by one bit in each word; of mapped ones the last word alone. */
		for (int byte = IN6_IS_ADDR_V4MAPPED(&arrival.source) ? 15 : 3; byte < 16;
		     byte += 4) {
			arrival.source.s6_addr[byte] ^= 1;
			ck_assert_int_eq(judge(&arrival), ANSWER);
			arrival.source.s6_addr[byte] ^= 1;
		}
		listener.udp_guard = false;
		ck_assert_int_eq(judge(&arrival), ANSWER);
		listener.udp_guard = true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(loopbacks); i++) {
		arrival = ordinary(loopbacks[i]);
		arrival.destination = arrival.source;
		ck_assert_int_eq(judge(&arrival), SOURCE_LOOPBACK_OUTSIDE);
		arrival.from_loopback = true;
		ck_assert_int_eq(judge(&arrival), ANSWER);
	}
}

static void expect_reply_hops(int hops)
{
	ck_assert_int_eq(guard_reply_hops(hops, WAIVES_PORT_862), hops > 65 ? 64 : hops - 1);
	ck_assert_int_eq(guard_reply_hops(hops, WAIVES_HOP_CAP), hops - 1);
}

TEST(an_answer_leaves_with_one_hop_less)
{
	struct arrival arrival = ordinary("2001:db8::9");

	for (int hops = -1; hops <= 255; hops++) {
		arrival.hops = hops;
		listener.udp_ttl_guard = true;
		ck_assert_int_eq(judge(&arrival), hops <= 1 ? HOPS_USED_UP : ANSWER);
		listener.udp_ttl_guard = false;
		ck_assert_int_eq(judge(&arrival), ANSWER);
		if (hops > 1)
			expect_reply_hops(hops);
	}
}

TEST(two_servers_in_a_loop_stop_after_64_answers)
{
	struct arrival arrival = ordinary("2001:db8::9");
	int answers = 0;

	for (arrival.hops = 255; judge(&arrival) == ANSWER; answers++)
		arrival.hops = guard_reply_hops(arrival.hops, arrival.waives);
	ck_assert_int_eq(answers, 64);
	arrival.waives = WAIVES_HOP_CAP;
	for (arrival.hops = 255; judge(&arrival) == ANSWER; answers++)
		arrival.hops = guard_reply_hops(arrival.hops, arrival.waives);
	ck_assert_int_eq(answers, 64 + 254);
}

TEST(lists_deny_before_they_allow)
{
	ck_assert_int_eq(judge_from("::ffff:192.0.2.9"), ANSWER);
	add(&listener.allow, "192.0.2.0/24");
	add(&listener.allow, "2001:db8::/32");
	ck_assert_int_eq(judge_from("::ffff:192.0.2.9"), ANSWER);
	ck_assert_int_eq(judge_from("2001:db8::9"), ANSWER);
	ck_assert_int_eq(judge_from("::ffff:198.51.100.9"), DENIED_BY_LIST);
	ck_assert_int_eq(judge_from("2001:db9::9"), DENIED_BY_LIST);
	add(&listener.deny, "192.0.2.9");
	ck_assert_int_eq(judge_from("::ffff:192.0.2.9"), DENIED_BY_LIST);
	ck_assert_int_eq(judge_from("::ffff:192.0.2.8"), ANSWER);
	netlist_clear(&listener.allow);
	ck_assert_int_eq(judge_from("::ffff:192.0.2.9"), DENIED_BY_LIST);
	ck_assert_int_eq(judge_from("::ffff:198.51.100.9"), ANSWER);
}

TEST(lists_hold_for_tcp_peers_too)
{
	struct in6_addr loopback = ip("::1"), other = ip("::ffff:192.0.2.9");

	ck_assert(guard_admits(&listener, &loopback));
	add(&listener.deny, "::1");
	ck_assert(!guard_admits(&listener, &loopback));
	ck_assert(guard_admits(&listener, &other));
	add(&listener.allow, "::1");
	ck_assert(!guard_admits(&listener, &loopback));
	ck_assert(!guard_admits(&listener, &other));
}

/* Everything wrong at once; then what was refused first is put right, one after the other. */
TEST(rules_are_applied_in_their_order)
{
	struct arrival arrival = ordinary("::ffff:224.0.0.1");

	add(&listener.deny, "224.0.0.0/4");
	arrival.source_port = 53;
	arrival.to_group = true;
	arrival.hops = 1;
	ck_assert_int_eq(judge(&arrival), DENIED_BY_LIST);
	netlist_clear(&listener.deny);
	ck_assert_int_eq(judge(&arrival), PORT_RESERVED);
	arrival.source_port = ORDINARY_PORT;
	ck_assert_int_eq(judge(&arrival), SOURCE_NOT_UNICAST);
	arrival.source = ip("::ffff:127.0.0.9");
	ck_assert_int_eq(judge(&arrival), SOURCE_LOOPBACK_OUTSIDE);
	arrival.from_loopback = true;
	ck_assert_int_eq(judge(&arrival), DESTINATION_NOT_UNICAST);
	arrival.to_group = false;
	ck_assert_int_eq(judge(&arrival), HOPS_USED_UP);
	arrival.hops = 2;
	ck_assert_int_eq(judge(&arrival), ANSWER);
}

TEST(the_guards_can_be_turned_off_one_by_one)
{
	struct arrival arrival = ordinary("::ffff:127.0.0.1");

	arrival.source_port = 7;
	arrival.to_group = true;
	arrival.hops = 1;
	listener.udp_guard = false;
	ck_assert_int_eq(judge(&arrival), HOPS_USED_UP);
	listener.udp_ttl_guard = false;
	ck_assert_int_eq(judge(&arrival), ANSWER);
	/* The lists are no guard that could be off. */
	add(&listener.allow, "192.0.2.0/24");
	ck_assert_int_eq(judge(&arrival), DENIED_BY_LIST);
	listener.udp_guard = true;
	listener.udp_ttl_guard = true;
	ck_assert_int_eq(judge(&arrival), DENIED_BY_LIST);
}

TEST(every_verdict_has_a_counter_and_names_its_setting)
{
	static const struct {
		enum counter counter;
		const char *key;
	} expected[VERDICT_COUNT] = {
		[DENIED_BY_LIST] = {UDP_DROPPED_DENIED, "(allow, deny)"},
		[PORT_RESERVED] = {UDP_DROPPED_GUARD, "(udp_guard)"},
		[PORT_NFS] = {UDP_DROPPED_GUARD, "(udp_guard)"},
		[PORT_SERVED_HERE] = {UDP_DROPPED_GUARD, "(udp_guard)"},
		[SOURCE_NOT_UNICAST] = {UDP_DROPPED_GUARD, "(udp_guard)"},
		[SOURCE_LOOPBACK_OUTSIDE] = {UDP_DROPPED_GUARD, "(udp_guard)"},
		[DESTINATION_NOT_UNICAST] = {UDP_DROPPED_GUARD, "(udp_guard)"},
		[SOURCE_IS_DESTINATION] = {UDP_DROPPED_GUARD, "(udp_guard)"},
		[HOPS_USED_UP] = {UDP_DROPPED_TTL, "(udp_ttl_guard)"},
		[OVER_RATE] = {UDP_DROPPED_RATE, "(udp_rate)"},
		[TOO_MANY_SOURCES] = {UDP_DROPPED_RATE, "(udp_rate)"},
		[LOOPED] = {UDP_DROPPED_LOOPED, "(udp_ttl_guard)"},
		[TOO_SHORT] = {UDP_DROPPED_SHORT, "(mode)"},
		[NOT_AUTHENTIC] = {UDP_DROPPED_AUTH, "(stamp_key)"},
		[IS_A_REPLY] = {UDP_DROPPED_LOOPED, "(mode)"},
		[NO_SESSION] = {UDP_DROPPED_SESSIONS, "(stamp_sessions)"},
	};

	for (int verdict = ANSWER + 1; verdict < VERDICT_COUNT; verdict++) {
		const char *reason = verdict_meanings[verdict].reason;

		ck_assert_int_eq(verdict_meanings[verdict].counter, expected[verdict].counter);
		ck_assert_ptr_nonnull(strstr(reason, expected[verdict].key));
	}
	ck_assert_str_eq(verdict_meanings[PORT_RESERVED].reason,
			 "source port below 1024 (udp_guard)");
}
