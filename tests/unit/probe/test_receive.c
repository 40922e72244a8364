/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * When a packet came, however long it waited and whatever became of the wall clock meanwhile. The
 * clocks that the client reads are ours here; the stamps are the kernel's.
 */

#include "config.h"

#include <time.h>

#include "base/clock.h"
#include "integration/net.h"
#include "probe/receive.h"
#include "support/test.h"

#define SECONDS(n) ((int64_t)(n) * (int64_t)NS_PER_S)

static int64_t waited; /* on both clocks */
static int64_t step;   /* of the wall clock alone */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = __real_clock_gettime(clock, time);
	int64_t now = SECONDS(time->tv_sec) + time->tv_nsec + waited;

	if (clock == CLOCK_REALTIME)
		now += step;
	time->tv_sec = (time_t)(now / (int64_t)NS_PER_S);
	time->tv_nsec = (long)(now % (int64_t)NS_PER_S);
	return result;
}

static int ends[2];
static struct receiver receiver;
static struct reception reception;
static uint64_t sent, arrived; /* not before, not after */

ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);

static const struct note {
	int level, type, value;
} * noted; /* what the kernel says of the packet, if not what it does say; ends with type 0 */

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t length = __real_recvmsg(fd, message, flags);
	struct cmsghdr *at = message->msg_control;
	size_t used = 0;

	if (!noted || length < 0)
		return length;
	for (const struct note *note = noted; note->type != 0; note++) {
		*at = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
				       .cmsg_level = note->level,
				       .cmsg_type = note->type};
		memcpy(CMSG_DATA(at), &note->value, sizeof(int));
		if (note->level == IPPROTO_IP && note->type == IP_TOS)
			*CMSG_DATA(at) = (unsigned char)note->value;
		used += CMSG_SPACE(sizeof(int));
		at = (struct cmsghdr *)(void *)((char *)message->msg_control + used);
	}
	message->msg_controllen = (socklen_t)used;
	return length;
}

