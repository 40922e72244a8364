/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Replies that go together, and above all those that must not. */

#include "config.h"

#include "echod/datagram/train.h"

#include <netinet/udp.h>

#include "base/ancillary.h"
#include "support/test.h"
#include "unit/fake_clock.h"

static struct udp_batch *batch;
static unsigned arrived;

static void set_up(void)
{
	batch = udp_batch_new();
	ck_assert_ptr_nonnull(batch);
	batch->trains = TRAINS_SENT;
	arrived = 0;
}

static void tear_down(void)
{
	udp_batch_free(batch);
}

/* One arrives from PORT, SIZE bytes of LETTER; its reply leaves with HOPS, if it can in a train. */
static void reply_with(uint16_t port, char letter, size_t size, int hops, struct udp_reply reply)
{
	unsigned at = arrived++;
	struct udp_notes notes = {.hops = 64};
	union control *control = &batch->out_control[batch->out_count];
	struct msghdr *message;

	batch->peers[at].in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
	batch->in[at].msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
	memset(batch->payload[at], letter, size);
	message = udp_batch_reply(batch, at, size, reply);
	udp_control_write(message, control, &notes,
			  &(struct udp_answer){true, hops, -1, reply.segment});
	udp_train_join(batch, -1);
}

static void reply(uint16_t port, char letter, size_t size)
{
	reply_with(port, letter, size, 63, (struct udp_reply){.datagrams = 1});
}

/* Reply number AT is TEXT, cut into datagrams of SEGMENT bytes; 0: it is one. */
static void expect(unsigned at, const char *text, unsigned segment)
{
	unsigned datagrams = 1;
	struct cmsghdr *last = NULL;

	if (segment > 0)
		datagrams = (unsigned)((strlen(text) + segment - 1) / segment);
	ck_assert_uint_gt(batch->out_count, at);
	ck_assert_uint_eq(batch->out_data[at].iov_len, strlen(text));
	ck_assert_mem_eq(batch->out_data[at].iov_base, text, strlen(text));
	ck_assert_uint_eq(batch->replies[at].segment, segment);
	ck_assert_uint_eq(batch->replies[at].datagrams, datagrams);
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&batch->out[at].msg_hdr); cmsg != NULL;
	     cmsg = ancillary_next(&batch->out[at].msg_hdr, cmsg))
		last = cmsg;
	ck_assert_int_eq(last->cmsg_level == SOL_UDP, segment > 0);
}

TEST_CASE("train", set_up, tear_down);

TEST(replies_to_one_peer_leave_as_one_train)
{
	reply(5000, 'a', 3);
	reply(5000, 'b', 3);
	reply(5000, 'c', 3);
	ck_assert_uint_eq(batch->out_count, 1);
	expect(0, "aaabbbccc", 3);
}

TEST(every_peer_gets_its_own_however_they_mix)
{
	for (int i = 0; i < 3; i++) {
		reply(5000, 'a', 2);
		reply(5001, 'b', 2);
		reply((uint16_t)(5000 + PEER_PLACES), 'c', 2); /* in the same place as the first */
	}
	expect(0, "aa", 0);
	expect(1, "bbbbbb", 2);
	expect(2, "cc", 0);
	ck_assert_uint_eq(batch->out_count, 7);
}

TEST(only_the_last_of_a_train_is_shorter)
{
	reply(5000, 'a', 3);
	reply(5000, 'b', 3);
	reply(5000, 'c', 1);
	reply(5000, 'd', 1);
	reply(5000, 'e', 3);
	ck_assert_uint_eq(batch->out_count, 3);
	expect(0, "aaabbbc", 3);
	expect(1, "d", 0);
	expect(2, "eee", 0);
}

TEST(an_empty_datagram_stays_one)
{
	reply(5000, 'a', 0);
	reply(5000, 'b', 0);
	reply(5000, 'c', 2);
	reply(5000, 'd', 0);
	reply(5000, 'e', 2);
	ck_assert_uint_eq(batch->out_count, 5);
}

