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
}

TEST(limit_and_uptime_are_shown)
{
	totals.connections_max = 19932;
	show_plain();
	ck_assert(shows("of at most 19,932"));
	ck_assert(shows("up for 1 d 1 h"));
}

TEST(every_counter_that_is_not_zero_is_shown)
{
	for (size_t i = 0; i < COUNTER_COUNT; i++)
		totals.counters[i] = 1000000 + i;
	show_plain();
	for (size_t i = 0; i < TCP_RECEIVED_BYTES; i++) {
		char cell[64];

		(void)snprintf(cell, sizeof(cell), "<td>1,000,0%02zu</td>", i);
		ck_assert_uint_eq(count_of(cell), 1);
	}
	ck_assert(shows("class=part>TCP</th><td>976.6 KiB</td>"));
}

TEST(a_family_is_one_row_and_its_parts_that_are_not_zero)
{
	totals.counters[UDP_DROPPED_RATE] = 1000;
	totals.counters[UDP_DROPPED_TTL] = 234;
	show_plain();
	ck_assert(
		shows("<tr><th scope=row>Datagrams received and not answered</th><td>1,234</td>"
		      "<td>0</td></tr>\n"
		      "<tr><th scope=row class=part>no hops left</th><td>234</td><td>0</td></tr>\n"
		      "<tr><th scope=row class=part>too many a second</th><td>1,000</td>"));
	ck_assert(!shows("too short"));
	ck_assert(shows("<tr class=none><th scope=row>TCP connections refused</th><td>0</td>"));
}

TEST(counters_stand_before_listeners_and_listeners_before_settings)
{
	show_plain();
	ck_assert(strstr(page, "<h2>Counters</h2>") < strstr(page, "<h2>Listeners</h2>"));
	ck_assert(strstr(page, "<h2>Listeners</h2>") < strstr(page, "<h2>Settings</h2>"));
}

TEST(only_what_differs_is_shown)
{
	show_plain();
	ck_assert(shows("<dt>idle_timeout =</dt><dd>90s</dd>"));
	ck_assert_uint_eq(count_of("<dt>"), 1);
	ck_assert(shows("All at their defaults."));
}

TEST(what_all_listeners_have_is_shown_once)
{
	struct binding bindings[] = {bound("a", SOCKET_TCP, "192.0.2.1"),
				     bound("b", SOCKET_TCP, "192.0.2.2")};

	show("[server]\nmax_clients = 300\n[defaults]\nidle_timeout = 77s\ndeny = 192.0.2.9\n"
	     "[listener a]\naddress = 192.0.2.1:7\n"
	     "[listener b]\naddress = 192.0.2.2:7\nidle_timeout = 1h\n",
	     bindings, ARRAY_SIZE(bindings), "host");
	ck_assert(shows("<h3>[server]</h3><dl><div><dt>max_clients =</dt><dd>300</dd></div></dl>"));
	ck_assert_uint_eq(count_of("<dd>77s</dd>"), 1);
	ck_assert_uint_eq(count_of("<dd>192.0.2.9</dd>"), 1);
	ck_assert(shows("<h3>b</h3><ul><li><b>tcp</b> 192.0.2.2:7</li></ul>"
			"<dl><div><dt>idle_timeout =</dt><dd>1h</dd></div></dl>"));
}

