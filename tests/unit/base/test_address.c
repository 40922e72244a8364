/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Socket addresses: reading, writing, comparing, and their canonical form. */

#include "config.h"

#include "base/address.h"

#include <sys/resource.h>

#include "support/test.h"

/* HOST is an IP address, or a /path. */
static struct address ip(const char *host, uint16_t port)
{
	struct address address;
	struct reason reason;

	ck_assert_int_eq(host[0] == '/' ? address_from_path(&address, host, &reason)
					: address_from_ip(&address, host, port, &reason),
			 0);
	return address;
}

static const char *const ip_addresses_texts[][2] = {
	{"192.0.2.7", "192.0.2.7:7"},
	{"0.0.0.0", "0.0.0.0:7"},
	{"2001:db8::7", "[2001:db8::7]:7"},
	{"2001:DB8:0:0:0:0:0:7", "[2001:db8::7]:7"},
	{"::", "[::]:7"},
	{"::ffff:192.0.2.7", "[::ffff:192.0.2.7]:7"},
	{"fe80::1%lo", "[fe80::1%lo]:7"},
	{"fe80::1%1", "[fe80::1%lo]:7"},
	{"ff02::1%lo", "[ff02::1%lo]:7"},
};

TEST_EACH(ip_addresses_come_back_as_they_were_written, ARRAY_SIZE(ip_addresses_texts))
{
	char text[ADDRESS_TEXT_MAX];
	struct address address = ip(ip_addresses_texts[_i][0], 7);

	ck_assert_str_eq(address_format(&address, text), ip_addresses_texts[_i][1]);
	ck_assert_uint_eq(address_port(&address), 7);
}

TEST(an_interface_that_is_gone_keeps_its_number)
{
	struct address address = ip("fe80::1%lo", 7);
	char text[ADDRESS_TEXT_MAX];

	address.in6.sin6_scope_id = 999999;
	ck_assert_str_eq(address_format(&address, text), "[fe80::1%999999]:7");
}

TEST(a_number_is_an_interface_where_none_can_be_asked_for)
{
	struct rlimit before, none;
	struct address address;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	address = ip("fe80::1%4294967295", 7);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_uint_eq(address.in6.sin6_scope_id, UINT32_MAX);
}

static const char *const ip_address_texts[][2] = {
	{"", "not an IP address"},
	{"localhost", "not an IP address"},
	{"192.0.2", "not an IP address"},
	{"192.0.2.256", "not an IP address"},
	{"192.0.2.7%lo", "not an IP address"},
	{"1:2:3:4:5:6:7:8:9", "not an IP address"},
	{"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", "not an IP address"},
	{"[::1]", "not an IP address"},
	{"fe80::1", "add its interface"},
	{"ff02::1", "add its interface"},
	{"fe80::1%", "no network interface"},
	{"fe80::1%nonesuch0", "no network interface \"nonesuch0\""},
	{"fe80::1%0", "no network interface"},
	{"fe80::1%4294967295", "no network interface \"4294967295\""},
	{"fe80::1%4294967296", "no network interface"},
	{"2001:db8::1%lo", "not link-local"},
};

TEST_EACH(what_is_no_ip_address_is_refused, ARRAY_SIZE(ip_address_texts))
{
	struct address address;
	struct reason reason;

	ck_assert_int_eq(address_from_ip(&address, ip_address_texts[_i][0], 7, &reason), -1);
	ck_assert_msg(strstr(reason.text, ip_address_texts[_i][1]) != NULL, "%s", reason.text);
	ck_assert_uint_eq(address.length, 0);
}

TEST(hosts_and_ports_are_taken_apart)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		int default_port;
	} cases[] = {
		{"192.0.2.7:7", "192.0.2.7", 7, PORT_REQUIRED},
		{":0", "", 0, PORT_REQUIRED},
		{"*:65535", "*", 65535, PORT_REQUIRED},
		{"[::1]:7007", "::1", 7007, PORT_REQUIRED},
		{"example.net:7", "example.net", 7, PORT_REQUIRED},
		{"[fe80::1%eth0]:1", "fe80::1%eth0", 1, PORT_REQUIRED},
		{"example.net:7", "example.net", 7, 862},
		{"example.net", "example.net", 862, 862},
		{"", "", 862, 862},
		{"[::1]:7", "::1", 7, 862},
		{"[::1]", "::1", 862, 862},
		{"::1:7", "::1:7", 862, 862},
	};
	char host[64];
	struct reason reason;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint16_t port = 4711;

		ck_assert_int_eq(address_split(cases[i].text, cases[i].default_port, host,
					       sizeof(host), &port, &reason),
				 0);
		ck_assert_str_eq(host, cases[i].host);
		ck_assert_uint_eq(port, cases[i].port);
	}
}