TEST(another_hop_limit_begins_anew_and_nothing_overtakes_it)
{
	static const int hops[] = {63, 62, 63};

	for (int i = 0; i < 3; i++)
		reply_with(5000, (char)('a' + i), 2, hops[i], (struct udp_reply){.datagrams = 1});
	ck_assert_uint_eq(batch->out_count, 3);
	expect(0, "aa", 0);
	expect(1, "bb", 0);
	expect(2, "cc", 0);
}

TEST(a_train_that_arrived_goes_on)
{
	reply_with(5000, 'a', 6, 63, (struct udp_reply){.segment = 3, .datagrams = 2});
	reply(5000, 'b', 3);
	ck_assert_uint_eq(batch->out_count, 1);
	expect(0, "aaaaaabbb", 3);
}

TEST(a_train_is_as_long_as_the_kernel_cuts)
{
	reply_with(5000, 'a', SEGMENTS_MAX - 1, 63,
		   (struct udp_reply){.segment = 1, .datagrams = SEGMENTS_MAX - 1});
	reply(5000, 'b', 1);
	ck_assert_uint_eq(batch->out_count, 1);
	reply(5000, 'c', 1);
	ck_assert_uint_eq(batch->out_count, 2);
	expect(1, "c", 0);
}

TEST(a_train_is_as_large_as_a_datagram)
{
	reply(5000, 'a', 32753);
	reply(5000, 'b', 32753);
	ck_assert_uint_eq(batch->out_count, 1);
	reply(5000, 'c', 2);
	ck_assert_uint_eq(batch->out_count, 2);
	expect(1, "cc", 0);
}

TEST(whether_there_are_trains_is_asked_of_the_kernel)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	batch->trains = TRAINS_UNKNOWN;
	reply(5000, 'a', 2);
	reply(5000, 'b', 2); /* through no socket at all */
	ck_assert_uint_eq(batch->out_count, 2);
	ck_assert_int_eq(batch->trains, TRAINS_UNSENT);
	batch->trains = TRAINS_UNKNOWN;
	batch->latest[5000 % PEER_PLACES] = 0;
	udp_train_join(batch, fd);
	ck_assert_uint_eq(batch->out_count, 1);
	expect(0, "aabb", 2);
}

/* How many replies leave for two datagrams of SIZE to PORT: 1 if they go together. */
static unsigned calls_for_two(uint16_t port, size_t size)
{
	arrived = 0;
	batch->out_count = 0;
	reply(port, 'a', size);
	reply(port, 'b', size);
	return batch->out_count;
}

static void refuse(uint16_t port, unsigned segment, int error)
{
	calls_for_two(port, segment);
	udp_train_refused(batch, &batch->out[0].msg_hdr, segment, error);
}

TEST(what_a_path_refused_is_not_made_again_for_that_peer)
{
	refuse(5000, 3, EMSGSIZE);
	ck_assert_uint_eq(calls_for_two(5000, 3), 2);
	ck_assert_uint_eq(calls_for_two(5000, 2), 1);
	ck_assert_uint_eq(calls_for_two(5001, 3), 1);
	refuse(5000, 1400, EINVAL);
	ck_assert_uint_eq(calls_for_two(5000, 3), 2);
	refuse(5000, 1400, EIO);
	ck_assert_uint_eq(calls_for_two(5000, 1), 2);
	ck_assert_uint_eq(calls_for_two(5001, 1), 1);
}

static const int errors[] = {EMSGSIZE, EINVAL, EIO};

TEST_EACH(after_half_a_minute_it_is_tried_again, ARRAY_SIZE(errors))
{
	refuse(5000, 3, errors[_i]);
	fake_ms += 29999;
	ck_assert_uint_eq(calls_for_two(5000, 3), 2);
	fake_ms += 1;
	ck_assert_uint_eq(calls_for_two(5000, 3), 1);
}
