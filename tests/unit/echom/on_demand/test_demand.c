/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a request for /probe asks for: its query and its header, good and bad. */

#include "config.h"

#include "daemon/http/message.h"
#include "echom/on_demand/demand.h"
#include "probe/target.h"
#include "support/test.h"

#define NAME_LENGTH (TARGET_NAME_MAX - 1)
#define SCRAPE_TIMEOUT "X-Prometheus-Scrape-Timeout-Seconds: "

static struct demand demand;
static struct reason reason;

static int read_query(const char *query, const char *headers)
{
	const struct http_request request = {.path = "/probe", .query = query, .headers = headers};

	return demand_read(&demand, &request, &reason);
}

static void expect(const char *query, const struct demand *wanted)
{
	ck_assert_msg(read_query(query, "") == 0, "%s", reason.text);
	ck_assert_str_eq(demand.address, wanted->address);
	ck_assert_uint_eq(demand.protocol, wanted->protocol);
	ck_assert_uint_eq(demand.count, wanted->count);
	ck_assert_uint_eq(demand.interval, wanted->interval);
	ck_assert_uint_eq(demand.timeout, wanted->timeout);
	ck_assert_uint_eq(demand.limit, 60000);
}

static const struct {
	const char *query;
	struct demand wanted;
} good[] = {
	{"target=a", {"a:7", WATCH_UDP, 10, 20, 2000, 0}},
	{"target=a:8&protocol=tcp&count=1&interval=10ms&timeout=10ms",
	 {"a:8", WATCH_TCP, 1, 10, 10, 0}},
	{"target=a&protocol=stamp", {"a:862", WATCH_STAMP, 10, 20, 2000, 0}},
	{"target=[::1]&protocol=stamp", {"[::1]:862", WATCH_STAMP, 10, 20, 2000, 0}},
	{"target=a:7&protocol=stamp", {"a:7", WATCH_STAMP, 10, 20, 2000, 0}},
	{"count=1000&target=a&timeout=30s", {"a:7", WATCH_UDP, 1000, 20, 30000, 0}},
	{"target=a&count=1&interval=1m&timeout=0.5", {"a:7", WATCH_UDP, 1, 60000, 500, 0}},
	{"target=%5B2001:db8::1%5D%3a8", {"[2001:db8::1]:8", WATCH_UDP, 10, 20, 2000, 0}},
	{"target=2001:db8::1", {"[2001:db8::1]:7", WATCH_UDP, 10, 20, 2000, 0}},
	{"target=fe80::1%25eth0", {"[fe80::1%eth0]:7", WATCH_UDP, 10, 20, 2000, 0}},
	{"module=icmp&debug=true&target=a&Count=0&targets=b", {"a:7", WATCH_UDP, 10, 20, 2000, 0}},
	{"target=a&target=b&count=2&count=x", {"a:7", WATCH_UDP, 2, 20, 2000, 0}},
	{"target=a&count=30&interval=2s&timeout=2s", {"a:7", WATCH_UDP, 30, 2000, 2000, 0}},
};

TEST_EACH(what_is_asked_for_is_read, ARRAY_SIZE(good))
{
	expect(good[_i].query, &good[_i].wanted);
}

