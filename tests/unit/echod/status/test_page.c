/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The page for people: what it shows, that it is always whole, and that it escapes all texts. */

#include "config.h"

#include "daemon/http/http.h"
#include "echod/status/page.h"
#include "support/test.h"
#include "unit/config_text.h"

static char page[HTTP_BODY_MAX];
static struct history history;
static struct totals totals;
static bool handed;

/* Writes the page for what CONFIG says, with BINDINGS open. */
static void show(const char *text, struct binding *bindings, size_t count, const char *host)
{
	struct config *config = load_text(text);
	struct socket_table table = {.bindings = bindings, .count = count, .handed = handed};
	struct status_view view = {.host = host,
				   .state = "serving",
				   .well = true,
				   .up_s = 90061,
				   .config = config,
				   .sockets = &table,
				   .totals = &totals,
				   .history = &history};
	struct bounded_text out;

	ck_assert_msg(config != NULL, "%s", said.lines);
	bounded_text_begin(&out, page, sizeof(page));
	status_page_write(&out, &view);
	ck_assert(!out.cut);
	config_release(config);
}

static struct binding bound(const char *listener, enum socket_kind kind, const char *where)
{
	struct binding binding = {.kind = kind, .socket_count = 1};
	struct reason reason;
	int result = *where == '/' ? address_from_path(&binding.address, where, &reason)
				   : address_from_ip(&binding.address, where, 7, &reason);

	ck_assert_int_eq(result, 0);
	(void)snprintf(binding.listener, sizeof(binding.listener), "%s", listener);
	return binding;
}

static bool shows(const char *text)
{
	return strstr(page, text) != NULL;
}

static unsigned count_of(const char *text)
{
	unsigned count = 0;

	for (const char *at = page; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

static bool is_void(const char *name, const char *end)
{
	return strcmp(name, "meta") == 0 || name[0] == '!' || end[-1] == '/';
}

/* Every element is closed, in the order in which they were opened. */
static void expect_well_nested(void)
{
	char open[32][16];
	size_t depth = 0;

	for (const char *at = page; (at = strchr(at, '<')) != NULL; at++) {
		const char *end = strchr(at, '>');
		bool closing = at[1] == '/';
		char name[16];

		ck_assert_ptr_nonnull(end);
		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1 + closing, " >/\n"),
			       at + 1 + closing);
		if (closing) {
			ck_assert_uint_gt(depth, 0);
			ck_assert_str_eq(name, open[--depth]);
		} else if (!is_void(name, end)) {
			ck_assert_uint_lt(depth, ARRAY_SIZE(open));
			(void)snprintf(open[depth++], sizeof(open[0]), "%s", name);
		}
	}
	ck_assert_uint_eq(depth, 0);
}

static void show_plain(void)
{
	struct binding bindings[] = {bound("echo", SOCKET_TCP, "192.0.2.1"),
				     bound("echo", SOCKET_UDP, "192.0.2.1"),
				     bound("local", SOCKET_UNIX, "/run/echo")};

	show("[listener echo]\naddress = 192.0.2.1:7\nidle_timeout = 90s\n"
	     "[listener local]\naddress = unix:/run/echo\n",
	     bindings, ARRAY_SIZE(bindings), "host.example");
}

TEST_CASE("content");

TEST(what_is_served_stands_under_its_listener)
{
	show_plain();
	ck_assert(shows("<h3>echo</h3><ul><li><b>tcp</b> 192.0.2.1:7</li>"
			"<li><b>udp</b> 192.0.2.1:7</li></ul>"));
	ck_assert(shows("<h3>local</h3><ul><li><b>unix</b> /run/echo</li></ul>"));
	ck_assert(shows("<dt>idle_timeout</dt><dd>90s</dd>"));
	ck_assert(shows("<dt>idle_timeout</dt><dd class=default>1h</dd>"));
	/* The second has no use for it. */
	ck_assert_uint_eq(count_of("<dt>udp_rate</dt>"), 1);
}

