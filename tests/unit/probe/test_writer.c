/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Every byte of every probe leaves once and in order, however little the socket takes at a time. */

#include "config.h"

#include "probe/writer.h"
#include "support/test.h"

#define PROBES 3
#define LARGEST 300000

static const size_t sizes[] = {64, 5000, 8191, 8192, 100000, LARGEST};

#define ROOM 6000

static unsigned char scratch[ROOM + LARGEST]; /* what is beyond ROOM is not to be touched */
static struct books books;
static struct flow flow;
static struct writer writer;
static int ends[2];

static void start(size_t size)
{
	const int small = 4096;

	probe_prepare();
	ck_assert_int_eq(flow_init(&flow, 77, size, 8, &books), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	writer_start(&writer, &flow);
	ck_assert(!writer_pending(&writer, &flow));
	for (unsigned i = 0; i < PROBES; i++)
		flow_send(&flow, i);
}

static void tear_down(void)
{
	close(ends[0]);
	close(ends[1]);
	flow_clear(&flow);
}

TEST_CASE("writer", NULL, tear_down);

TEST_EACH(a_socket_that_takes_little_gets_all_in_the_end, ARRAY_SIZE(sizes))
{
	static unsigned char got[LARGEST + 1], wanted[LARGEST];
	static const unsigned char untouched[LARGEST];
	size_t size = sizes[_i], have = 0;

	start(size);
	for (uint64_t sequence = 1; sequence <= PROBES; sequence++) {
		struct probe probe = flow_probe(&flow, sequence);

		while (have < size) {
			ssize_t length;

			writer_flush(&writer, &flow, ends[0], scratch, ROOM);
			length = read(ends[1], got + have, size - have);
			ck_assert_int_gt(length, 0);
			have += (size_t)length;
		}
		probe_write(&probe, 0, wanted, size);
		ck_assert_mem_eq(got, wanted, size);
		have = 0;
	}
	ck_assert(!writer_pending(&writer, &flow));
	ck_assert_int_eq(read(ends[1], got, 1), -1);
	ck_assert_mem_eq(scratch + ROOM, untouched, LARGEST);
}

/* Its reader finds out, after all that came before. */
TEST(a_connection_that_cannot_send_is_ended)
{
	start(64);
	ck_assert_int_eq(shutdown(ends[0], SHUT_WR), 0);
	writer_flush(&writer, &flow, ends[0], scratch, ROOM);
	ck_assert_int_eq(read(ends[0], scratch, 1), 0);
	ck_assert(writer_pending(&writer, &flow));
}

TEST(a_new_connection_begins_with_the_oldest_that_waits)
{
	start(64);
	flow_lose(&flow, 1);
	writer_start(&writer, &flow);
	ck_assert_uint_eq(writer.sequence, 2);
	writer_flush(&writer, &flow, ends[0], scratch, ROOM);
	ck_assert_int_eq(read(ends[1], scratch, sizeof(scratch)), 2 * 64);
}

TEST(a_socket_that_takes_much_gets_all_at_once)
{
	const int large = 200000;

	start(8192);
	ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large)), 0);
	writer_flush(&writer, &flow, ends[0], scratch, ROOM);
	ck_assert(!writer_pending(&writer, &flow));
}
