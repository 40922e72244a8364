/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What is served over HTTP when others are being served, and when there is no memory. */

#include "config.h"

#include "daemon/http/listen.h"
#include "echom/status/site.h"
#include "echom/watching/names.h"
#include "unit/faults.h"
#include "unit/moving_clock.h"
#include "unit/watches_scene.h"

#define STREAMS 4
#define PATIENCE_MS 50000
#define METRICS "GET /metrics HTTP/1.0\r\n\r\n"
#define PAGE "GET / HTTP/1.0\r\n\r\n"
#define BUSY "HTTP/1.0 503 "

static struct site *site;
static const struct site_probe probe; /* nobody asks for it */
static struct address bound;
static int listener;
static char answer[64 << 10]; /* the beginning of one */

static void set_up(void)
{
	struct reason reason;

	set_up_watches();
	ck_assert_int_eq(address_from_ip(&bound, "127.0.0.1", 0, &reason), 0);
	listener = http_listen(&bound, &bound, &reason);
	ck_assert_int_ge(listener, 0);
	site = site_new(base, listener, &bound, watches, &probe);
	ck_assert_ptr_nonnull(site);
}

static void tear_down(void)
{
	site_free(site);
	tear_down_watches();
	close(listener);
}

TEST_CASE("a site", set_up, tear_down);

/* A client that has asked, and has room for little. */
static int ask(const char *request)
{
	const int room = 4096;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	ck_assert_int_eq(connect(fd, &bound.sa, bound.length), 0);
	ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL),
			 (ssize_t)strlen(request));
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Turns the loop until something has come, or the end, or the time is over. Asserts nothing. */
static ssize_t receive_within(int fd, int64_t ms)
{
	int64_t give_up = clock_ms() + ms;
	ssize_t got;

	do {
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		got = recv(fd, answer, sizeof(answer) - 1, 0);
	} while (got < 0 && errno == EAGAIN && clock_ms() < give_up);
	answer[got > 0 ? got : 0] = '\0';
	return got;
}

static ssize_t receive_some(int fd)
{
	return receive_within(fd, PATIENCE_MS);
}

/* Without looking up a name: an answer takes memory and time. */
static void watch_nameless(size_t count)
{
	watch(many_targets(count));
	for (size_t i = 0; i < count; i++) {
		struct watch *one = watches->items[i];

		names_cancel(one->request);
		one->request = NULL;
		one->resolve_due = UINT64_MAX;
	}
}

static bool is_busy(void)
{
	return strncmp(answer, BUSY, strlen(BUSY)) == 0;
}

static void ask_and_hear(const char *request)
{
	int fd = ask(request);

	ck_assert_int_gt(receive_some(fd), 0);
	close(fd);
}

TEST(only_some_long_answers_are_written_at_a_time)
{
	int clients[STREAMS];

	watch(many_targets(3000));
	for (size_t i = 0; i < STREAMS; i++) {
		clients[i] = ask(METRICS);
		ck_assert_int_gt(receive_some(clients[i]), 0);
		ck_assert(!is_busy());
	}
	ask_and_hear(METRICS);
	ck_assert(is_busy());
	ask_and_hear(PAGE);
	ck_assert(is_busy());
	ck_assert_ptr_nonnull(strstr(answer, "Others are being answered"));
	ask_and_hear("GET /healthz HTTP/1.0\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nok\n"));
	close(clients[0]);
	do
		ask_and_hear(PAGE);
	while (is_busy());
	ck_assert_ptr_nonnull(strstr(answer, "text/html"));
	for (size_t i = 1; i < STREAMS; i++)
		close(clients[i]);
}

static const char *const requests[] = {METRICS, PAGE};

/* Some of the memory is that of the client, who is then closed, at once or in time. */
TEST_EACH(an_answer_without_memory_says_so, ARRAY_SIZE(requests))
{
	unsigned refused = 0;
	bool failed = true;

	watch_nameless(10);
	fault_spare_timers();
	for (unsigned skip = 0; failed; skip++) {
		int fd = ask(requests[_i]);

		fault_after(skip, MEMORY, ENOMEM);
		(void)receive_within(fd, 300);
		failed = fault_over();
		refused += failed && is_busy();
		close(fd);
	}
	ck_assert_uint_ge(refused, 3);
	ask_and_hear(requests[_i]);
	ck_assert_ptr_nonnull(strstr(answer, " 200 OK"));
}

TEST_EACH(memory_that_is_short_at_a_reload_is_no_empty_success, ARRAY_SIZE(requests))
{
	bool failed;
	int fd;

	watch_nameless(500);
	fd = ask(requests[_i]);
	clock_step_ms = 5;
	for (unsigned turn = 0; turn < 10; turn++)
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	ck_assert_int_lt(recv(fd, answer, sizeof(answer), 0), 0);
	clock_step_ms = 0;
	watch_nameless(501);
	fault_spare_timers();
	fault_next(MEMORY, ENOMEM);
	(void)receive_within(fd, 3000);
	failed = fault_over();
	ck_assert(failed);
	ck_assert_msg(is_busy(), "%.20s", answer);
	close(fd);
}

TEST(without_memory_there_is_none)
{
	struct site *another = NULL;
	unsigned skip = 0;

	for (; !another; skip++) {
		long blocks;

		fault_after(skip, MEMORY, ENOMEM);
		another = site_new(base, listener, &bound, watches, &probe);
		(void)fault_over();
		blocks = fault_blocks();
		ck_assert(another != NULL || blocks == 0);
	}
	ck_assert_uint_ge(skip, 3);
	site_free(another);
	site_free(NULL);
}