TEST(limits_and_process_settings_are_shown)
{
	totals.connections_max = 19932;
	show_plain();
	ck_assert(shows("of at most 19,932"));
	ck_assert(shows("<dt>max_clients</dt><dd class=default>auto</dd>"));
	ck_assert(shows("<dt>drain_timeout</dt><dd class=default>10s</dd>"));
	ck_assert(shows("<dt>metrics</dt><dd class=default>none</dd>"));
	ck_assert(shows("up for 1 d 1 h"));
}

TEST(every_counter_is_shown)
{
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		totals.counters[i] = 1000000 + i;
	show_plain();
	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		char cell[64];

		(void)snprintf(cell, sizeof(cell), "<td>1,000,0%02zu</td>", i);
		ck_assert_uint_eq(count_of(cell), 1);
	}
}

TEST(it_is_whole_and_well_nested)
{
	show_plain();
	ck_assert_int_eq(strncmp(page, "<!doctype html>", 15), 0);
	ck_assert_str_eq(page + strlen(page) - strlen("</body></html>\n"), "</body></html>\n");
	expect_well_nested();
}

TEST(it_loads_and_runs_nothing)
{
	show_plain();
	ck_assert(!shows("<script"));
	ck_assert(!shows("src="));
	ck_assert(!shows("url("));
	ck_assert(!shows("http:"));
	ck_assert(!shows("https:"));
}

TEST(it_is_made_for_phones_and_the_dark_and_asks_to_be_loaded_again)
{
	show_plain();
	ck_assert(shows("<meta name=viewport content=\"width=device-width, initial-scale=1\">"));
	ck_assert(shows("@media(prefers-color-scheme:dark)"));
	ck_assert(shows("<meta http-equiv=refresh content=5>"));
}

TEST(texts_of_others_are_shown_and_not_obeyed)
{
	struct binding bindings[] = {bound("\"><script>1", SOCKET_TCP, "192.0.2.1"),
				     bound("echo", SOCKET_UNIX, "/run/<i>&\"'")};

	show("[listener echo]\naddress = unix:/x\ngreeting = <script>alert('1')</script>&\n",
	     bindings, ARRAY_SIZE(bindings), "<b>host");
	ck_assert(!shows("<script"));
	ck_assert(!shows("<b>host"));
	ck_assert(!shows("<i>"));
	ck_assert(shows("/run/&#60;i&#62;&#38;&#34;&#39;"));
	ck_assert(shows("&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#38;"));
	expect_well_nested();
}

TEST(a_socket_of_an_unknown_name_has_the_settings_of_defaults)
{
	struct binding binding = bound("unknown", SOCKET_TCP, "192.0.2.1");

	show("[defaults]\nidle_timeout = 77s\n[listener echo]\naddress = *:7\nidle_timeout = 1s\n",
	     &binding, 1, "host");
	ck_assert(shows("<h3>unknown</h3>"));
	ck_assert(shows("<dt>idle_timeout</dt><dd>77s</dd>"));
}

TEST(a_long_list_is_counted_and_not_shown)
{
	struct binding binding = bound("echo", SOCKET_TCP, "192.0.2.1");
	char text[8192] = "[listener echo]\naddress = *:7\n";

	for (unsigned i = 1; i <= 100; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "deny = 198.51.100.%u\n", i);
	show(text, &binding, 1, "host");
	ck_assert(shows("198.51.100.8 and 92 more</dd>"));
	ck_assert(!shows("198.51.100.9<"));
}

TEST(many_addresses_of_a_listener_are_counted_and_not_shown)
{
	struct binding bindings[40];

	for (size_t i = 0; i < ARRAY_SIZE(bindings); i++) {
		char where[16];

		(void)snprintf(where, sizeof(where), "192.0.2.%zu", i + 1);
		bindings[i] = bound("echo", SOCKET_TCP, where);
	}
	show("[listener echo]\naddress = *:7\n", bindings, ARRAY_SIZE(bindings), "host");
	ck_assert(shows("192.0.2.16:7</li><li>and 24 more</li></ul>"));
	expect_well_nested();
}

