/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Batches against a kernel that does as it is told: this program defines sendmmsg and sendmsg, and
 * so decides what is taken and what is refused.
 */

#include "config.h"

#include "echod/datagram/batch.h"

#include <netinet/udp.h>
#include <stdarg.h>

#include "echod/datagram/sending.h"
#include "support/test.h"

/* How the kernel behaves; all zero: it takes everything. */
static struct {
	unsigned takes; /* messages a call, 0: all */
	unsigned room;	/* messages in all, then EAGAIN; 0: endless */
	int error;	/* what it says to those that it refuses: */
	char letter;	/* what begins with it */
	bool trains;	/* what carries UDP_SEGMENT */
	size_t longer;	/* what is longer, if not 0 */
} kernel;

static struct udp_batch *batch;
static unsigned took, calls;
static char taken[8192]; /* what it took: "a100x40" is 100 bytes that begin with 'a', cut to 40 */

static unsigned segment_of(const struct msghdr *message)
{
	uint16_t segment = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg != NULL;
	     cmsg = CMSG_NXTHDR((struct msghdr *)message, cmsg)) {
		if (cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_SEGMENT)
			memcpy(&segment, CMSG_DATA(cmsg), sizeof(segment));
	}
	return segment;
}

PRINTF_LIKE(1, 2) static void note(const char *format, ...)
{
	size_t length = strlen(taken);
	va_list args;

	va_start(args, format);
	vsnprintf(taken + length, sizeof(taken) - length, format, args);
	va_end(args);
}

static int error_for(const struct msghdr *message)
{
	if (kernel.room > 0 && took == kernel.room)
		return EAGAIN;
	if (*(const char *)message->msg_iov->iov_base == kernel.letter)
		return kernel.error;
	if (kernel.trains && segment_of(message) > 0)
		return kernel.error;
	return kernel.longer > 0 && message->msg_iov->iov_len > kernel.longer ? kernel.error : 0;
}

static bool take(const struct msghdr *message)
{
	unsigned segment = segment_of(message);

	errno = error_for(message);
	if (errno != 0)
		return false;
	note("%s%c%zu", took++ > 0 ? " " : "", *(const char *)message->msg_iov->iov_base,
	     message->msg_iov->iov_len);
	if (segment > 0)
		note("x%u", segment);
	return true;
}

int sendmmsg(int fd UNUSED, struct mmsghdr *messages, unsigned count, int flags)
{
	unsigned done = 0;

	ck_assert_int_eq(flags, MSG_DONTWAIT);
	calls++;
	if (kernel.takes > 0 && count > kernel.takes)
		count = kernel.takes;
	while (done < count && take(&messages[done].msg_hdr))
		done++;
	return done > 0 ? (int)done : -1;
}

ssize_t sendmsg(int fd UNUSED, const struct msghdr *message, int flags)
{
	ck_assert_int_eq(flags, MSG_DONTWAIT);
	calls++;
	return take(message) ? (ssize_t)message->msg_iov->iov_len : -1;
}

static void set_up(void)
{
	memset(&kernel, 0, sizeof(kernel));
	took = calls = 0;
	taken[0] = '\0';
	batch = udp_batch_new();
	ck_assert_ptr_nonnull(batch);
}

static void tear_down(void)
{
	udp_batch_free(batch);
}

/* A reply that begins with LETTER; a train when SEGMENT is not 0. */
static void reply(char letter, size_t size, unsigned segment)
{
	unsigned at = batch->out_count;
	struct udp_reply row = {.datagrams = 1};
	struct udp_notes notes = {.hops = 64};

	memset(batch->payload[at], letter, size);
	if (segment > 0)
		row = (struct udp_reply){.segment = segment,
					 .datagrams = (unsigned)((size + segment - 1) / segment)};
	udp_control_write(udp_batch_reply(batch, at, size, row), &batch->out_control[at], &notes,
			  true, 64, segment);
}

/* Fills the batch with singles: a1 b2 c3 ... */
static void reply_singles(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		reply((char)('a' + i), i + 1, 0);
}

static void expect(bool per_peer, unsigned datagrams, unsigned dropped, size_t bytes,
		   const char *what)
{
	struct udp_sent sent = udp_batch_send(batch, -1, per_peer);

	ck_assert_str_eq(taken, what);
	ck_assert_uint_eq(sent.datagrams, datagrams);
	ck_assert_uint_eq(sent.dropped, dropped);
	ck_assert_uint_eq(sent.bytes, bytes);
	ck_assert_int_eq(sent.error != 0, dropped > 0);
}

TEST_CASE("sending", set_up, tear_down);

TEST(a_batch_leaves_in_one_call)
{
	reply_singles(6);
	reply('z', 95, 10);
	expect(false, 16, 0, 116, "a1 b2 c3 d4 e5 f6 z95x10");
	ck_assert_uint_eq(calls, 1);
}

