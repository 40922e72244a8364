/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Replies in pieces: whole however long, made only as fast as they are read, never at the expense
 * of others, and their stream ended exactly once.
 */

#include "config.h"

#include <limits.h>

#include "support/test.h"
#include "unit/faults.h"
#include "unit/http_client.h"

/* After that, whose clock it is. */
#include "unit/fake_clock.h"

#define STREAM "GET /stream HTTP/1.0\r\n\r\n"
#define ENDLESS UINT_MAX

/* Every client's stream, from its page on. */
struct stream {
	unsigned calls;
	unsigned done;
	unsigned left; /* pieces */
	bool misused;
};

static struct stream streams[64];
static size_t stream_count;

/* How those to come behave. */
static unsigned pieces;
static unsigned silence; /* calls before the first piece */
static size_t piece_size;
static const char *late_status;

static char letters[HTTP_BODY_MAX];

static enum http_stream_state write_piece(void *context, struct http_reply *reply)
{
	struct stream *stream = context;

	stream->misused |= stream->done > 0 || reply->body.length > 0;
	stream->calls++;
	if (stream->calls <= silence)
		return HTTP_STREAM_MORE;
	if (late_status)
		reply->status = late_status;
	memset(letters, 'a' + (int)(stream->calls % 26), piece_size);
	bounded_text_add(&reply->body, "%.*s", (int)piece_size, letters);
	return --stream->left > 0 ? HTTP_STREAM_MORE : HTTP_STREAM_END;
}

static void count_done(void *context)
{
	((struct stream *)context)->done++;
}

static void write_stream(void *arg UNUSED, const struct http_request *request,
			 struct http_reply *reply)
{
	struct stream *stream = &streams[stream_count++];

	ck_assert_uint_le(stream_count, ARRAY_SIZE(streams));
	*stream = (struct stream){.left = pieces};
	if (strcmp(request->query, "begun") == 0)
		bounded_text_add(&reply->body, "first ");
	reply->stream =
		(struct http_stream){.more = write_piece, .done = count_done, .context = stream};
}

static const struct http_path stream_paths[] = {{"/stream", write_stream}, {NULL, handle}};
static const struct http_site stream_site = {.paths = stream_paths};

static void set_up_streams(void)
{
	turn_flags = EVLOOP_ONCE | EVLOOP_NONBLOCK; /* a stream always has something to do */
	set_up();
	http_free(http);
	http = http_new(base, listener, false, &stream_site, &requests);
	ck_assert_ptr_nonnull(http);
	stream_count = 0;
	pieces = 3;
	silence = 0;
	piece_size = 10;
	late_status = NULL;
}

static unsigned all_calls(void)
{
	unsigned calls = 0;

	for (size_t i = 0; i < stream_count; i++)
		calls += streams[i].calls;
	return calls;
}

static void expect_all_done(void)
{
	for (size_t i = 0; i < stream_count; i++)
		ck_assert(streams[i].done == 1 && !streams[i].misused);
}

static unsigned all_done(void)
{
	unsigned done = 0;

	for (size_t i = 0; i < stream_count; i++)
		done += streams[i].done;
	return done;
}