TEST(what_is_no_host_and_port_is_refused)
{
	static const char *const texts[][2] = {
		{"", "has no port"},
		{"7", "has no port"},
		{"192.0.2.7", "has no port"},
		{"[::1]", "has no port"},
		{"[::1", "in brackets"},
		{"[::1]7", "in brackets"},
		{"::1", "in brackets"},
		{"::1:7", "in brackets"},
		{"[127.0.0.1]:7", "in brackets"},
		{"[]:7", "in brackets"},
		{"192.0.2.7:", "port \"\" is not a whole number from 0 to 65535"},
		{"192.0.2.7:65536", "port \"65536\""},
		{"192.0.2.7:echo", "port \"echo\""},
		{"192.0.2.7:-1", "port \"-1\""},
		{"192.0.2.7:7 ", "port \"7 \""},
		{"a.name.longer.than.fits:7", "too long"},
	};
	static const char *const with_default[] = {"[::1", "[::1]7", "[host]",
						   "host:", "1111::2222:3333:4"};
	char host[16];
	uint16_t port;
	struct reason reason;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		ck_assert_int_eq(address_split(texts[i][0], PORT_REQUIRED, host, sizeof(host),
					       &port, &reason),
				 -1);
		ck_assert_msg(strstr(reason.text, texts[i][1]) != NULL, "%s", reason.text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(with_default); i++)
		ck_assert_int_eq(
			address_split(with_default[i], 862, host, sizeof(host), &port, &reason),
			-1);
	ck_assert_int_eq(address_split("fifteen.letters:7", PORT_REQUIRED, host, sizeof(host),
				       &port, &reason),
			 0);
	ck_assert_int_eq(address_split("sixteen..letters:7", PORT_REQUIRED, host, sizeof(host),
				       &port, &reason),
			 -1);
}

TEST(unix_paths_are_taken_up_to_what_a_socket_holds)
{
	char path[120], text[ADDRESS_TEXT_MAX];
	struct address address;
	struct reason reason;

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[107] = '\0';
	ck_assert_int_eq(address_from_path(&address, path, &reason), 0);
	ck_assert_str_eq(address_format(&address, text), path);
	ck_assert_uint_eq(address_port(&address), 0);
	path[107] = 'x';
	path[108] = '\0';
	ck_assert_int_eq(address_from_path(&address, path, &reason), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "108 bytes, a unix socket at most 107"));
	ck_assert_int_eq(address_from_path(&address, "", &reason), -1);
	ck_assert_int_eq(address_from_path(&address, "run/x", &reason), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "starts with /"));
}

TEST(unix_peers_have_a_text_whatever_their_name)
{
	struct address address = {.length = sizeof(sa_family_t)};
	char text[ADDRESS_TEXT_MAX];

	address.un.sun_family = AF_UNIX;
	ck_assert_str_eq(address_format(&address, text), "unix");
	memset(address.un.sun_path, 'x', sizeof(address.un.sun_path));
	address.length = sizeof(address.un);
	ck_assert_uint_eq(strlen(address_format(&address, text)), sizeof(address.un.sun_path));
	address.length++; /* what Linux says of a path without room for its NUL */
	ck_assert_uint_eq(strlen(address_format(&address, text)), sizeof(address.un.sun_path));
	memcpy(address.un.sun_path, "\0a\nb\x7f", 5);
	address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 5);
	ck_assert_str_eq(address_format(&address, text), "@a?b?");
	address.length = 0;
	ck_assert_str_eq(address_format(&address, text), "(none)");
}

TEST(a_mapped_address_becomes_the_ipv4_one)
{
	struct address mapped = ip("::ffff:192.0.2.7", 7), plain = ip("192.0.2.7", 7);
	struct address ipv6 = ip("2001:db8::7", 7), same = ipv6, none = {0};

	ck_assert(!address_equal(&mapped, &plain));
	address_unmap(&mapped);
	ck_assert(address_equal(&mapped, &plain));
	address_unmap(&plain);
	ck_assert(address_equal(&mapped, &plain));
	address_unmap(&ipv6);
	ck_assert(address_equal(&ipv6, &same));
	ipv6 = ip("::1", 7);
	address_unmap(&ipv6);
	ck_assert_int_eq(ipv6.sa.sa_family, AF_INET6);
	address_unmap(&none);
	ck_assert_uint_eq(none.length, 0);
}

