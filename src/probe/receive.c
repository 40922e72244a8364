/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * recvmsg with its control messages read. The kernel's time stamp leaves out how long it took to
 * wake us up. Owns nothing; ping calls it.
 */

#include "config.h"

#include "probe/receive.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ancillary.h"
#include "base/clock.h"

#define CONTROL_SIZE 256
#define STAMP_SLACK (20 * NS_PER_MS) /* from the stamp to the socket: the kernel's queues */

/* Of a few readings the one that took the least time: we may lose the processor within one. */
uint64_t wall_clock_offset(void)
{
	uint64_t least = UINT64_MAX;
	uint64_t offset = 0;

	for (int i = 0; i < 3 && least > NS_PER_US; i++) {
		uint64_t before = clock_ns();
		uint64_t real = clock_read(CLOCK_REALTIME);
		uint64_t took = clock_ns() - before;

		if (took < least) {
			least = took;
			offset = real - before - took / 2;
		}
	}
	return offset;
}

void receive_prepare(struct receiver *receiver, int fd)
{
	const int on = 1;

	*receiver = (struct receiver){fd, clock_ns(), wall_clock_offset()};
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
}

void receive_prepare_fragments(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_IP, IP_RECVFRAGSIZE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVFRAGSIZE, &on, sizeof(on));
}

/*
 * The wall clock may have been set while the packet waited, before or after it came: of the two
 * times that it may have come at, one after the socket was empty and before now. If both are, the
 * earlier one: a step must not make a loss of what was in time.
 */
static void read_stamp(const struct receiver *receiver, const struct cmsghdr *control,
		       struct reception *reception)
{
	uint64_t from = receiver->empty - STAMP_SLACK;
	uint64_t to = reception->time;
	struct timespec stamp;
	uint64_t real, time, other;

	memcpy(&stamp, CMSG_DATA(control), sizeof(stamp));
	real = (uint64_t)stamp.tv_sec * NS_PER_S + (uint64_t)stamp.tv_nsec;
	time = wall_clock_convert(real, wall_clock_offset(), from, to);
	other = wall_clock_convert(real, receiver->offset, from, to);
	if (time == 0 || (other != 0 && other < time))
		time = other;
	if (time == 0)
		return;
	reception->time = time;
	reception->by_kernel = true;
}

static bool is(const struct cmsghdr *control, int level, int type)
{
	return control->cmsg_level == level && control->cmsg_type == type;
}

static void read_control(const struct receiver *receiver, struct msghdr *message,
			 struct reception *reception)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
	     control = ancillary_next(message, control)) {
		if (is(control, SOL_SOCKET, SCM_TIMESTAMPNS))
			read_stamp(receiver, control, reception);
		else if (is(control, IPPROTO_IP, IP_TTL) ||
			 is(control, IPPROTO_IPV6, IPV6_HOPLIMIT))
			memcpy(&reception->ttl, CMSG_DATA(control), sizeof(reception->ttl));
		else if (is(control, IPPROTO_IP, IP_TOS)) /* one byte, unlike that of IPv6 */
			reception->tos = *CMSG_DATA(control);
		else if (is(control, IPPROTO_IPV6, IPV6_TCLASS))
			memcpy(&reception->tos, CMSG_DATA(control), sizeof(reception->tos));
		else if (is(control, IPPROTO_IP, IP_RECVFRAGSIZE) ||
			 is(control, IPPROTO_IPV6, IPV6_RECVFRAGSIZE))
			memcpy(&reception->fragment, CMSG_DATA(control),
			       sizeof(reception->fragment));
	}
}

ssize_t receive(struct receiver *receiver, void *buffer, size_t size, struct reception *reception)
{
	_Alignas(struct cmsghdr) unsigned char control[CONTROL_SIZE];
	struct iovec part = {buffer, size};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	uint64_t before = clock_ns();
	ssize_t length = recvmsg(receiver->fd, &message, 0);

	if (length < 0 && errno == EAGAIN) {
		receiver->empty = before;
		receiver->offset = wall_clock_offset();
	}
	if (length < 0)
		return length;
	*reception = (struct reception){.time = clock_ns(), .ttl = -1, .tos = -1};
	read_control(receiver, &message, reception);
	return length;
}
