/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What batches are worth: recvmmsg and sendmmsg with all the control messages that echod needs
 * (destination, TTL and trains in, source, TTL and trains out) and nothing else: no guard, no
 * limit, no counters, no loop around it. recvmmsg PORT
 */

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define CONTROL 128

static char payload[BATCH][65536];
static struct sockaddr_in peers[BATCH];
static struct iovec in_data[BATCH], out_data[BATCH];
static struct mmsghdr in[BATCH], out[BATCH];
static _Alignas(struct cmsghdr) char in_control[BATCH][CONTROL], out_control[BATCH][CONTROL];

static void set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		perror("recvmmsg: setsockopt");
}

static void put(struct msghdr *message, int level, int type, const void *value, size_t size)
{
	struct cmsghdr *cmsg =
		(struct cmsghdr *)((char *)message->msg_control + message->msg_controllen);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(cmsg), value, size);
	message->msg_controllen += CMSG_SPACE(size);
}

static void answer(struct msghdr *from, struct msghdr *to)
{
	struct in_pktinfo info = {0};
	int ttl = 0, segment = 0;
	uint16_t cut;

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(from); cmsg; cmsg = CMSG_NXTHDR(from, cmsg)) {
		if (cmsg->cmsg_level == SOL_IP && cmsg->cmsg_type == IP_TTL)
			memcpy(&ttl, CMSG_DATA(cmsg), sizeof(ttl));
		else if (cmsg->cmsg_level == SOL_IP && cmsg->cmsg_type == IP_PKTINFO)
			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
		else if (cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_GRO)
			memcpy(&segment, CMSG_DATA(cmsg), sizeof(segment));
	}
	info.ipi_ifindex = 0;
	ttl = ttl > 64 ? 64 : ttl - 1;
	cut = (uint16_t)segment;
	to->msg_controllen = 0;
	put(to, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	put(to, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
	if (segment > 0)
		put(to, SOL_UDP, UDP_SEGMENT, &cut, sizeof(cut));
}

static void point(void)
{
	for (int i = 0; i < BATCH; i++) {
		in_data[i].iov_base = out_data[i].iov_base = payload[i];
		in_data[i].iov_len = sizeof(payload[i]);
		in[i].msg_hdr.msg_name = out[i].msg_hdr.msg_name = &peers[i];
		in[i].msg_hdr.msg_iov = &in_data[i];
		out[i].msg_hdr.msg_iov = &out_data[i];
		in[i].msg_hdr.msg_iovlen = out[i].msg_hdr.msg_iovlen = 1;
		in[i].msg_hdr.msg_control = in_control[i];
		out[i].msg_hdr.msg_control = out_control[i];
		out[i].msg_hdr.msg_namelen = sizeof(peers[i]);
	}
}

static void echo_batch(int fd)
{
	int count, sent;

	for (int i = 0; i < BATCH; i++) {
		in[i].msg_hdr.msg_namelen = sizeof(peers[i]);
		in[i].msg_hdr.msg_controllen = CONTROL;
	}
	count = recvmmsg(fd, in, BATCH, MSG_WAITFORONE, NULL);
	for (int i = 0; i < count; i++) {
		out_data[i].iov_len = in[i].msg_len;
		answer(&in[i].msg_hdr, &out[i].msg_hdr);
	}
	for (int at = 0; at < count; at += sent) {
		sent = sendmmsg(fd, out + at, (unsigned)(count - at), 0);
		if (sent <= 0)
			sent = 1; /* that one is lost */
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	address.sin_port = htons((unsigned short)strtoul(argv[argc - 1], NULL, 10));
	set(fd, SOL_SOCKET, SO_RCVBUF, 4 * 1024 * 1024);
	set(fd, SOL_SOCKET, SO_SNDBUF, 4 * 1024 * 1024);
	set(fd, SOL_IP, IP_PKTINFO, 1);
	set(fd, SOL_IP, IP_RECVTTL, 1);
	set(fd, SOL_UDP, UDP_GRO, 1);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("recvmmsg: bind");
		return 1;
	}
	point();
	for (;;)
		echo_batch(fd);
}
