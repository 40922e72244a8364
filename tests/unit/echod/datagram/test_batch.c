/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Batches against a kernel under the test's control: this program defines sendmmsg and sendmsg, and
 * so decides what is taken and what is refused.
 */

#include "config.h"

#include "echod/datagram/batch.h"

#include <netinet/udp.h>
#include <stdarg.h>

#include "base/ancillary.h"
#include "echod/datagram/sending.h"
#include "support/libc.h"
#include "support/test.h"

/* How the kernel behaves; all zero: it takes everything. */
struct kernel {
	unsigned takes; /* messages a call, 0: all */
	unsigned room;	/* messages in all, then EAGAIN; 0: endless */
	char letter;	/* it refuses what begins with it, */
	bool trains;	/* what carries UDP_SEGMENT, */
	size_t longer;	/* what is longer, if not 0 */
};

static struct kernel kernel;
static int refusal; /* the error for what it refuses */
static struct udp_batch *batch;
static unsigned took, calls;
static char taken[8192]; /* what it took: "a100x40" is 100 bytes that begin with 'a', cut to 40 */

static unsigned segment_of(const struct msghdr *message)
{
	uint16_t segment = 0;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg != NULL;
	     cmsg = ancillary_next(message, cmsg)) {
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
		return refusal;
	if (kernel.trains && segment_of(message) > 0)
		return refusal;
	return kernel.longer > 0 && message->msg_iov->iov_len > kernel.longer ? refusal : 0;
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

int sendmmsg(int fd UNUSED, struct mmsghdr *messages, unsigned count, libc_flags flags)
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
			  &(struct udp_answer){true, 64, -1, segment});
}

/* As in taken. */
static void add_replies(const char *text)
{
	while (*text != '\0') {
		char letter = *text++, *rest;
		size_t size = strtoul(text, &rest, 10);

		reply(letter, size, *rest == 'x' ? (unsigned)strtoul(rest + 1, &rest, 10) : 0);
		text = rest + strspn(rest, " ");
	}
}

static const struct {
	const char *name;
	int errors[8]; /* one after the other; the first may be none */
	struct kernel kernel;
	bool per_peer;
	const char *replies, *sent;
	unsigned calls; /* 0: any number */
} cases[] = {
	{"a batch leaves in one call", .replies = "a1 b2 c3 d4 e5 f6 z95x10",
	 .sent = "16 sent, 0 dropped, 116 bytes: a1 b2 c3 d4 e5 f6 z95x10", .calls = 1},
	{"what the kernel left is sent next, in order", .kernel = {.takes = 4},
	 .replies = "a1 b2 c3 d4 e5 f6 g7 h8 i9 j10",
	 .sent = "10 sent, 0 dropped, 55 bytes: a1 b2 c3 d4 e5 f6 g7 h8 i9 j10", .calls = 3},
	{"a full send buffer drops the rest", .kernel = {.room = 3},
	 .replies = "a1 b2 c3 d4 t95x10", .sent = "3 sent, 11 dropped, 6 bytes: a1 b2 c3",
	 .calls = 2},
	{"a peer that does not read delays only itself", .errors = {EAGAIN},
	 .kernel = {.letter = 'b'}, .replies = "a1 b2 c3 d4",
	 .sent = "3 sent, 1 dropped, 8 bytes: a1 c3 d4", .per_peer = true},
	{"a refused reply costs only itself",
	 .errors = {EINVAL, EMSGSIZE, EPERM, ECONNREFUSED, ENETUNREACH, ENOBUFS},
	 .kernel = {.letter = 'a'}, .replies = "a1 b2 c3 a9",
	 .sent = "2 sent, 2 dropped, 5 bytes: b2 c3"},
	{"a train that cannot be cut leaves as singles in its place",
	 .errors = {EINVAL, EMSGSIZE, EIO}, .kernel = {.trains = true},
	 .replies = "a5 t250x100 u200x100 b6",
	 .sent = "7 sent, 0 dropped, 461 bytes: a5 t100 t100 t50 u100 u100 b6"},
	{"a train refused for another reason is not tried again",
	 .errors = {EPERM, ENETUNREACH, EHOSTUNREACH, ENOBUFS, EACCES}, .kernel = {.trains = true},
	 .replies = "t250x100 b6", .sent = "1 sent, 3 dropped, 6 bytes: b6"},
	{"singles that fail again are dropped", .errors = {EMSGSIZE}, .kernel = {.longer = 99},
	 .replies = "t250x100 b6", .sent = "2 sent, 2 dropped, 56 bytes: t50 b6"},
	{"singles of a train meet a full send buffer", .errors = {EIO},
	 .kernel = {.trains = true, .room = 2}, .replies = "a5 t250x100 b6",
	 .sent = "2 sent, 3 dropped, 105 bytes: a5 t100"},
	{"a train longer than the kernel takes leaves in pieces", .errors = {EINVAL},
	 .kernel = {.longer = 640}, .replies = "t1505x10 u640x10",
	 .sent = "215 sent, 0 dropped, 2145 bytes: t640x10 t640x10 t225x10 u640x10"},
	{"pieces meet a full send buffer", .errors = {EINVAL}, .kernel = {.longer = 640, .room = 1},
	 .replies = "t1505x10", .sent = "64 sent, 87 dropped, 640 bytes: t640x10"},
};