static void set_up(void)
{
	char byte;

	noted = NULL;

	waited = 0;
	step = 0;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	receive_prepare(&receiver, ends[0]);
	ck_assert_int_eq(receive(&receiver, &byte, 1, &reception), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

static void tear_down(void)
{
	close(ends[0]);
	close(ends[1]);
}

static void packet_comes(void)
{
	sent = clock_ns();
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	arrived = clock_ns();
}

static void take(void)
{
	char byte;

	ck_assert_int_eq(receive(&receiver, &byte, 1, &reception), 1);
	waited = 0; /* libcheck has a clock, too */
}

/* Within what the three readings of an offset may be off. */
static void expect_arrival(void)
{
	ck_assert(reception.by_kernel);
	ck_assert_uint_ge(reception.time, sent - NS_PER_MS);
	ck_assert_uint_le(reception.time, arrived + NS_PER_MS);
	ck_assert_int_eq(reception.ttl, -1); /* a unix socket has none */
	ck_assert_int_eq(reception.tos, -1);
}

TEST_CASE("receive", set_up, tear_down);

TEST_EACH(how_long_it_waited_does_not_matter, 3)
{
	static const int64_t seconds[] = {0, 2, 3600};

	packet_comes();
	waited = SECONDS(seconds[_i]);
	take();
	expect_arrival();
}

/* By an hour to and fro, and by less than it waited. */
static const int64_t steps[] = {3600, -3600, 2, -2};

TEST_EACH(the_wall_clock_is_set_after_it_came, ARRAY_SIZE(steps))
{
	packet_comes();
	step = SECONDS(steps[_i]);
	waited = SECONDS(5);
	take();
	expect_arrival();
}

TEST_EACH(the_wall_clock_is_set_before_it_came, 2)
{
	char byte;

	step = SECONDS(-3600) * (_i == 0 ? 1 : -1);
	ck_assert_int_eq(receive(&receiver, &byte, 1, &reception), -1);
	step = 0;
	packet_comes();
	waited = SECONDS(5);
	take();
	expect_arrival();
}

/* Never before the socket was empty, and never in the future: then it is when we read it. */
TEST(what_no_clock_explains_came_just_now)
{
	char byte;
	uint64_t before;

	packet_comes();
	take();
	step = SECONDS(7200);
	ck_assert_int_eq(receive(&receiver, &byte, 1, &reception), -1);
	packet_comes();
	step = SECONDS(-7200);
	before = clock_ns();
	take();
	ck_assert(!reception.by_kernel);
	ck_assert_uint_ge(reception.time, before);
}

TEST(a_socket_is_empty_when_nothing_comes_and_not_when_nothing_is_in_it)
{
	uint64_t before = clock_ns();
	uint64_t empty;
	char byte;

	ck_assert_int_eq(receive(&receiver, &byte, 1, &reception), -1);
	ck_assert_uint_ge(receiver.empty, before);
	empty = receiver.empty;
	ck_assert_int_eq(send(ends[1], "", 0, 0), 0);
	errno = EAGAIN; /* of an earlier call */
	reception.time = 0;
	ck_assert_int_eq(receive(&receiver, &byte, 1, &reception), 0);
	ck_assert_uint_ge(reception.time, before);
	ck_assert_uint_eq(receiver.empty, empty);
}

static const struct {
	const char *host;
	int level, ttl, tos; /* options of the sender */
} marked[] = {
	{"127.0.0.1", IPPROTO_IP, IP_TTL, IP_TOS},
	{"::1", IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPV6_TCLASS},
};

TEST_EACH(time_to_live_and_class_are_those_of_the_packet, ARRAY_SIZE(marked))
{
	const int ttl = 33, tos = 0xb8;
	struct address to = at(marked[_i].host, 0);
	int in, out;
	char byte;

	if (_i == 1)
		need_ipv6();
	in = socket(to.sa.sa_family, SOCK_DGRAM, 0);
	out = socket(to.sa.sa_family, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(in, &to.sa, to.length), 0);
	ck_assert_int_eq(getsockname(in, &to.sa, &to.length), 0);
	receive_prepare(&receiver, in);
	ck_assert_int_eq(setsockopt(out, marked[_i].level, marked[_i].ttl, &ttl, sizeof(ttl)), 0);
	ck_assert_int_eq(setsockopt(out, marked[_i].level, marked[_i].tos, &tos, sizeof(tos)), 0);
	ck_assert_int_eq(sendto(out, "x", 1, 0, &to.sa, to.length), 1);
	ck_assert_int_eq(receive(&receiver, &byte, 1, &reception), 1);
	ck_assert_int_eq(reception.ttl, ttl);
	ck_assert_int_eq(reception.tos, tos);
	close(in);
	close(out);
}

/* Of IPv6, what IPv4 has under the same number, and the reverse. */
static const struct {
	struct note notes[4];
	int ttl, tos, fragment;
} notes[] = {
	{{{IPPROTO_IP, IP_TTL, 60}, {IPPROTO_IP, IP_TOS, 8}}, 60, 8, 0},
	{{{IPPROTO_IPV6, IPV6_HOPLIMIT, 60}, {IPPROTO_IPV6, IPV6_TCLASS, 8}}, 60, 8, 0},
	{{{IPPROTO_IP, IP_RECVFRAGSIZE, 1500}}, -1, -1, 1500},
	{{{IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1280}}, -1, -1, 1280},
	{{{IPPROTO_IPV6, IP_TTL, 60}, {IPPROTO_IP, IPV6_TCLASS, 8}}, -1, -1, 0},
	{{{IPPROTO_IP, IPV6_HOPLIMIT, 60}, {IPPROTO_IPV6, IP_TOS, 8}}, -1, -1, 0},
	{{{IPPROTO_IPV6, IP_RECVFRAGSIZE, 9}, {IPPROTO_IP, IPV6_RECVFRAGSIZE, 9}}, -1, -1, 0},
	{{{SOL_SOCKET, SO_RXQ_OVFL, 9}, {IPPROTO_IP, IP_RECVFRAGSIZE, 576}}, -1, -1, 576},
};

TEST_EACH(each_note_of_the_kernel_is_taken_for_what_it_is, ARRAY_SIZE(notes))
{
	packet_comes();
	noted = notes[_i].notes;
	take();
	ck_assert_int_eq(reception.ttl, notes[_i].ttl);
	ck_assert_int_eq(reception.tos, notes[_i].tos);
	ck_assert_int_eq(reception.fragment, notes[_i].fragment);
	ck_assert(!reception.by_kernel);
}

static const struct {
	int family, level, option;
	bool of_fragments;
} asked[] = {
	{AF_INET, SOL_SOCKET, SO_TIMESTAMPNS, false},
	{AF_INET, IPPROTO_IP, IP_RECVTTL, false},
	{AF_INET, IPPROTO_IP, IP_RECVTOS, false},
	{AF_INET6, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, false},
	{AF_INET6, IPPROTO_IPV6, IPV6_RECVTCLASS, false},
	{AF_INET, IPPROTO_IP, IP_RECVFRAGSIZE, true},
	{AF_INET6, IPPROTO_IPV6, IPV6_RECVFRAGSIZE, true},
};

TEST_EACH(the_kernel_is_asked_to_note_it, ARRAY_SIZE(asked))
{
	int on = -1;
	socklen_t length = sizeof(on);
	int fd;

	if (asked[_i].family == AF_INET6)
		need_ipv6();
	fd = socket(asked[_i].family, SOCK_DGRAM, 0);
	receive_prepare(&receiver, fd);
	if (asked[_i].of_fragments)
		receive_prepare_fragments(fd);
	ck_assert_int_eq(getsockopt(fd, asked[_i].level, asked[_i].option, &on, &length), 0);
	ck_assert_int_eq(on, 1);
	close(fd);
}