static const struct {
	const char *query;
	const char *why; /* it begins so */
} bad[] = {
	{"", "target: missing"},
	{"Target=a", "target: missing"},
	{"target", "target: missing host"},
	{"target=", "target: missing host"},
	{"target=:7", "target: missing host"},
	{"target=*:7", "target: \"*\" is not a host"},
	{"target=a:0", "target: port 0"},
	{"target=a:65536", "target: port \"65536\""},
	{"target=a:b", "target: port \"b\""},
	{"target=http://a/", "target: port"},
	{"target=unix:/run/x", "target: port"},
	{"target=a%00", "target: too long, or a bad % escape"},
	{"target=a%4", "target: too long, or a bad % escape"},
	{"target=a+b", "target: only printable ASCII"},
	{"target=a%0a", "target: only printable ASCII"},
	{"target=%c3%a9", "target: only printable ASCII"},
	{"target=%22", "target: only printable ASCII"},
	{"target=%5c", "target: only printable ASCII"},
	{"target=a&protocol=", "protocol: \"\" is"},
	{"target=a&protocol=icmp", "protocol: \"icmp\" is"},
	{"target=a&protocol=UDP", "protocol: \"UDP\" is"},
	{"target=a&count=0", "count: \"0\" is not a whole number from 1 to 1000"},
	{"target=a&count=1001", "count: \"1001\" is not"},
	{"target=a&count=-1", "count: \"-1\" is not"},
	{"target=a&count=+1", "count: only printable ASCII"}, /* + is a blank */
	{"target=a&count=99999999999999999999", "count: "},
	{"target=a&count", "count: \"\" is not"},
	{"target=a&interval=9ms", "interval: \"9ms\" is not a duration from 10ms to 1m"},
	{"target=a&interval=0", "interval: \"0\" is not"},
	{"target=a&interval=61", "interval: \"61\" is not"},
	{"target=a&interval=fast", "interval: \"fast\" is not"},
	{"target=a&timeout=9ms", "timeout: \"9ms\" is not a duration from 10ms to 30s"},
	{"target=a&timeout=30001ms", "timeout: \"30001ms\" is not"},
	{"target=a&timeout=nan", "timeout: \"nan\" is not"},
	{"target=a&count=1000&interval=60ms", "count, interval and timeout: together up to 62s"},
	{"target=a&count=1000&interval=1m&timeout=30s", "count, interval and timeout: together"},
};

TEST_EACH(what_cannot_be_is_refused_with_its_name, ARRAY_SIZE(bad))
{
	ck_assert_int_eq(read_query(bad[_i].query, ""), -1);
	ck_assert_msg(strncmp(reason.text, bad[_i].why, strlen(bad[_i].why)) == 0, "%s",
		      reason.text);
}

TEST(the_longest_name_fits_and_none_beyond_it)
{
	char query[400] = "target=", name[400] = "";

	memset(name, 'a', NAME_LENGTH);
	(void)snprintf(query + 7, sizeof(query) - 7, "%s:65535", name);
	ck_assert_msg(read_query(query, "") == 0, "%s", reason.text);
	ck_assert_uint_eq(strlen(demand.address), NAME_LENGTH + strlen(":65535"));
	name[NAME_LENGTH] = 'a';
	(void)snprintf(query + 7, sizeof(query) - 7, "%s:65535", name);
	ck_assert_int_eq(read_query(query, ""), -1);
}

static const struct {
	const char *header;
	uint64_t limit;
} limits[] = {
	{"Host: a\r\n", 60000},
	{SCRAPE_TIMEOUT "10\r\n", 9500},
	{SCRAPE_TIMEOUT "9.5\r\n", 9000},
	{"x-prometheus-scrape-timeout-seconds:2\r\n", 1500},
	{SCRAPE_TIMEOUT "1.001\r\n", 501},
	{SCRAPE_TIMEOUT "1\r\n", 500},
	{SCRAPE_TIMEOUT "0.1\r\n", 50},
	{SCRAPE_TIMEOUT "60.5\r\n", 60000},
	{SCRAPE_TIMEOUT "3600\r\n", 60000},
};

TEST_EACH(the_answer_is_there_before_prometheus_gives_up, ARRAY_SIZE(limits))
{
	ck_assert_msg(read_query("target=a", limits[_i].header) == 0, "%s", reason.text);
	ck_assert_uint_eq(demand.limit, limits[_i].limit);
}

static const char *const bad_limits[] = {"", "0", "-1", "ten", "1e3", "1 2", "86401", "\"", "\x01"};

TEST_EACH(a_scrape_timeout_that_is_none_is_refused, ARRAY_SIZE(bad_limits))
{
	char header[100];

	(void)snprintf(header, sizeof(header), SCRAPE_TIMEOUT "%s\r\n", bad_limits[_i]);
	ck_assert_int_eq(read_query("target=a", header), -1);
	ck_assert_ptr_nonnull(strstr(reason.text, "X-Prometheus-Scrape-Timeout-Seconds"));
}
