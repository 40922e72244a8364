/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Files that are taken: every setting, everything the format allows, and how sections work
 * together.
 */

#include "config.h"

#include "unit/config_text.h"

#define TEN "1234567890"
#define NINETY TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define HOUR UINT64_C(3600000)

static void expect_address(const struct listener_config *listener, size_t index, const char *text)
{
	char found[LISTEN_ADDRESS_TEXT_MAX];

	ck_assert_uint_lt(index, listener->addresses.count);
	ck_assert_str_eq(listen_address_format(&listener->addresses.items[index], found), text);
}

static bool listed(const struct netlist *list, const char *mapped)
{
	struct in6_addr ip;

	ck_assert_int_eq(inet_pton(AF_INET6, mapped, &ip), 1);
	return netlist_contains(list, &ip);
}

TEST(an_empty_file_serves_echo_on_port_7_with_every_default)
{
	static const char *const texts[] = {"", "\n", "# nothing", "\xef\xbb\xbf",
					    "\xef\xbb\xbf\r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct config *config = load_good(texts[i]);
		const struct listener_config *echo = config_listener(config, "echo");

		ck_assert(config->from_file);
		ck_assert_uint_eq(config->server.workers, 0);
		ck_assert_uint_eq(config->server.log_level, LEVEL_NOTICE);
		ck_assert_str_eq(config->server.user, "");
		ck_assert_uint_eq(config->server.max_clients, 0);
		ck_assert_uint_eq(config->server.drain_timeout, 10000);
		ck_assert_uint_eq(config->server.busy_poll, 0);
		ck_assert_uint_eq(config->server.metrics.length, 0);
		ck_assert_uint_eq(config->listener_count, 1);
		ck_assert_ptr_nonnull(echo);
		expect_address(echo, 0, "*:7");
		ck_assert_uint_eq(echo->protocols, PROTOCOL_TCP | PROTOCOL_UDP);
		ck_assert_uint_eq(echo->allow.count + echo->deny.count, 0);
		ck_assert_uint_eq(echo->max_clients_per_ip, 0);
		ck_assert_uint_eq(echo->idle_timeout, HOUR);
		ck_assert_uint_eq(echo->stall_timeout, 120000);
		ck_assert_uint_eq(echo->greeting.length + echo->prefix.length, 0);
		ck_assert(!echo->reply_once);
		ck_assert_uint_eq(echo->udp_rate, 1000);
		ck_assert(echo->udp_guard && echo->udp_ttl_guard);
		ck_assert_uint_eq(config->defaults.protocols, PROTOCOL_TCP | PROTOCOL_UDP);
		ck_assert_uint_eq(config->defaults.idle_timeout, HOUR);
		config_release(config);
	}
}

TEST(every_setting_is_taken_to_its_place)
{
	struct config *config = load_good("[listener a.B-c_9]\n"
					  "address = 127.0.0.1:1 [::1]:2\n"
					  "address = unix:/run/x\n"
					  "protocol = udp tcp\n"
					  "allow = 192.0.2.0/24 2001:db8::/32\n"
					  "allow = 198.51.100.7\n"
					  "deny = 192.0.2.13\n"
					  "max_clients_per_ip = 5\n"
					  "idle_timeout = 0\n"
					  "stall_timeout = 250ms\n"
					  "greeting = Hi \\x00\\n\n"
					  "prefix = a = b: #c;\n"
					  "reply_once = ON\n"
					  "udp_rate = 4294967295\n"
					  "udp_guard = no\n"
					  "udp_ttl_guard = 0\n"
					  "[server]\n"
					  "workers = 1024\n"
					  "log_level = debug\n"
					  "user = root\n"
					  "max_clients = 1048576\n"
					  "drain_timeout = 10m\n"
					  "busy_poll = 1s\n"
					  "metrics = localhost:0\n");
	const struct listener_config *a = config_listener(config, "a.B-c_9");
	char text[ADDRESS_TEXT_MAX];

	ck_assert_uint_eq(config->server.workers, 1024);
	ck_assert_uint_eq(config->server.log_level, LEVEL_DEBUG);
	ck_assert_str_eq(config->server.user, "root");
	ck_assert_uint_eq(config->server.max_clients, 1048576);
	ck_assert_uint_eq(config->server.drain_timeout, 600000);
	ck_assert_uint_eq(config->server.busy_poll, 1000000);
	ck_assert_str_eq(address_format(&config->server.metrics, text), "127.0.0.1:0");
	ck_assert_uint_eq(a->addresses.count, 3);
	expect_address(a, 0, "127.0.0.1:1");
	expect_address(a, 1, "[::1]:2");
	expect_address(a, 2, "unix:/run/x");
	ck_assert_uint_eq(a->protocols, PROTOCOL_TCP | PROTOCOL_UDP);
	ck_assert_uint_eq(a->allow.count, 3);
	ck_assert(listed(&a->allow, "::ffff:198.51.100.7"));
	ck_assert(listed(&a->deny, "::ffff:192.0.2.13"));
	ck_assert_uint_eq(a->max_clients_per_ip, 5);
	ck_assert_uint_eq(a->idle_timeout, 0);
	ck_assert_uint_eq(a->stall_timeout, 250);
	ck_assert_uint_eq(a->greeting.length, 5);
	ck_assert_mem_eq(a->greeting.bytes, "Hi \0\n", 5);
	ck_assert_uint_eq(a->prefix.length, 10);
	ck_assert_mem_eq(a->prefix.bytes, "a = b: #c;", 10);
	ck_assert(a->reply_once);
	ck_assert_uint_eq(a->udp_rate, UINT32_MAX);
	ck_assert(!a->udp_guard && !a->udp_ttl_guard);
	config_release(config);
}