TEST_CASE("sending", set_up, tear_down);

TEST_EACH(replies_leave_and_are_counted_whatever_the_kernel_refuses, ARRAY_SIZE(cases))
{
	const int *error = cases[_i].errors;
	char text[256];

	do {
		struct udp_sent sent;

		tear_down();
		set_up();
		kernel = cases[_i].kernel;
		refusal = *error;
		add_replies(cases[_i].replies);
		sent = udp_batch_send(batch, -1, cases[_i].per_peer);
		snprintf(text, sizeof(text), "%u sent, %u dropped, %zu bytes: %s", sent.datagrams,
			 sent.dropped, sent.bytes, taken);
		ck_assert_msg(strcmp(text, cases[_i].sent) == 0, "%s: %s", cases[_i].name, text);
		ck_assert_int_eq(sent.error != 0, sent.dropped > 0);
		ck_assert(cases[_i].calls == 0 || calls == cases[_i].calls);
	} while (*error != 0 && *++error != 0);
}

TEST(no_replies_make_no_call)
{
	struct udp_sent sent = udp_batch_send(batch, -1, false);

	ck_assert_uint_eq(sent.datagrams + sent.dropped + sent.bytes, 0);
	ck_assert_int_eq(sent.error, 0);
	ck_assert_uint_eq(calls, 0);
}

TEST_EACH(only_singles_that_leave_show_what_a_path_takes, 2)
{
	struct udp_sent sent;

	kernel = _i == 0 ? (struct kernel){.letter = 't'} : (struct kernel){.trains = true};
	refusal = EINVAL;
	reply('t', 250, 100);
	sent = udp_batch_send(batch, -1, false);
	ck_assert_uint_eq(sent.datagrams, _i == 0 ? 0 : 3);
	ck_assert_uint_eq(sent.dropped, _i == 0 ? 3 : 0);
	ck_assert_uint_eq(sent.bytes, _i == 0 ? 0 : 250);
	ck_assert_str_eq(taken, _i == 0 ? "" : "t100 t100 t50");
	ck_assert_int_eq(batch->refused[0].until != 0, _i == 1);
	ck_assert_uint_eq(batch->refused[0].size, _i == 0 ? 0 : 100);
}

TEST(pieces_that_cannot_be_cut_leave_as_singles)
{
	struct udp_sent sent;

	kernel = (struct kernel){.trains = true};
	refusal = EINVAL;
	reply('t', 100 * 10 + 3, 10);
	sent = udp_batch_send(batch, -1, false);
	ck_assert_uint_eq(sent.datagrams, 101);
	ck_assert_uint_eq(sent.dropped, 0);
	ck_assert_uint_eq(sent.bytes, 1003);
	for (size_t i = 0; i < 100; i++)
		ck_assert_mem_eq(&taken[i * 4], "t10 ", 4);
	ck_assert_str_eq(&taken[400], "t3");
}
