/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a STAMP reflector cannot do without, and no more: the kernel's time of arrival, the request,
 * the time right before the reply. reflector [--busy] PORT; --busy polls once the first has come.
 */

#include <endian.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define SIZE 44
#define EPOCH UINT64_C(2208988800) /* of NTP, in seconds before 1970 */

static void put_time(uint8_t *at, const struct timespec *time)
{
	uint64_t ntp = ((uint64_t)time->tv_sec + EPOCH) << 32 |
		       ((uint64_t)time->tv_nsec << 32) / 1000000000;

	ntp = htobe64(ntp);
	memcpy(at, &ntp, sizeof(ntp));
}

static void reflect(int fd, int flags)
{
	struct sockaddr_in peer;
	uint8_t packet[SIZE];
	_Alignas(struct cmsghdr) char control[64];
	struct iovec data = {packet, sizeof(packet)};
	struct msghdr message = {.msg_name = &peer,
				 .msg_namelen = sizeof(peer),
				 .msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct timespec now;

	if (recvmsg(fd, &message, flags) != SIZE || !CMSG_FIRSTHDR(&message))
		return;
	memcpy(packet + 24, packet, 12);
	memcpy(&now, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(now));
	put_time(packet + 16, &now);
	clock_gettime(CLOCK_REALTIME, &now);
	put_time(packet + 4, &now);
	sendto(fd, packet, SIZE, 0, (struct sockaddr *)&peer, sizeof(peer));
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
	int flags = argc > 2 ? MSG_DONTWAIT : 0;

	address.sin_port = htons((unsigned short)strtoul(argv[argc - 1], NULL, 10));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("reflector: bind");
		return 1;
	}
	reflect(fd, 0);
	for (;;)
		reflect(fd, flags);
}
