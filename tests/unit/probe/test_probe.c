/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The encoding of probes: every byte is checked, and depends on its position and on the sequence.
 * The fixed schedule: no drift, no message twice, none left out, whatever the rate and the hour.
 * Drops of our own socket: exactly what was sent to it and could not be read from it.
 */

#include "config.h"

#include <poll.h>

#include "base/clock.h"
#include "probe/probe.h"
#include "probe/receive.h"
#include "probe/schedule.h"
#include "probe/socket_drops.h"
#include "support/test.h"

#define MIB (1u << 20)

static const struct probe sample = {
	.run = 0x1122334455667788, .sequence = 41, .time = 0x0102030405060708};

static unsigned char *written(const struct probe *probe, size_t size)
{
	unsigned char *bytes = malloc(size);

	ck_assert_ptr_nonnull(bytes);
	probe_write(probe, 0, bytes, size);
	return bytes;
}

TEST_CASE("probe", probe_prepare);

TEST(a_header_reads_back)
{
	unsigned char header[PROBE_HEADER_SIZE];
	struct probe read;

	probe_header(&sample, header);
	ck_assert(probe_read(header, &read));
	ck_assert_mem_eq(&read, &sample, sizeof(read));
	ck_assert_uint_eq(probe_sequence(header), sample.sequence);
	header[0] ^= 1;
	ck_assert(!probe_read(header, &read));
}

/* A pattern that is not random any more would still agree with itself. */
TEST(the_bytes_are_those_of_a_second_implementation)
{
	static const unsigned char header[PROBE_HEADER_SIZE] =
		"\xec\x0c"
		"echoc1\x88\x77\x66\x55\x44\x33\x22\x11"
		")\0\0\0\0\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01";
	unsigned char *bytes = written(&sample, MIB);
	uint64_t fnv1a = 0xcbf29ce484222325;

	ck_assert_mem_eq(bytes, header, sizeof(header));
	for (size_t i = 0; i < MIB; i++)
		fnv1a = (fnv1a ^ bytes[i]) * 0x100000001b3;
	ck_assert_uint_eq(fnv1a, 0x36af29436972f037);
	free(bytes);
}

TEST(every_flipped_bit_is_found_where_it_is)
{
	const size_t size = 200;
	unsigned char *bytes = written(&sample, size);

	ck_assert_uint_eq(probe_match(&sample, 0, bytes, size), size);
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_uint_eq(probe_match(&sample, 0, bytes, size), bit / 8);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	free(bytes);
}

TEST(a_large_probe_is_checked_to_its_last_byte)
{
	unsigned char *bytes = written(&sample, MIB);
	const size_t places[] = {0, 31, 32, 32767, 32768, 32800, 500001, MIB - 1};

	ck_assert_uint_eq(probe_match(&sample, 0, bytes, MIB), MIB);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		bytes[places[i]] ^= 0x40;
		ck_assert_uint_eq(probe_match(&sample, 0, bytes, MIB), places[i]);
		bytes[places[i]] ^= 0x40;
	}
	free(bytes);
}

TEST(any_part_is_written_and_checked_like_the_whole)
{
	const size_t size = 100000;
	unsigned char *bytes = written(&sample, size);
	unsigned char part[5000];

	for (size_t offset = 0; offset + sizeof(part) < size; offset += offset < 50 ? 1 : 777) {
		size_t length = 31 * offset % sizeof(part) + 1;

		probe_write(&sample, offset, part, length);
		ck_assert_mem_eq(part, bytes + offset, length);
		ck_assert_uint_eq(probe_match(&sample, offset, bytes + offset, length), length);
		ck_assert_uint_eq(probe_byte(&sample, offset), bytes[offset]);
	}
	free(bytes);
}

TEST(pieces_are_the_same_bytes_without_a_copy)
{
	unsigned char header[PROBE_HEADER_SIZE];
	unsigned char *bytes = written(&sample, MIB);
	struct iovec pieces[40];

	for (size_t offset = 0; offset < MIB; offset += 99991) {
		int count = probe_pieces(&sample, offset, MIB - offset, header, pieces, 40);
		size_t at = offset;

		for (int i = 0; i < count; i++) {
			ck_assert_mem_eq(pieces[i].iov_base, bytes + at, pieces[i].iov_len);
			at += pieces[i].iov_len;
		}
		ck_assert_uint_eq(at, MIB);
	}
	free(bytes);
}

TEST(neighbouring_sequences_differ_in_their_pattern)
{
	unsigned char first[64], second[64];

	for (uint64_t sequence = 1; sequence < 5000; sequence++) {
		struct probe a = {sample.run, sequence, sample.time};
		struct probe b = {sample.run, sequence + 1, sample.time};

		probe_write(&a, PROBE_HEADER_SIZE, first, sizeof(first));
		probe_write(&b, PROBE_HEADER_SIZE, second, sizeof(second));
		ck_assert_mem_ne(first, second, sizeof(first));
	}
}

TEST(blocks_that_changed_places_are_found)
{
	unsigned char *bytes = written(&sample, 8 * PROBE_BLOCK);
	unsigned char *block = malloc(PROBE_BLOCK);
	size_t third = PROBE_HEADER_SIZE + 2 * (size_t)PROBE_BLOCK;

	ck_assert_ptr_nonnull(block);
	memcpy(block, bytes + third, PROBE_BLOCK);
	memmove(bytes + third, bytes + third + PROBE_BLOCK, PROBE_BLOCK);
	memcpy(bytes + third + PROBE_BLOCK, block, PROBE_BLOCK);
	ck_assert_uint_lt(probe_match(&sample, 0, bytes, 8 * PROBE_BLOCK), third + 8);
	free(block);
	free(bytes);
}

