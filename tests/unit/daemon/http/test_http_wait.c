/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Replies that wait: for as long as their site allows, at no expense of other clients, and for
 * nobody once their client has gone.
 */

#include "config.h"

#include "base/address.h"
#include "support/test.h"
#include "unit/http_client.h"

/* After that, whose clock it is. */
#include "unit/fake_clock.h"

#define WAITING_MAX 3
#define WAIT_S 60
#define REQUEST "GET /wait HTTP/1.0\r\n\r\n"

struct wait {
	unsigned calls;
	unsigned done;
	bool over;
};

static struct wait waits[64];
static size_t wait_count;
static struct address peer;

static enum http_stream_state write_later(void *context, struct http_reply *reply)
{
	struct wait *wait = context;

	ck_assert(wait->done == 0 && reply->body.length == 0);
	wait->calls++;
	if (!wait->over)
		return HTTP_STREAM_WAIT;
	reply->status = HTTP_FORBIDDEN;
	bounded_text_add(&reply->body, "after %u calls", wait->calls);
	return HTTP_STREAM_END;
}

static void count_done(void *context)
{
	((struct wait *)context)->done++;
}

static void begin_wait(void *arg UNUSED, const struct http_request *request,
		       struct http_reply *reply)
{
	ck_assert_uint_lt(wait_count, ARRAY_SIZE(waits));
	peer = *request->peer;
	reply->stream = (struct http_stream){.more = write_later,
					     .done = count_done,
					     .context = &waits[wait_count++],
					     .wait_s = WAIT_S};
}

static const struct http_path wait_paths[] = {{"/wait", begin_wait}, {NULL, handle}};
static const struct http_site wait_site = {.paths = wait_paths, .waiting_max = WAITING_MAX};

static void set_up_waits(void)
{
	turn_flags = EVLOOP_ONCE | EVLOOP_NONBLOCK;
	set_up();
	http_free(http);
	http = http_new(base, listener, false, &wait_site, &requests);
	ck_assert_ptr_nonnull(http);
}

TEST_CASE("http_wait", set_up_waits, tear_down);

static void turn_often(void)
{
	for (int i = 0; i < 100; i++)
		turn();
}

static int start_wait(const char *request)
{
	size_t before = wait_count;
	int fd = client(0);

	ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL),
			 (ssize_t)strlen(request));
	while (wait_count == before)
		turn();
	turn_often();
	ck_assert_uint_eq(waits[before].calls, 1);
	return fd;
}

static void resume(size_t which)
{
	waits[which].over = true;
	http_resume(http, &waits[which]);
}

static void pass(int64_t ms)
{
	int64_t end = fake_ms + ms;

	for (; fake_ms < end; fake_ms += 100)
		turn();
	turn();
}

static void expect_served(void)
{
	ask("GET /a HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "body of /a");
}

TEST(a_reply_waits_until_it_is_resumed)
{
	int fd = start_wait(REQUEST);

	http_resume(http, &waits[0]);
	turn_often();
	ck_assert_uint_eq(waits[0].calls, 2);
	resume(0);
	hear(fd);
	ck_assert(begins(answer, "HTTP/1.0 403 Forbidden\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "Content-Length: 13\r\n"));
	ck_assert_str_eq(body(), "after 3 calls");
	ck_assert_uint_eq(waits[0].done, 1);
}

TEST(the_one_that_is_resumed_goes_on_and_no_other)
{
	int fds[WAITING_MAX];

	for (size_t i = 0; i < WAITING_MAX; i++)
		fds[i] = start_wait(REQUEST);
	http_resume(http, &waits[7]);
	resume(1);
	hear(fds[1]);
	ck_assert_str_eq(body(), "after 2 calls");
	turn_often();
	ck_assert_uint_eq(waits[0].calls, 1);
	ck_assert_uint_eq(waits[2].calls, 1);
}

TEST(the_client_is_named_to_the_page)
{
	struct sockaddr_in own;
	socklen_t length = sizeof(own);
	int fd = start_wait(REQUEST);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	ck_assert_uint_eq(peer.length, length);
	ck_assert_mem_eq(&peer.in4, &own, sizeof(own));
}

TEST(a_reply_may_wait_for_as_long_as_it_says)
{
	int fd = start_wait(REQUEST);

	pass(WAIT_S * 1000);
	resume(0);
	hear(fd);
	ck_assert_str_eq(body(), "after 2 calls");
}

TEST(no_reply_waits_for_ever)
{
	int fd = start_wait(REQUEST);

	pass((WAIT_S + 30) * 1000 - 100);
	ck_assert_uint_eq(waits[0].done, 0);
	pass(200);
	ck_assert_uint_eq(waits[0].done, 1);
	ck_assert(ended(fd));
}

TEST(a_client_that_goes_is_noticed_at_once)
{
	close(start_wait(REQUEST));
	turn_often();
	ck_assert_uint_eq(waits[0].done, 1);
	http_resume(http, &waits[0]);
	turn_often();
	ck_assert_uint_eq(waits[0].calls, 1);
	expect_served();
}

TEST(what_a_client_says_meanwhile_is_not_heard)
{
	int fd = start_wait(REQUEST REQUEST);

	say(fd, REQUEST);
	turn_often();
	ck_assert_uint_eq(wait_count, 1);
	resume(0);
	hear(fd);
	ck_assert_str_eq(body(), "after 2 calls");
	ck_assert_uint_eq(wait_count, 1);
}

TEST(a_client_that_will_not_stop_talking_is_cut_off)
{
	static const char flood[4096];
	int fd = start_wait(REQUEST);

	for (size_t sent = 0; waits[0].done == 0; turn()) {
		ssize_t size = send(fd, flood, sizeof(flood), MSG_NOSIGNAL);

		sent += size > 0 ? (size_t)size : 0;
		ck_assert_uint_lt(sent, 8 << 20); /* what sockets hold, and then some */
	}
	ck_assert_uint_eq(waits[0].calls, 1);
	close(fd);
	expect_served();
}

TEST(head_does_not_wait)
{
	ask("HEAD /wait HTTP/1.0\r\n\r\n");
	ck_assert(begins(answer, "HTTP/1.0 200 OK\r\n"));
	ck_assert_uint_eq(waits[0].calls, 0);
	ck_assert_uint_eq(waits[0].done, 1);
}

/* As many others are served as if nobody waited, and none of them replaces one who does. */
TEST(those_who_wait_keep_nobody_out_and_lose_nothing)
{
	int waiting[WAITING_MAX], silent[HTTP_CLIENTS_MAX];

	for (size_t i = 0; i < WAITING_MAX; i++)
		waiting[i] = start_wait(REQUEST);
	fake_ms += 20000;
	for (size_t i = 0; i < HTTP_CLIENTS_MAX; i++)
		silent[i] = client(0);
	turn_often();
	for (size_t i = 0; i < HTTP_CLIENTS_MAX; i++)
		ck_assert(!ended(silent[i]));
	(void)client(0);
	turn_often();
	ck_assert(!ended(silent[0])); /* too young to be replaced */
	fake_ms += 100;
	expect_served();
	for (size_t i = 0; i < WAITING_MAX; i++) {
		ck_assert_uint_eq(waits[i].done, 0);
		resume(i);
		hear(waiting[i]);
		ck_assert_str_eq(body(), "after 2 calls");
	}
}

TEST(the_end_of_the_server_ends_who_waits)
{
	int fd = start_wait(REQUEST);

	http_free(http);
	http = NULL;
	ck_assert_uint_eq(waits[0].done, 1);
	ck_assert(ended(fd));
}