TEST(a_thousand_listeners_leave_the_page_whole)
{
	static struct binding bindings[1000];
	static char text[64000];
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bindings); i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%zu", i);
		bindings[i] = bound(name, SOCKET_TCP, "192.0.2.1");
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "[listener %s]\naddress = 192.0.2.1:%zu\n", name, i + 1);
	}
	show(text, bindings, ARRAY_SIZE(bindings), "host");
	ck_assert(shows("<p>Only the first "));
	ck_assert(shows("<h2>Counters</h2>"));
	expect_well_nested();
}

TEST(sockets_that_were_handed_over_are_called_so)
{
	show_plain();
	ck_assert(!shows("handed over"));
	handed = true;
	show_plain();
	ck_assert(shows("<h2>Served, on sockets that were handed over</h2>"));
}

TEST(a_page_of_nothing_served_shows_that)
{
	show("[listener echo]\naddress = *:7\n", NULL, 0, "host");
	ck_assert(shows("Nothing is served any more"));
}

/* A second is a sample; the connections go up by one each, the messages by 10 * the second. */
static void pass_seconds(unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		totals.connections = i;
		totals.counters[TCP_MESSAGES] += 8 * i;
		totals.counters[UDP_RECEIVED_DATAGRAMS] += 2 * i;
		history_add(&history, 1000 * (int64_t)i, &totals);
	}
}

TEST_CASE("lines");

TEST(before_the_second_sample_there_is_no_line)
{
	show_plain();
	ck_assert_uint_eq(count_of("<polyline"), 0);
	pass_seconds(1);
	show_plain();
	ck_assert_uint_eq(count_of("<polyline"), 0);
}

TEST(the_lines_are_drawn_from_what_happened)
{
	pass_seconds(3);
	show_plain();
	/* 0, 1, 2 connections below a top of 2; 10, 20 messages a second below one of 20. */
	ck_assert(shows("<polyline points=\"570,98.0 580,50.0 590,2.0 \"/>"));
	ck_assert(shows("<polyline points=\"580,50.0 590,2.0 \"/>"));
	ck_assert(shows("TCP connections, last minute: now 2, at most 2\""));
	ck_assert(shows("Messages a second, last minute: now 20, at most 20\""));
	expect_well_nested();
}

TEST(the_lines_show_the_last_minute_and_no_more)
{
	pass_seconds(500);
	show_plain();
	ck_assert(shows("<polyline points=\"0,"));
	ck_assert(!shows("<polyline points=\"-"));
	ck_assert(shows("now 499, at most 499\""));
	ck_assert(shows("now 4,990, at most 4,990\""));
}

TEST(rates_are_means_of_ten_seconds)
{
	for (int i = 0; i <= 20; i++) {
		totals.counters[TCP_ACCEPTED] = i > 15 ? 100 : 0;
		history_add(&history, 1000 * (int64_t)i, &totals);
	}
	show_plain();
	ck_assert(shows("<h2>Connections accepted</h2><p><b class=now>10</b> a second"));
}

TEST(a_rate_below_one_is_not_nothing)
{
	for (int i = 0; i <= 10; i++) {
		totals.counters[TCP_ACCEPTED] = i > 5 ? 3 : 0;
		history_add(&history, 1000 * (int64_t)i, &totals);
	}
	show_plain();
	ck_assert(shows("<h2>Connections accepted</h2><p><b class=now>0.3</b> a second"));
}

TEST(a_late_sample_is_no_burst)
{
	totals.counters[TCP_ACCEPTED] = 0;
	history_add(&history, 0, &totals);
	totals.counters[TCP_ACCEPTED] = 40;
	history_add(&history, 4000, &totals);
	show_plain();
	ck_assert(shows("<h2>Connections accepted</h2><p><b class=now>10</b> a second"));
}