TEST(what_does_not_concern_a_listener_is_not_shown)
{
	struct binding binding = bound("local", SOCKET_UNIX, "/run/echo");

	show("[listener local]\naddress = unix:/run/echo\nudp_rate = 5\nidle_timeout = 5s\n",
	     &binding, 1, "host");
	ck_assert(shows("<dt>idle_timeout =</dt>"));
	ck_assert(!shows("udp_rate"));
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

TEST(it_is_made_for_phones_and_the_dark_and_does_not_reload_itself)
{
	show_plain();
	ck_assert(shows("<meta name=viewport content=\"width=device-width, initial-scale=1\">"));
	ck_assert(shows("@media(prefers-color-scheme:dark)"));
	ck_assert(!shows("http-equiv"));
	ck_assert(shows("<a href=\"\">Reload</a>"));
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
	ck_assert(shows("<h3>unknown</h3><ul><li><b>tcp</b> 192.0.2.1:7</li></ul></article>"));
	ck_assert(shows("<h3>[defaults]</h3><dl><div><dt>idle_timeout =</dt><dd>77s</dd>"));
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

static void show_many(size_t count)
{
	static struct binding bindings[3000];
	static char text[64000];
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%zu", i);
		for (size_t j = 0; j < 3; j++)
			bindings[3 * i + j] = bound(name, SOCKET_TCP, "192.0.2.1");
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "[listener %s]\naddress = 192.0.2.1:%zu\n", name, i + 1);
	}
	show(text, bindings, 3 * count, "host");
}

TEST(many_listeners_are_folded_away)
{
	show_many(8);
	ck_assert(shows("<details class=card open><summary>8 listeners</summary>"));
	show_many(9);
	ck_assert(shows("<details class=card><summary>9 listeners</summary>"));
	show_many(1);
	ck_assert(shows("<summary>1 listener</summary>"));
}

TEST(a_thousand_listeners_leave_the_page_whole)
{
	show_many(1000);
	ck_assert(shows("<summary>1000 listeners</summary>"));
	ck_assert(shows("<p>Only the first "));
	ck_assert(shows("<h2>Settings</h2>"));
	expect_well_nested();
}

TEST(sockets_that_were_handed_over_are_called_so)
{
	show_plain();
	ck_assert(!shows("handed over"));
	handed = true;
	show_plain();
	ck_assert(shows("<h2>Listeners, on sockets that were handed over</h2>"));
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
	/* 0, 1, 2 connections below a top of 2; 10, then 15 messages a second below one of 20. */
	ck_assert(shows(" points=\"570,98.0 580,50.0 590,2.0 \"/>"));
	ck_assert(shows(" points=\"580,50.0 590,26.0 \"/>"));
	ck_assert(shows("TCP connections, last minute: now 2, at most 2\""));
	ck_assert(shows("Messages a second, last minute: now 15, at most 15\""));
	expect_well_nested();
}

TEST(the_lines_show_the_last_minute_and_no_more)
{
	pass_seconds(500);
	show_plain();
	ck_assert_uint_eq(count_of("-scaling-stroke points=\"0,"), 2);
	ck_assert(!shows("points=\"-"));
	ck_assert(shows("now 499, at most 499\""));
	/* The mean of 4,900 to 4,990. */
	ck_assert(shows("now 4,945, at most 4,945\""));
}

TEST(rates_are_means_of_ten_seconds)
{
	for (int i = 0; i <= 20; i++) {
		totals.counters[TCP_ACCEPTED] = i > 15 ? 100 : 0;
		history_add(&history, 1000 * (int64_t)i, &totals);
	}
	show_plain();
	ck_assert(shows("<h2>Connections accepted</h2><p><b class=now>10/s</b>"));
}

TEST(a_rate_below_one_is_not_nothing)
{
	for (int i = 0; i <= 10; i++) {
		totals.counters[TCP_ACCEPTED] = i > 5 ? 3 : 0;
		history_add(&history, 1000 * (int64_t)i, &totals);
	}
	show_plain();
	ck_assert(shows("<h2>Connections accepted</h2><p><b class=now>0.3/s</b>"));
}

TEST(a_late_sample_is_no_burst)
{
	totals.counters[TCP_ACCEPTED] = 0;
	history_add(&history, 0, &totals);
	totals.counters[TCP_ACCEPTED] = 40;
	history_add(&history, 4000, &totals);
	show_plain();
	ck_assert(shows("<h2>Connections accepted</h2><p><b class=now>10/s</b>"));
}