TEST(metrics_take_ip_addresses_with_a_port)
{
	static const char *const texts[][2] = {
		{"192.0.2.7:9107", "192.0.2.7:9107"},
		{"0.0.0.0:65535", "0.0.0.0:65535"},
		{"[::1]:1", "[::1]:1"},
		{"localhost:9107", "127.0.0.1:9107"},
	};
	char file[80], text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct config *config;

		(void)snprintf(file, sizeof(file), "[server]\nmetrics = %s\n", texts[i][0]);
		config = load_good(file);
		ck_assert_str_eq(address_format(&config->server.metrics, text), texts[i][1]);
		config_release(config);
	}
}

TEST(the_format_is_generous_where_nothing_is_lost)
{
	struct config *config = load_good("\xef\xbb\xbf# a comment\r\n"
					  "   ; another, indented\r\n"
					  "\t# and one more = :\r\n"
					  " \t \r\n"
					  "[ server ]  \r\n"
					  "workers=3\r\n"
					  "log_level\t =\t info  \t\r\n"
					  "[listener \t a ]\r\n"
					  "address = :1\t :2   *:3\r\n"
					  "greeting = a\tb\r\n"
					  "prefix = a;b=c:d");
	const struct listener_config *a = config_listener(config, "a");

	ck_assert_uint_eq(config->server.workers, 3);
	ck_assert_uint_eq(config->server.log_level, LEVEL_INFO);
	ck_assert_uint_eq(a->addresses.count, 3);
	expect_address(a, 1, "*:2");
	ck_assert_uint_eq(a->greeting.length, 3);
	ck_assert_mem_eq(a->greeting.bytes, "a\tb", 3);
	ck_assert_uint_eq(a->prefix.length, 7);
	ck_assert_mem_eq(a->prefix.bytes, "a;b=c:d", 7);
	config_release(config);
}

TEST(a_line_may_have_190_bytes_and_a_name_32)
{
	struct config *config = load_good("[listener a2345678901234567890123456789012]\r\n"
					  "address = :1\n"
					  "#" NINETY NINETY "123456789\r\n"
					  "prefix = " NINETY NINETY "1\r\n"
					  "greeting=" NINETY NINETY "1");
	const struct listener_config *a =
		config_listener(config, "a2345678901234567890123456789012");

	ck_assert_ptr_nonnull(a);
	ck_assert_uint_eq(a->greeting.length, 181);
	ck_assert_uint_eq(a->prefix.length, 181);
	ck_assert_mem_eq(a->prefix.bytes, NINETY NINETY "1", 181);
	config_release(config);
}

TEST(a_listener_overrides_the_defaults)
{
	struct config *config = load_good("[listener own]\n"
					  "address = :1\n"
					  "allow = 192.0.2.1\n"
					  "idle_timeout = 5\n"
					  "udp_guard = yes\n"
					  "greeting = own\n"
					  "[listener none]\n"
					  "address = :2\n"
					  "[defaults]\n"
					  "allow = 192.0.2.2\n"
					  "allow = 192.0.2.3\n"
					  "idle_timeout = 6\n"
					  "udp_guard = no\n"
					  "greeting = shared\n");
	const struct listener_config *own = config_listener(config, "own");
	const struct listener_config *none = config_listener(config, "none");

	ck_assert_uint_eq(own->allow.count, 1);
	ck_assert(listed(&own->allow, "::ffff:192.0.2.1"));
	ck_assert_uint_eq(own->idle_timeout, 5000);
	ck_assert(own->udp_guard);
	ck_assert_mem_eq(own->greeting.bytes, "own", own->greeting.length);
	ck_assert_uint_eq(none->allow.count, 2);
	ck_assert(listed(&none->allow, "::ffff:192.0.2.3"));
	ck_assert_uint_eq(none->idle_timeout, 6000);
	ck_assert(!none->udp_guard);
	ck_assert_mem_eq(none->greeting.bytes, "shared", 6);
	ck_assert_uint_eq(config->defaults.allow.count, 2);
	ck_assert_ptr_eq(none->allow.networks, config->defaults.allow.networks);
	config_release(config);
}

TEST(addresses_may_overlap_and_share_a_port)
{
	config_release(load_good("[listener all]\n"
				 "address = *:7 unix:/run/x\n"
				 "[listener one]\n"
				 "address = 127.0.0.1:7 localhost:8 [::1]:7 unix:/run/y\n"));
}

TEST(a_tag_follows_the_name_alone)
{
	struct config *first = load_good("[listener a]\naddress=:1\n[listener b]\naddress=:2\n");
	struct config *second = load_good("[listener b]\naddress=:3\n[listener a]\naddress=:4\n");

	ck_assert_uint_eq(config_listener(first, "a")->tag, config_listener(second, "a")->tag);
	ck_assert_uint_ne(config_listener(first, "a")->tag, config_listener(first, "b")->tag);
	ck_assert_uint_ne(config_listener(first, "a")->tag, first->defaults.tag);
	ck_assert_ptr_null(config_listener(first, "c"));
	config_release(first);
	config_release(second);
}
