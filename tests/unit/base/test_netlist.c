/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Lists of networks: what is accepted, what is in them, and their text. Lists of many networks,
 * each within others, are compared bit by bit in fuzz_netlist and its corpus.
 */

#include "config.h"

#include "base/netlist.h"

#include "support/test.h"

static struct in6_addr canonical(const char *text)
{
	char mapped[INET6_ADDRSTRLEN];
	struct in6_addr ip;

	(void)snprintf(mapped, sizeof(mapped), "%s%s", strchr(text, ':') ? "" : "::ffff:", text);
	ck_assert_int_eq(inet_pton(AF_INET6, mapped, &ip), 1);
	return ip;
}

static bool contains(const char *network, const char *ip)
{
	struct in6_addr address = canonical(ip);
	struct netlist list = {0};
	struct reason reason;
	bool found;

	ck_assert_msg(netlist_add(&list, network, &reason) == 0, "%s", reason.text);
	found = netlist_contains(&list, &address);
	netlist_clear(&list);
	return found;
}

TEST(a_network_contains_its_addresses_and_no_others)
{
	static const struct {
		const char *network, *ip;
		bool inside;
	} cases[] = {
		{"192.0.2.7", "192.0.2.7", true},
		{"192.0.2.7", "192.0.2.8", false},
		{"192.0.2.0/24", "192.0.2.0", true},
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.0/25", "192.0.2.127", true},
		{"192.0.2.0/25", "192.0.2.128", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.4/31", "192.0.2.5", true},
		{"192.0.2.4/31", "192.0.2.6", false},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"0.0.0.0/0", "0.0.0.0", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"0.0.0.0/1", "127.0.0.1", true},
		{"0.0.0.0/1", "128.0.0.1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "::1", true},
		{"::/0", "192.0.2.7", false},
		{"::/64", "192.0.2.7", false},
		{"::ffff:192.0.2.0/120", "192.0.2.7", true},
		{"::ffff:0:0/96", "192.0.2.7", true},
		{"2001:db8::/32", "2001:db8:ffff::1", true},
		{"2001:db8::/32", "2001:db9::1", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"2001:db8::7", "2001:db8::7", true},
		{"0:0:1::ffff:0:0/96", "0:0:1::ffff:192.0.2.7", true},
		{"0:0:1::ffff:0:0/96", "192.0.2.7", false},
		{"2001:db8::7/128", "2001:db8::6", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(contains(cases[i].network, cases[i].ip) == cases[i].inside,
			      "%s in %s", cases[i].ip, cases[i].network);
}

static const char *const network_refused_texts[][2] = {
	{"", "is not ADDRESS or ADDRESS/BITS"},
	{"/24", "is not ADDRESS or ADDRESS/BITS"},
	{"example.net", "is not ADDRESS or ADDRESS/BITS"},
	{"192.0.2", "is not ADDRESS or ADDRESS/BITS"},
	{"192.0.2.0/24/24", "from 0 to 32"},
	{"192.0.2.0-9", "is not ADDRESS or ADDRESS/BITS"},
	{"[::1]", "is not ADDRESS or ADDRESS/BITS"},
	{"fe80::1%lo", "is not ADDRESS or ADDRESS/BITS"},
	{"*", "is not ADDRESS or ADDRESS/BITS"},
	{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/8", "is not ADDRESS"},
	{"192.0.2.0/", "from 0 to 32"},
	{"192.0.2.0/33", "from 0 to 32"},
	{"192.0.2.0/255.255.255.0", "from 0 to 32"},
	{"2001:db8::/129", "from 0 to 128"},
	{"192.0.2.7/24", "host bits set: the network is 192.0.2.0/24"},
	{"192.0.2.129/25", "host bits set: the network is 192.0.2.128/25"},
	{"192.0.2.7/0", "host bits set: the network is 0.0.0.0/0"},
	{"2001:db8::7/64", "host bits set: the network is 2001:db8::/64"},
};

TEST_EACH(what_is_no_network_is_refused, ARRAY_SIZE(network_refused_texts))
{
	struct netlist list = {0};
	struct reason reason;

	ck_assert_int_eq(netlist_add(&list, network_refused_texts[_i][0], &reason), -1);
	ck_assert_msg(strstr(reason.text, network_refused_texts[_i][1]) != NULL, "%s", reason.text);
	ck_assert_uint_eq(list.count, 0);
}

TEST(a_network_is_written_as_it_is_read)
{
	static const char *const texts[][2] = {
		{"192.0.2.7", "192.0.2.7"},
		{"192.0.2.7/32", "192.0.2.7"},
		{"192.0.2.0/24", "192.0.2.0/24"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"2001:DB8::/32", "2001:db8::/32"},
		{"::1/128", "::1"},
		{"::/0", "::/0"},
		{"::ffff:192.0.2.0/120", "192.0.2.0/24"},
		{"0:0:1::ffff:0:0/96", "::1:0:0:ffff:0:0/96"},
	};
	char text[NETWORK_TEXT_MAX];
	struct netlist list = {0};
	struct reason reason;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		ck_assert_int_eq(netlist_add(&list, texts[i][0], &reason), 0);
		ck_assert_str_eq(network_format(&list.networks[i], text), texts[i][1]);
	}
	netlist_clear(&list);
}

/* Networks within others are not looked at; all are there to be read, in their order. */
TEST(what_lies_within_another_network_takes_no_time)
{
	static const char *const texts[] = {"192.0.2.128/25", "192.0.2.7",  "192.0.2.0/24",
					    "192.0.2.0/28",   "::/0",	    "::1",
					    "192.0.2.7",      "10.0.0.0/8", "192.0.0.0/16"};
	char text[NETWORK_TEXT_MAX];
	struct netlist list = {0};
	struct reason reason;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		ck_assert_int_eq(netlist_add(&list, texts[i], &reason), 0);
	ck_assert_uint_eq(list.range_count, 4); /* two of them are ::/0 without IPv4 */
	ck_assert_uint_eq(list.count, ARRAY_SIZE(texts));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		ck_assert_str_eq(network_format(&list.networks[i], text), texts[i]);
	netlist_clear(&list);
}

TEST(a_list_can_use_the_entries_of_another)
{
	struct in6_addr inside = canonical("192.0.2.7"), outside = canonical("192.0.2.8");
	struct netlist list = {0}, shared, nothing;
	struct reason reason;

	netlist_share(&nothing, &list);
	ck_assert(!netlist_contains(&nothing, &inside));
	ck_assert_int_eq(netlist_add(&list, "2001:db8::/32", &reason), 0);
	ck_assert_int_eq(netlist_add(&list, "192.0.2.7", &reason), 0);
	netlist_share(&shared, &list);
	ck_assert_ptr_eq(shared.networks, list.networks);
	ck_assert(netlist_contains(&shared, &inside));
	ck_assert(!netlist_contains(&shared, &outside));
	netlist_clear(&shared);
	ck_assert(!netlist_contains(&shared, &inside));
	ck_assert(netlist_contains(&list, &inside));
	netlist_clear(&list);
	netlist_clear(&list);
	ck_assert(!netlist_contains(&list, &inside));
}
