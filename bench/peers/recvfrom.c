/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The loop in every textbook: recvfrom, sendto, one datagram at a time. recvfrom PORT
 */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static char buffer[65536];

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int space = 4 * 1024 * 1024; /* as echod has it: less of it only loses more */

	address.sin_port = htons((unsigned short)strtoul(argv[argc - 1], NULL, 10));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &space, sizeof(space));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &space, sizeof(space));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("recvfrom: bind");
		return 1;
	}
	for (;;) {
		struct sockaddr_in peer;
		socklen_t length = sizeof(peer);
		ssize_t size =
			recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&peer, &length);

		if (size >= 0)
			sendto(fd, buffer, (size_t)size, 0, (struct sockaddr *)&peer, length);
	}
}
