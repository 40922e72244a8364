/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The web server for metrics: what it answers, and when. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "unit/http_client.h"
#include "unit/unit.h"

START_TEST(get_is_answered_with_what_the_handler_wrote)
{
	ask("GET /a HTTP/1.0\r\n\r\n");
	ck_assert_msg(begins(answer, "HTTP/1.0 200 OK\r\n"), "%s", answer);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 10\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
	ck_assert_str_eq(body(), "body of /a");
}
END_TEST

START_TEST(head_is_answered_with_the_same_headers_and_no_body)
{
	char headers[4096];

	ask("GET /a HTTP/1.0\r\n\r\n");
	(void)snprintf(headers, sizeof(headers), "%.*s", (int)(body() - answer), answer);
	ck_assert_str_eq(ask("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n"), headers);
}
END_TEST

START_TEST(the_query_is_not_part_of_the_path)
{
	ask("GET /a?b=/c#d HTTP/1.1\r\n\r\n");
	ck_assert_str_eq(asked, "/a");
}
END_TEST

START_TEST(bare_newlines_end_a_request_as_well)
{
	ask("GET /a HTTP/1.0\nHost: x\n\n");
	ck_assert_str_eq(body(), "body of /a");
}
END_TEST

static const char *const begun_late[] = {
	"\r\nGET /a HTTP/1.0\r\n\r\n",
	"\nGET /a HTTP/1.0\n\n",
};

START_TEST(an_empty_line_may_come_first)
{
	ask(begun_late[_i]);
	ck_assert_str_eq(body(), "body of /a");
	ask("\r\nHEAD /a HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "");
}
END_TEST

START_TEST(the_target_may_be_absolute)
{
	ask("GET http://x:9107/a?b HTTP/1.1\r\nHost: y\r\n\r\n");
	ck_assert_str_eq(body(), "body of /a");
	ask("GET HTTP://x/ HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "body of /");
	ask("GET http://x?a/b HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "body of /");
}
END_TEST

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

START_TEST(who_asks_a_loopback_address_for_it_is_served)
{
	ask(own_hosts[_i]);
	ck_assert_msg(begins(answer, "HTTP/1.0 200 OK\r\n"), "%s", answer);
}
END_TEST

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

START_TEST(who_asks_a_loopback_address_for_another_host_is_refused)
{
	ask(other_hosts[_i]);
	ck_assert_msg(begins(answer, "HTTP/1.0 403 Forbidden\r\n"), "%s", answer);
	ck_assert_ptr_nonnull(strstr(body(), "ask for localhost"));
	ck_assert_str_eq(asked, "");
}
END_TEST

START_TEST(elsewhere_every_host_will_do)
{
	ask(other_hosts[_i]);
	ck_assert_msg(begins(answer, "HTTP/1.0 200 OK\r\n"), "%s", answer);
}
END_TEST

static void set_up_on_guard(void)
{
	guarded = true;
	set_up();
}

START_TEST(a_request_may_come_byte_by_byte)
{
	static const char request[] = "GET /a HTTP/1.0\r\nHost: x\r\n\r\n";
	int fd = client(0);

	for (size_t i = 0; i < strlen(request); i++)
		say(fd, (char[]){request[i], '\0'});
	hear(fd);
	ck_assert_str_eq(body(), "body of /a");
}
END_TEST

START_TEST(the_handler_chooses_the_status)
{
	ck_assert(begins(ask("GET /none HTTP/1.0\r\n\r\n"), "HTTP/1.0 404 Not Found\r\n"));
	ck_assert_str_eq(body(), "404 Not Found\n");
	ck_assert(begins(ask("GET /ill HTTP/1.0\r\n\r\n"), "HTTP/1.0 503 Service Unavailable\r\n"));
}
END_TEST

START_TEST(an_answer_waits_until_it_may_be_given)
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
END_TEST

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

START_TEST(what_is_no_request_is_refused)
{
	ask(bad_requests[_i]);
	ck_assert_msg(begins(answer, "HTTP/1.0 400 Bad Request\r\n"), "%s", answer);
	ck_assert_str_eq(asked, "");
}
END_TEST

START_TEST(other_methods_are_refused_and_their_body_does_not_eat_the_answer)
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
END_TEST

/* A reset would throw away what the client has not read of its answer. */
START_TEST(who_still_sends_is_not_reset)
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
END_TEST

START_TEST(a_request_above_4_kib_is_refused)
{
	char request[5000] = "GET /a HTTP/1.0\r\nX: ";

	memset(request + strlen(request), 'x', sizeof(request) - strlen(request) - 1);
	ask(request);
	ck_assert(begins(answer, "HTTP/1.0 431 "));
	ck_assert_str_eq(asked, "");
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("http");
	TCase *tcase = tcase_create("http");

	tcase_set_timeout(tcase, 20);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, get_is_answered_with_what_the_handler_wrote);
	tcase_add_test(tcase, head_is_answered_with_the_same_headers_and_no_body);
	tcase_add_test(tcase, the_query_is_not_part_of_the_path);
	tcase_add_test(tcase, bare_newlines_end_a_request_as_well);
	tcase_add_loop_test(tcase, an_empty_line_may_come_first, 0, (int)ARRAY_SIZE(begun_late));
	tcase_add_test(tcase, the_target_may_be_absolute);
	tcase_add_loop_test(tcase, elsewhere_every_host_will_do, 0, (int)ARRAY_SIZE(other_hosts));
	tcase_add_test(tcase, a_request_may_come_byte_by_byte);
	tcase_add_test(tcase, the_handler_chooses_the_status);
	tcase_add_test(tcase, an_answer_waits_until_it_may_be_given);
	tcase_add_loop_test(tcase, what_is_no_request_is_refused, 0, (int)ARRAY_SIZE(bad_requests));
	tcase_add_test(tcase, other_methods_are_refused_and_their_body_does_not_eat_the_answer);
	tcase_add_test(tcase, who_still_sends_is_not_reset);
	tcase_add_test(tcase, a_request_above_4_kib_is_refused);
	suite_add_tcase(suite, tcase);

	tcase = tcase_create("hosts");
	tcase_set_timeout(tcase, 20);
	tcase_add_checked_fixture(tcase, set_up_on_guard, tear_down);
	tcase_add_loop_test(tcase, who_asks_a_loopback_address_for_it_is_served, 0,
			    (int)ARRAY_SIZE(own_hosts));
	tcase_add_loop_test(tcase, who_asks_a_loopback_address_for_another_host_is_refused, 0,
			    (int)ARRAY_SIZE(other_hosts));
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(suite)
