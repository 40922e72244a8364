/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The load that "echoc bench" does not have: connect, echo 64 bytes, close, again and again, a few
 * at a time. connect PORT SECONDS. Prints one JSON object. Source addresses take turns, lest ports
 * run out while old connections linger in TIME_WAIT.
 */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_A_TIME 8 /* some listen with a backlog of ten */
#define SIZE 64
#define SOURCES 64

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int connect_from(unsigned source, unsigned short port)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source)};
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(port)};
	struct timeval patience = {.tv_sec = 2};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool comes_back(int fd, const char *sent)
{
	char got[SIZE];

	return recv(fd, got, SIZE, MSG_WAITALL) == SIZE && memcmp(got, sent, SIZE) == 0;
}

int main(int argc, char **argv)
{
	unsigned short port = (unsigned short)strtoul(argv[1], NULL, 10);
	double start = now(), end = start + strtod(argv[argc - 1], NULL), used = cpu();
	unsigned long done = 0, failed = 0;
	char message[SIZE];
	int fds[AT_A_TIME];

	memset(message, 'e', SIZE);
	while (now() < end) {
		for (int i = 0; i < AT_A_TIME; i++) {
			fds[i] = connect_from((unsigned)(done / AT_A_TIME) % SOURCES, port);
			if (fds[i] >= 0 && send(fds[i], message, SIZE, MSG_NOSIGNAL) != SIZE)
				shutdown(fds[i], SHUT_RDWR);
		}
		for (int i = 0; i < AT_A_TIME; i++) {
			if (fds[i] >= 0 && comes_back(fds[i], message))
				done++;
			else
				failed++;
			if (fds[i] >= 0)
				close(fds[i]);
		}
	}
	end = now();
	printf("{\"type\": \"summary\", \"received\": %lu, \"lost\": %lu, \"messages_per_s\": "
	       "%.1f, "
	       "\"duration_s\": %.3f, \"cpu_percent\": %.1f}\n",
	       done, failed, (double)done / (end - start), end - start,
	       100 * (cpu() - used) / (end - start));
	return failed > 0;
}
