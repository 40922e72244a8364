/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The web server for metrics: what it answers, and when; numbers as people read them on the status
 * page.
 */

#include "config.h"

#include "daemon/http/html.h"
#include "support/test.h"
#include "unit/http_client.h"

TEST_CASE("http", set_up, tear_down);

TEST(get_is_answered_with_what_the_handler_wrote)
{
	ask("GET /a HTTP/1.0\r\n\r\n");
	ck_assert_msg(begins(answer, "HTTP/1.0 200 OK\r\n"), "%s", answer);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 10\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
	ck_assert_str_eq(body(), "body of /a");
}

TEST(head_is_answered_with_the_same_headers_and_no_body)
{
	char headers[4096];

	ask("GET /a HTTP/1.0\r\n\r\n");
	(void)snprintf(headers, sizeof(headers), "%.*s", (int)(body() - answer), answer);
	ck_assert_str_eq(ask("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n"), headers);
}

static const char *const requests_of[][3] = {
	{"GET /a?b=/c#d HTTP/1.1\r\n\r\n", "/a", "b=/c"}, /* the query is not part of the path */
	{"GET /a?b?c HTTP/1.1\r\n\r\n", "/a", "b?c"},
	{"GET /a#b?c HTTP/1.1\r\n\r\n", "/a", ""},
	{"GET /a? HTTP/1.1\r\n\r\n", "/a", ""},
	{"GET /a HTTP/1.0\nHost: x\n\n", "/a", ""}, /* bare newlines end a request as well */
	{"\r\nGET /a HTTP/1.0\r\n\r\n", "/a", ""},  /* an empty line may come first */
	{"\nGET /a HTTP/1.0\n\n", "/a", ""},
	{"GET http://x:9107/a?b HTTP/1.1\r\nHost: y\r\n\r\n", "/a", "b"},
	{"GET HTTP://x/ HTTP/1.0\r\n\r\n", "/", ""},
	{"GET http://x?a/b HTTP/1.0\r\n\r\n", "/", "a/b"},
};