static struct schedule of(uint64_t rate, uint64_t index, uint64_t count)
{
	return (struct schedule){.start = 5 * NS_PER_S,
				 .end = UINT64_MAX,
				 .rate = rate,
				 .index = index,
				 .count = count};
}

TEST_CASE("schedule and drops");

TEST(a_second_holds_exactly_the_rate)
{
	const uint64_t rates[] = {1, 3, 7, 1000, 9999, 1000003, 100000000};

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct schedule schedule = of(rates[i], 0, 1);
		const uint64_t day = 86400 * NS_PER_S;

		ck_assert_uint_eq(schedule_count(&schedule, schedule.start + NS_PER_S - 1),
				  rates[i]);
		ck_assert_uint_eq(schedule_count(&schedule, schedule.start + day - 1),
				  86400 * rates[i]);
		ck_assert_uint_eq(schedule_due(&schedule, 86400 * rates[i]), schedule.start + day);
	}
}

TEST(a_message_is_counted_from_the_moment_it_is_due)
{
	const uint64_t rates[] = {1, 3, 7, 999, 1000003, 33333333};

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct schedule schedule = of(rates[i], 0, 1);

		for (uint64_t n = 0; n < 3 * rates[i] && n < 5000; n++) {
			uint64_t due = schedule_due(&schedule, n);

			ck_assert_uint_eq(schedule_count(&schedule, due), n + 1);
			ck_assert_uint_eq(schedule_count(&schedule, due - 1), n);
		}
	}
}

/* One each nanosecond, up to the end and no more. */
TEST(nothing_is_due_from_the_end_on)
{
	struct schedule schedule = of(NS_PER_S, 0, 1);

	schedule.end = schedule.start + 10;
	ck_assert_uint_eq(schedule_count(&schedule, schedule.start - 1), 0);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.start), 1);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.end - 1), 10);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.end), 10);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.end + 1), 10);
}

TEST(flows_share_the_messages_without_gap_or_overlap)
{
	struct schedule whole = of(12345, 0, 1);

	for (uint64_t ms = 0; ms < 500; ms += 7) {
		uint64_t now = whole.start + ms * NS_PER_MS;
		uint64_t sum = 0;

		for (uint64_t index = 0; index < 13; index++) {
			struct schedule part = of(12345, index, 13);

			sum += schedule_count(&part, now);
		}
		ck_assert_uint_eq(sum, schedule_count(&whole, now));
	}
	for (uint64_t n = 0; n < 100; n++) {
		struct schedule part = of(12345, n % 13, 13);

		ck_assert_uint_eq(schedule_due(&part, n / 13), schedule_due(&whole, n));
	}
}

TEST(nothing_is_due_before_the_start_or_after_the_end)
{
	struct schedule schedule = of(100, 0, 1);

	schedule.end = schedule.start + NS_PER_S;
	ck_assert_uint_eq(schedule_count(&schedule, 0), 0);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.start - 1), 0);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.start), 1);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.end), 100);
	ck_assert_uint_eq(schedule_count(&schedule, UINT64_MAX), 100);
}

TEST(a_kernel_stamp_is_converted_or_refused)
{
	const uint64_t real = 1000 * NS_PER_S;
	const uint64_t now = 50 * NS_PER_S;

	const uint64_t offset = real - now;
	const uint64_t from = now - 10 * NS_PER_S;

	ck_assert_uint_eq(wall_clock_convert(real - 3000, offset, from, now), now - 3000);
	ck_assert_uint_eq(wall_clock_convert(real, offset, from, now), now);
	ck_assert_uint_eq(wall_clock_convert(real - 10 * NS_PER_S, offset, from, now), from);
	ck_assert_uint_eq(wall_clock_convert(real + 1, offset, from, now), 0);
	ck_assert_uint_eq(wall_clock_convert(real - 10 * NS_PER_S - 1, offset, from, now), 0);
}

#define SENT 300u /* fewer than a CPU's backlog holds, which drops unseen */
#define SIZE 1000

/* Connected to itself; its buffer is as small as the kernel allows. */
static int own_socket(void)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(own);
	const int smallest = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&own, length), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&own, length), 0);
	return fd;
}

static void await(int fd)
{
	(void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1);
}

TEST(what_did_not_fit_is_counted)
{
	const char data[SIZE] = {0};
	char got[SIZE];
	int fd = own_socket();
	unsigned received = 0;

	ck_assert_uint_eq(socket_drops(fd), 0);
	for (unsigned i = 0; i < SENT; i++) {
		while (send(fd, data, SIZE, 0) < 0) /* the send buffer may be full for a while */
			(void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1);
	}
	while (socket_drops(fd) == 0)
		(void)poll(NULL, 0, 1);
	while (received + socket_drops(fd) < SENT) {
		if (recv(fd, got, SIZE, 0) == SIZE)
			received++;
		else
			await(fd);
	}
	ck_assert_uint_eq(received + socket_drops(fd), SENT);
	ck_assert_uint_gt(received, 0);
}

TEST(what_is_no_socket_drops_nothing)
{
	ck_assert_uint_eq(socket_drops(-1), 0);
}
