/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * recvmsg with its control messages read. The kernel's time stamp leaves out how long it took to
 * wake us up. Owns nothing; ping calls it.
 */

#include "config.h"

#include "receive.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"

#define CONTROL_SIZE 256

void receive_prepare(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
}

static void read_stamp(const struct cmsghdr *control, struct reception *reception)
{
	struct timespec stamp;
	uint64_t real_now = clock_read(CLOCK_REALTIME);
	uint64_t now = clock_now();
	uint64_t time;

	memcpy(&stamp, CMSG_DATA(control), sizeof(stamp));
	time = clock_from_stamp((uint64_t)stamp.tv_sec * NS_PER_S + (uint64_t)stamp.tv_nsec,
				real_now, now);
	if (time == 0)
		return;
	reception->time = time;
	reception->by_kernel = true;
}

static bool is(const struct cmsghdr *control, int level, int type)
{
	return control->cmsg_level == level && control->cmsg_type == type;
}

static void read_control(struct msghdr *message, struct reception *reception)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		if (is(control, SOL_SOCKET, SCM_TIMESTAMPNS))
			read_stamp(control, reception);
		else if (is(control, IPPROTO_IP, IP_TTL) ||
			 is(control, IPPROTO_IPV6, IPV6_HOPLIMIT))
			memcpy(&reception->ttl, CMSG_DATA(control), sizeof(reception->ttl));
	}
}

ssize_t receive(int fd, void *buffer, size_t size, struct reception *reception)
{
	_Alignas(struct cmsghdr) unsigned char control[CONTROL_SIZE];
	struct iovec part = {buffer, size};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(fd, &message, 0);

	if (length < 0)
		return length;
	*reception = (struct reception){.time = clock_now(), .ttl = -1};
	read_control(&message, reception);
	return length;
}