static void expect_others_served(void)
{
	ask("GET /a HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "body of /a");
}

static int start_stream(int receive)
{
	size_t before = stream_count;
	int fd = client(receive);

	ck_assert_int_eq(send(fd, STREAM, strlen(STREAM), MSG_NOSIGNAL), strlen(STREAM));
	while (stream_count == before)
		turn();
	return fd;
}

/* Reads what there is; true at the end. */
static bool read_some(int fd, size_t *total)
{
	static char bytes[64 * 1024];
	ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

	ck_assert_msg(got >= 0 || errno == EAGAIN, "%s", strerror(errno));
	*total += got > 0 ? (size_t)got : 0;
	return got == 0;
}

TEST_CASE("http_stream", set_up_streams, tear_down);

TEST(pieces_arrive_in_order_and_end_with_the_connection)
{
	ask(STREAM);
	ck_assert(begins(answer, "HTTP/1.0 200 OK\r\n"));
	ck_assert_ptr_null(strstr(answer, "Content-Length"));
	ck_assert_str_eq(body(), "bbbbbbbbbbccccccccccdddddddddd");
	expect_all_done();
}

TEST(what_the_page_writes_comes_first)
{
	ask("GET /stream?begun HTTP/1.0\r\n\r\n");
	ck_assert_ptr_null(strstr(answer, "Content-Length"));
	ck_assert_str_eq(body(), "first bbbbbbbbbbccccccccccdddddddddd");
	expect_all_done();
}

TEST(a_reply_is_whole_however_long)
{
	size_t total = 0, headers;
	int fd;

	pieces = 1;
	late_status = HTTP_OK;
	ask(STREAM);
	headers = (size_t)(body() - answer) - strlen("Content-Length: 10\r\n");
	pieces = 40;
	piece_size = HTTP_BODY_MAX - 1;
	fd = start_stream(0);
	while (!read_some(fd, &total))
		turn();
	ck_assert_uint_eq(total, headers + pieces * piece_size);
	ck_assert_uint_eq(streams[1].calls, pieces);
	expect_all_done();
}

TEST(the_last_piece_may_be_empty)
{
	pieces = 1;
	piece_size = 0;
	ask("GET /stream?begun HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "first ");
	expect_all_done();
}

TEST(a_stream_of_one_piece_is_like_a_page)
{
	pieces = 1;
	silence = 5;
	late_status = HTTP_UNAVAILABLE;
	ask(STREAM);
	ck_assert(begins(answer, "HTTP/1.0 503 Service Unavailable\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 10\r\n"));
	ck_assert_str_eq(body(), "gggggggggg");
	piece_size = 0;
	ask(STREAM);
	ck_assert_ptr_nonnull(strstr(answer, "\r\nContent-Length: 24\r\n"));
	ck_assert_str_eq(body(), "503 Service Unavailable\n");
	expect_all_done();
}

TEST(it_is_sending_until_the_last_piece_is_sent)
{
	size_t total = 0;
	int fd;

	ck_assert(!http_is_sending(http));
	fd = client(0);
	turn();
	ck_assert(!http_is_sending(http)); /* it has not asked yet */
	close(fd);
	fd = start_stream(0);
	while (streams[0].left > 0) {
		ck_assert(http_is_sending(http));
		turn();
	}
	while (!read_some(fd, &total))
		turn();
	ck_assert(!http_is_sending(http));
}

TEST(head_makes_no_piece)
{
	char headers[1024];

	ask(STREAM);
	(void)snprintf(headers, sizeof(headers), "%.*s", (int)(body() - answer), answer);
	ck_assert_str_eq(ask("HEAD /stream HTTP/1.0\r\n\r\n"), headers);
	ck_assert_str_eq(ask("HEAD /stream?begun HTTP/1.0\r\n\r\n"), headers);
	ck_assert_uint_eq(stream_count, 3);
	ck_assert_uint_eq(all_calls(), 3); /* all of the first */
	expect_all_done();
}

TEST(no_piece_is_made_before_the_last_one_is_sent)
{
	size_t total = 0;
	unsigned calls;
	int fd;

	pieces = 100;
	piece_size = HTTP_BODY_MAX - 1;
	fd = start_stream(2048);
	do {
		calls = streams[0].calls;
		for (int i = 0; i < 100; i++)
			turn();
	} while (streams[0].calls > calls);
	ck_assert_uint_lt(calls, 100);
	while (streams[0].calls == calls) {
		ck_assert(!read_some(fd, &total));
		turn();
	}
	ck_assert_uint_eq(streams[0].done, 0);
	while (!read_some(fd, &total))
		turn();
	ck_assert_uint_gt(total, pieces * piece_size);
	expect_all_done();
}

TEST(whoever_has_nothing_yet_takes_turns_and_others_are_served)
{
	unsigned before;

	silence = ENDLESS;
	for (int i = 0; i < 3; i++)
		start_stream(0);
	for (int i = 0; i < 300; i++) {
		before = all_calls();
		turn();
		ck_assert_uint_le(all_calls(), before + 1);
	}
	ck_assert_uint_ge(all_calls(), 300);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_ge(streams[i].calls, 99);
	expect_others_served();
}

TEST(a_reader_that_vanishes_ends_its_stream_and_frees_its_place)
{
	pieces = ENDLESS;
	for (unsigned i = 0; i < 2 * HTTP_CLIENTS_MAX; i++) {
		int fd = start_stream(0);
		size_t total = 0;

		piece_size = i % 2 == 0 ? 1 : HTTP_BODY_MAX - 1;
		while (streams[i].calls == 0 || total == 0) {
			turn();
			ck_assert(!read_some(fd, &total));
		}
		close(fd);
		while (streams[i].done == 0)
			turn();
	}
	expect_others_served();
	expect_all_done();
}

TEST(the_end_of_the_server_ends_its_streams)
{
	pieces = ENDLESS;
	start_stream(0);
	silence = ENDLESS;
	start_stream(0);
	turn();
	http_free(http);
	http = NULL;
	ck_assert_uint_eq(stream_count, 2);
	expect_all_done();
}

TEST(streams_that_nobody_reads_keep_nobody_out)
{
	pieces = ENDLESS;
	piece_size = HTTP_BODY_MAX - 1;
	for (unsigned i = 0; i < HTTP_CLIENTS_MAX; i++)
		start_stream(2048);
	for (int i = 0; i < 1000; i++)
		turn();
	fake_ms += 1000;
	expect_others_served();
	ck_assert_uint_eq(all_done(), 1);
}

/* One that is read is none of those that are replaced. */
TEST(a_stream_that_moves_keeps_its_place)
{
	size_t total = 0;
	unsigned calls;
	int fd;

	pieces = ENDLESS;
	piece_size = HTTP_BODY_MAX - 1;
	fd = start_stream(2048);
	for (unsigned i = 1; i < HTTP_CLIENTS_MAX; i++)
		start_stream(2048);
	for (int i = 0; i < 1000; i++)
		turn();
	fake_ms += 999;
	calls = streams[0].calls;
	while (streams[0].calls == calls) {
		(void)read_some(fd, &total);
		turn();
	}
	fake_ms++;
	for (unsigned i = 0; i < HTTP_CLIENTS_MAX - 1; i++)
		client(0);
	while (all_done() < HTTP_CLIENTS_MAX - 1)
		turn();
	for (unsigned i = 0; i < HTTP_CLIENTS_MAX; i++)
		ck_assert_uint_eq(streams[i].done, i > 0);
}

TEST(a_stream_takes_at_most_30_seconds)
{
	pieces = ENDLESS;
	start_stream(0);
	for (int ms = 0; ms < 30000; ms += 100) {
		ck_assert_uint_eq(streams[0].done, 0);
		turn();
		fake_ms += 100;
	}
	turn();
	turn();
	expect_all_done();
}

TEST(without_memory_to_go_on_the_deadline_ends_it)
{
	silence = ENDLESS;
	start_stream(0);
	fault_next_times(2, MEMORY, ENOMEM); /* it tries again */
	(void)event_base_loop(base, turn_flags);
	ck_assert(fault_over());
	for (int i = 0; i < 100; i++)
		turn();
	ck_assert_uint_le(streams[0].calls, 2);
	fake_ms += 30000;
	turn();
	expect_all_done();
}