TEST(ports_can_be_changed_but_not_those_of_unix_sockets)
{
	struct address ipv4 = ip("192.0.2.7", 7), ipv6 = ip("::1", 7), path = ip("/run/x", 0);

	address_set_port(&ipv4, 8);
	address_set_port(&ipv6, 9);
	ck_assert_uint_eq(address_port(&ipv4), 8);
	ck_assert_uint_eq(address_port(&ipv6), 9);
	address_set_port(&path, 7);
	ck_assert_uint_eq(address_port(&path), 0);
	ck_assert_str_eq(path.un.sun_path, "/run/x");
}

TEST(equal_means_family_address_port_scope_and_path)
{
	struct address addresses[13] = {
		ip("192.0.2.7", 7), ip("192.0.2.7", 8), ip("192.0.2.8", 7),  ip("::1", 7),
		ip("::1", 8),	    ip("::2", 7),	ip("fe80::1%lo", 7), ip("fe80::1%lo", 7),
		ip("1::1", 7),	    ip("0:0:1::1", 7),	ip("::1:0:1", 7),    ip("/run/x", 0),
		ip("/run/y", 0),
	};

	addresses[7].in6.sin6_scope_id++;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(addresses); j++)
			ck_assert_int_eq(address_equal(&addresses[i], &addresses[j]), i == j);
	}
	addresses[0].length = addresses[1].length = 0;
	ck_assert(address_equal(&addresses[0], &addresses[1]));
	addresses[11].length = addresses[2].length;
	ck_assert(!address_equal(&addresses[11], &addresses[2]));
}

TEST(a_wildcard_overlaps_its_family_at_its_port)
{
	static const struct {
		const char *a;
		uint16_t a_port;
		const char *b;
		uint16_t b_port;
		bool overlap;
	} cases[] = {
		{"127.0.0.1", 7, "127.0.0.1", 7, true},
		{"127.0.0.1", 7, "127.0.0.2", 7, false},
		{"0.0.0.0", 7, "127.0.0.2", 7, true},
		{"0.0.0.0", 7, "127.0.0.2", 8, false},
		{"::", 7, "::1", 7, true},
		{"::1", 7, "::2", 7, false},
		{"::", 7, "127.0.0.1", 7, false},
		{"0.0.0.0", 7, "::1", 7, false},
		{"/a", 0, "/a", 0, true},
		{"/a", 0, "/b", 0, false},
		{"/a", 0, "0.0.0.0", 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct address a = ip(cases[i].a, cases[i].a_port);
		struct address b = ip(cases[i].b, cases[i].b_port);

		ck_assert_int_eq(address_overlaps(&a, &b), cases[i].overlap);
		ck_assert_int_eq(address_overlaps(&b, &a), cases[i].overlap);
	}
}

TEST(ipv4_and_its_mapped_form_are_one_canonical_address)
{
	struct address ipv4 = ip("192.0.2.7", 7), mapped = ip("::ffff:192.0.2.7", 9);
	struct address path = ip("/run/x", 0);
	struct in6_addr a, b;

	ck_assert(address_ip(&ipv4.sa, &a));
	ck_assert(address_ip(&mapped.sa, &b));
	ck_assert(IN6_ARE_ADDR_EQUAL(&a, &b));
	ck_assert(!address_ip(&path.sa, &a));
}

TEST_EACH(loopback_differs_from_its_neighbours, 7)
{
	static const struct {
		const char *text;
		bool loopback;
	} ips[] = {{"::1", true},
		   {"::2", false},
		   {"::ffff:127.0.0.1", true},
		   {"::ffff:127.255.255.255", true},
		   {"::ffff:126.255.255.255", false},
		   {"::ffff:128.0.0.0", false},
		   {"::127.0.0.1", false}};
	struct in6_addr ip;

	ck_assert_int_eq(inet_pton(AF_INET6, ips[_i].text, &ip), 1);
	ck_assert_int_eq(ip_is_loopback(&ip), ips[_i].loopback);
}
