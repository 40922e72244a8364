/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Listen addresses: what is taken, what it stands for, and which two cannot both be listened on. */

#include "config.h"

#include "daemon/settings/listen_address.h"

#include "support/test.h"

static struct listen_address parse(const char *text)
{
	struct listen_address address;
	struct reason reason;

	ck_assert_msg(listen_address_parse(&address, text, &reason) == 0, "%s", reason.text);
	return address;
}

TEST(addresses_are_written_as_they_are_read)
{
	static const struct {
		const char *text, *back, *first, *second;
		enum address_kind kind;
		bool any;
	} cases[] = {
		{"*:7", "*:7", "0.0.0.0:7", "[::]:7", ADDRESS_INET, true},
		{":7007", "*:7007", "0.0.0.0:7007", "[::]:7007", ADDRESS_INET, true},
		{"localhost:0", "localhost:0", "127.0.0.1:0", "[::1]:0", ADDRESS_INET, false},
		{"0.0.0.0:7", "0.0.0.0:7", "0.0.0.0:7", NULL, ADDRESS_INET, false},
		{"192.0.2.7:65535", "192.0.2.7:65535", "192.0.2.7:65535", NULL, ADDRESS_INET,
		 false},
		{"[::]:7", "[::]:7", "[::]:7", NULL, ADDRESS_INET, false},
		{"[2001:DB8::7]:7", "[2001:db8::7]:7", "[2001:db8::7]:7", NULL, ADDRESS_INET,
		 false},
		{"[::1:0:0:ffff:0:7]:7", "[::1:0:0:ffff:0:7]:7", "[::1:0:0:ffff:0:7]:7", NULL,
		 ADDRESS_INET, false},
		{"[fe80::1%lo]:7", "[fe80::1%lo]:7", "[fe80::1%lo]:7", NULL, ADDRESS_INET, false},
		{"unix:/run/e", "unix:/run/e", "/run/e", NULL, ADDRESS_UNIX, false},
		{"unixgram:/run/e", "unixgram:/run/e", "/run/e", NULL, ADDRESS_UNIXGRAM, false},
	};
	char text[LISTEN_ADDRESS_TEXT_MAX], part[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct listen_address address = parse(cases[i].text);

		ck_assert_str_eq(listen_address_format(&address, text), cases[i].back);
		ck_assert_int_eq(address.kind, cases[i].kind);
		ck_assert_int_eq(address.any, cases[i].any);
		ck_assert_int_eq(address.pair, cases[i].second != NULL);
		ck_assert_uint_eq(address.count, cases[i].second ? 2 : 1);
		ck_assert_str_eq(address_format(&address.parts[0], part), cases[i].first);
		if (cases[i].second)
			ck_assert_str_eq(address_format(&address.parts[1], part), cases[i].second);
	}
}

static const char *const listen_address_texts[][2] = {
	{"", "has no port"},
	{"7", "has no port"},
	{"*", "has no port"},
	{"*:", "port \"\""},
	{"*:65536", "port \"65536\""},
	{"*:echo", "port \"echo\""},
	{"::1:7", "in brackets"},
	{"[*]:7", "in brackets"},
	{"[localhost]:7", "in brackets"},
	{"example.net:7", "not an IP address"},
	{"LOCALHOST.:7", "not an IP address"},
	{"tcp:7", "not an IP address"},
	{"[::ffff:192.0.2.7]:7", "is an IPv4 address"},
	{"[fe80::1]:7", "add its interface"},
	{"[2001:db8::1%nosuch0]:7", "is not link-local"},
	{"[fe80::1%]:7", "there is no network interface"},
	{"[fe80::1%with blank]:7", "there is no network interface"},
	{"[fe80::1%sixteencharacter]:7", "there is no network interface"},
	{"unix:", "starts with /"},
	{"unix:run/e", "starts with /"},
	{"unixgram:@name", "starts with /"},
	{"unix:/a b", "a blank or a control character"},
	{"unix:/a\tb", "a blank or a control character"},
	{"unix:/a\x7f", "a blank or a control character"},
	{"unix:/a\n", "a blank or a control character"},
	{"unix:/"
	 "2345678901234567890123456789012345678901234567890123456789012345678901234567"
	 "8901234567890123456789012345678",
	 "at most 107"},
};

TEST_EACH(what_is_no_listen_address_is_refused_with_what_is_allowed,
	  ARRAY_SIZE(listen_address_texts))
{
	struct listen_address address;
	struct reason reason;

	ck_assert_int_eq(listen_address_parse(&address, listen_address_texts[_i][0], &reason), -1);
	ck_assert_msg(strstr(reason.text, listen_address_texts[_i][1]) != NULL, "%s", reason.text);
	ck_assert_ptr_nonnull(strstr(reason.text, "allowed are *:PORT"));
}

TEST(two_addresses_collide_when_they_share_a_socket_address)
{
	static const struct {
		const char *a, *b;
		bool collide;
	} cases[] = {
		{"*:7", "*:7", true},
		{"*:7", ":7", true},
		{"*:7", "0.0.0.0:7", true},
		{"*:7", "[::]:7", true},
		{"*:7", "*:8", false},
		{"*:7", "127.0.0.1:7", false},
		{"*:7", "localhost:7", false},
		{"localhost:7", "127.0.0.1:7", true},
		{"localhost:7", "[::1]:7", true},
		{"localhost:7", "127.0.0.2:7", false},
		{"[::1]:7", "[0:0::1]:7", true},
		{"[fe80::1%lo]:7", "[fe80::1%2]:7", false},
		{"[fe80::1%lo]:7", "[fe80::1%nosuch0]:7", false},
		{"[fe80::1%nosuch0]:7", "[fe80::1%nosuch1]:7", false},
		{"[fe80::1%nosuch0]:7", "[fe80:0::1%nosuch0]:7", true},
		{"[fe80::1%nosuch0]:7", "[fe80::1%nosuch0]:8", false},
		{"[fe80::1%lo]:7", "[fe80::1%1]:7", true},
		{"unix:/run/e", "unixgram:/run/e", true},
		{"unix:/run/e", "unix:/run/f", false},
		{"unix:/run/e", "*:7", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct listen_address a = parse(cases[i].a), b = parse(cases[i].b);

		ck_assert_int_eq(listen_address_collides(&a, &b), cases[i].collide);
		ck_assert_int_eq(listen_address_collides(&b, &a), cases[i].collide);
	}
}