TEST_EACH(all_forms_of_a_request_are_answered, ARRAY_SIZE(requests_of))
{
	ask(requests_of[_i][0]);
	ck_assert_str_eq(asked, requests_of[_i][1]);
	ck_assert_str_eq(query, requests_of[_i][2]);
	ck_assert_ptr_eq(strstr(body(), "body of "), body());
	ck_assert_str_eq(body() + strlen("body of "), requests_of[_i][1]);
	ask("\r\nHEAD /a HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "");
}

static const char *const own_hosts[] = {
	"GET /a HTTP/1.0\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost:\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /a HTTP/1.1\r\nhost:\tLocalHost:9107 \r\n\r\n",
	"GET /a HTTP/1.1\nX: evil\nHOST:127.0.0.1:1\n\n",
	"GET /a HTTP/1.1\r\nHost: 127.9.8.7:\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: [::1]\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: [0:0::1]:80\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: [::ffff:127.0.0.1]:80\r\n\r\n",
	"GET http://localhost:80/a HTTP/1.1\r\nHost: evil\r\n\r\n",
};

static void set_up_on_guard(void)
{
	guarded = true;
	set_up();
}

TEST_CASE("hosts", set_up_on_guard, tear_down);

TEST_EACH(a_loopback_address_asked_for_itself_serves, ARRAY_SIZE(own_hosts))
{
	ask(own_hosts[_i]);
	ck_assert_msg(begins(answer, "HTTP/1.0 200 OK\r\n"), "%s", answer);
}

static const char *const other_hosts[] = {
	"GET /a HTTP/1.1\r\nHost: evil.example\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: evil.example:9107\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: localhost:80@evil\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: 128.0.0.1\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: 127.0.0\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: [::2]:80\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: [::1]evil\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: [::1\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: [localhost]\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: ::1\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
	"GET http://evil.example/a HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET http://evil.example HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /a HTTP/1.1\r\nHost: a-name-that-is-longer-than-any-address-can-be.x\r\n\r\n",
};

TEST_EACH(a_loopback_address_asked_for_another_host_refuses, ARRAY_SIZE(other_hosts))
{
	ask(other_hosts[_i]);
	ck_assert_msg(begins(answer, "HTTP/1.0 403 Forbidden\r\n"), "%s", answer);
	ck_assert_ptr_nonnull(strstr(body(), "ask for localhost"));
	ck_assert_str_eq(asked, "");
}

TEST_CASE("http", set_up, tear_down);

TEST_EACH(elsewhere_every_host_will_do, ARRAY_SIZE(other_hosts))
{
	ask(other_hosts[_i]);
	ck_assert_msg(begins(answer, "HTTP/1.0 200 OK\r\n"), "%s", answer);
}

TEST(a_request_may_come_byte_by_byte)
{
	static const char request[] = "GET /a HTTP/1.0\r\nHost: x\r\n\r\n";
	int fd = client(0);

	for (size_t i = 0; i < strlen(request); i++)
		say(fd, (char[]){request[i], '\0'});
	hear(fd);
	ck_assert_str_eq(body(), "body of /a");
}

TEST(the_handler_chooses_the_status)
{
	ck_assert(begins(ask("GET /none HTTP/1.0\r\n\r\n"), "HTTP/1.0 404 Not Found\r\n"));
	ck_assert_str_eq(body(), "404 Not Found\n");
	ck_assert(begins(ask("GET /ill HTTP/1.0\r\n\r\n"), "HTTP/1.0 503 Service Unavailable\r\n"));
}

TEST(an_answer_waits_until_it_may_be_given)
{
	int fd;

	hold = true;
	fd = client(0);
	say(fd, "GET /a HTTP/1.0\r\n\r\n");
	turn_for(50);
	ck_assert_uint_eq(requests, 1);
	ck_assert_str_eq(asked, "");
	http_answer(http);
	hear(fd);
	ck_assert_str_eq(body(), "body of /a");
}

static const char *const bad_requests[] = {
	"\r\n\r\n",
	"GET\r\n\r\n",
	"GET /a\r\n\r\n",
	"GET  /a HTTP/1.0\r\n\r\n",
	"GET /a b HTTP/1.0\r\n\r\n",
	"GET a HTTP/1.0\r\n\r\n",
	"GET http:/a HTTP/1.0\r\n\r\n",
	"GET ftp://x/a HTTP/1.0\r\n\r\n",
	"\n\nGET /a HTTP/1.0\r\n\r\n",
	"GET /a HTTP/2.0\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
};

TEST_EACH(what_is_no_request_is_refused, ARRAY_SIZE(bad_requests))
{
	ask(bad_requests[_i]);
	ck_assert_msg(begins(answer, "HTTP/1.0 400 Bad Request\r\n"), "%s", answer);
	ck_assert_str_eq(asked, "");
}

TEST(other_methods_are_refused_and_their_body_does_not_eat_the_answer)
{
	char request[20000];
	int length = snprintf(request, sizeof(request), "POST /a HTTP/1.0\r\n\r\n");

	memset(request + length, 'x', sizeof(request) - (size_t)length - 1);
	request[sizeof(request) - 1] = '\0';
	ask(request);
	ck_assert(begins(answer, "HTTP/1.0 405 Method Not Allowed\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nAllow: GET, HEAD\r\n"));
	ck_assert_str_eq(asked, "");
}

/* A reset would throw away what the client has not read of its answer. */
TEST(a_client_that_still_sends_is_not_reset)
{
	char more[2048];
	int fd = client(0);

	memset(more, 'x', sizeof(more));
	more[sizeof(more) - 1] = '\0';
	say(fd, "POST /a HTTP/1.0\r\n\r\n");
	for (int i = 0; i < 10; i++) {
		turn_for(5);
		say(fd, more);
	}
	hear(fd);
	ck_assert(begins(answer, "HTTP/1.0 405 Method Not Allowed\r\n"));
}

TEST(a_request_above_4_kib_is_refused)
{
	char request[5000] = "GET /a HTTP/1.0\r\nX: ";

	memset(request + strlen(request), 'x', sizeof(request) - strlen(request) - 1);
	ask(request);
	ck_assert(begins(answer, "HTTP/1.0 431 "));
	ck_assert_str_eq(asked, "");
}

static char page[64];

static const struct {
	double bytes;
	const char *text;
} sizes[] = {{0, "0 B"},
	     {1023, "1023 B"},
	     {1024, "1.0 KiB"},
	     {1536, "1.5 KiB"},
	     {1048575, "1.0 MiB"},
	     {3.5 * 1048576, "3.5 MiB"},
	     {18446744073709551615.0, "16.0 EiB"}};

TEST_CASE("html");

TEST_EACH(bytes_are_shown_in_the_largest_unit, ARRAY_SIZE(sizes))
{
	struct bounded_text out;

	bounded_text_begin(&out, page, sizeof(page));
	html_bytes(&out, sizes[_i].bytes);
	ck_assert_str_eq(page, sizes[_i].text);
}

static const struct {
	int64_t seconds;
	const char *text;
} durations[] = {{0, "0 s"},	    {59, "59 s"},	{60, "1 min"},
		 {61, "1 min 1 s"}, {3600, "1 h"},	{7384, "2 h 3 min"},
		 {86400, "1 d"},    {93600, "1 d 2 h"}, {86400 * 400, "400 d"}};

TEST_EACH(durations_are_shown_in_two_units, ARRAY_SIZE(durations))
{
	struct bounded_text out;

	bounded_text_begin(&out, page, sizeof(page));
	html_duration(&out, durations[_i].seconds);
	ck_assert_str_eq(page, durations[_i].text);
}