TEST(no_replies_make_no_call)
{
	expect(false, 0, 0, 0, "");
	ck_assert_uint_eq(calls, 0);
}

TEST(what_the_kernel_left_is_sent_next_in_order)
{
	kernel.takes = 4;
	reply_singles(10);
	expect(false, 10, 0, 55, "a1 b2 c3 d4 e5 f6 g7 h8 i9 j10");
	ck_assert_uint_eq(calls, 3);
}

TEST(a_full_send_buffer_drops_the_rest)
{
	kernel.room = 3;
	reply_singles(4);
	reply('t', 95, 10);
	expect(false, 3, 1 + 10, 6, "a1 b2 c3");
	ck_assert_uint_eq(calls, 2);
}

TEST(a_peer_that_does_not_read_holds_up_only_itself)
{
	kernel.error = EAGAIN;
	kernel.letter = 'b';
	reply_singles(4);
	expect(true, 3, 1, 8, "a1 c3 d4");
}

TEST(a_refused_reply_costs_only_itself)
{
	static const int errors[] = {EINVAL, EMSGSIZE, EPERM, ECONNREFUSED, ENETUNREACH, ENOBUFS};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		tear_down();
		set_up();
		kernel.error = errors[i];
		kernel.letter = 'a';
		reply_singles(3);
		reply('a', 9, 0);
		expect(false, 2, 2, 5, "b2 c3");
	}
}

TEST(a_train_that_cannot_be_cut_leaves_as_singles_in_its_place)
{
	static const int errors[] = {EINVAL, EMSGSIZE, EIO};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		tear_down();
		set_up();
		kernel.error = errors[i];
		kernel.trains = true;
		reply('a', 5, 0);
		reply('t', 250, 100);
		reply('u', 200, 100);
		reply('b', 6, 0);
		expect(false, 7, 0, 461, "a5 t100 t100 t50 u100 u100 b6");
	}
}

TEST(a_train_refused_for_another_reason_is_not_tried_again)
{
	static const int errors[] = {EPERM, ENETUNREACH, EHOSTUNREACH, ENOBUFS, EACCES};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		tear_down();
		set_up();
		kernel.error = errors[i];
		kernel.trains = true;
		reply('t', 250, 100);
		reply('b', 6, 0);
		expect(false, 1, 3, 6, "b6");
	}
}

TEST(singles_that_fail_again_are_dropped)
{
	kernel.error = EMSGSIZE;
	kernel.longer = 99;
	reply('t', 250, 100);
	reply('b', 6, 0);
	expect(false, 2, 2, 56, "t50 b6");
}

TEST(only_singles_that_leave_tell_what_a_path_takes)
{
	kernel.error = EINVAL;
	kernel.letter = 't';
	reply('t', 250, 100);
	expect(false, 0, 3, 0, "");
	ck_assert_int_eq(batch->refused[0].until, 0);

	tear_down();
	set_up();
	kernel.error = EINVAL;
	kernel.trains = true;
	reply('t', 250, 100);
	expect(false, 3, 0, 250, "t100 t100 t50");
	ck_assert_int_ne(batch->refused[0].until, 0);
	ck_assert_uint_eq(batch->refused[0].size, 100);
}

TEST(singles_of_a_train_meet_a_full_send_buffer)
{
	kernel.error = EIO;
	kernel.trains = true;
	kernel.room = 2;
	reply('a', 5, 0);
	reply('t', 250, 100);
	reply('b', 6, 0);
	expect(false, 2, 3, 105, "a5 t100");
}

TEST(a_train_longer_than_the_kernel_takes_leaves_in_pieces)
{
	kernel.error = EINVAL;
	kernel.longer = 640;
	reply('t', 1505, 10);
	reply('u', 640, 10);
	expect(false, 151 + 64, 0, 1505 + 640, "t640x10 t640x10 t225x10 u640x10");
}

/* "EACH EACH ... LAST" */
static const char *hundred_singles(const char *each, const char *last)
{
	static char text[1024];
	size_t length = 0;

	for (int i = 0; i < 100; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s ", each);
	snprintf(text + length, sizeof(text) - length, "%s", last);
	return text;
}

TEST(pieces_that_cannot_be_cut_leave_as_singles)
{
	kernel.error = EINVAL;
	kernel.trains = true;
	reply('t', 100 * 10 + 3, 10);
	expect(false, 101, 0, 1003, hundred_singles("t10", "t3"));
}

TEST(pieces_meet_a_full_send_buffer)
{
	kernel.error = EINVAL;
	kernel.longer = 640;
	kernel.room = 1;
	reply('t', 1505, 10);
	expect(false, 64, 151 - 64, 640, "t640x10");
}
