/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Requests of STAMP, which "echoc bench" does not send: stamp PORT RATE SECONDS. RATE 0 keeps 16
 * under way on each of 8 flows; otherwise one flow sends so many a second, evenly. Prints one JSON
 * object as echoc does; turnaround_us is what the reflector says of itself, T3 - T2, where the
 * replies are not merely the requests.
 */

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define FLOWS 8
#define DEPTH 16
#define SIZE 44
#define BUCKETS 1000000 /* of 10 ns */
#define PATIENCE 1.0

static uint32_t turnarounds[BUCKETS + 1];
static unsigned long sent, received, told;

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

static int open_flow(unsigned short port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("stamp: connect");
		exit(1);
	}
	return fd;
}

static void ask(int fd, unsigned count)
{
	static uint8_t packets[DEPTH][SIZE];
	static struct iovec data[DEPTH];
	static struct mmsghdr messages[DEPTH];
	int done;

	for (unsigned i = 0; i < count; i++) {
		uint32_t number = htobe32((uint32_t)(sent + i + 1));
		uint64_t time = htobe64(UINT64_C(0xec4e8c4580000000));

		memcpy(packets[i], &number, sizeof(number));
		memcpy(packets[i] + 4, &time, sizeof(time));
		packets[i][13] = 1;
		data[i] = (struct iovec){packets[i], SIZE};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &data[i], .msg_iovlen = 1};
	}
	done = sendmmsg(fd, messages, count, 0);
	sent += done > 0 ? (unsigned)done : 0;
}

static void note(const uint8_t reply[SIZE])
{
	uint64_t t2, t3;

	memcpy(&t3, reply + 4, sizeof(t3));
	memcpy(&t2, reply + 16, sizeof(t2));
	if (t2 == 0)
		return;
	t3 = be64toh(t3) - be64toh(t2);
	t3 = (uint64_t)((double)t3 / 4294967296.0 * 1e8);
	turnarounds[t3 < BUCKETS ? t3 : BUCKETS]++;
	told++;
}

static unsigned collect(int fd)
{
	static uint8_t packets[DEPTH][SIZE];
	static struct iovec data[DEPTH];
	static struct mmsghdr messages[DEPTH];
	int count;

	for (unsigned i = 0; i < DEPTH; i++) {
		data[i] = (struct iovec){packets[i], SIZE};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &data[i], .msg_iovlen = 1};
	}
	count = recvmmsg(fd, messages, DEPTH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		note(packets[i]);
	received += count > 0 ? (unsigned)count : 0;
	return count > 0 ? (unsigned)count : 0;
}

/* Each reply makes room for a request. */
static void full_speed(unsigned short port, double seconds)
{
	struct pollfd flows[FLOWS];
	double end = now() + seconds;

	for (int i = 0; i < FLOWS; i++) {
		flows[i] = (struct pollfd){.fd = open_flow(port), .events = POLLIN};
		ask(flows[i].fd, DEPTH);
	}
	while (now() < end && poll(flows, FLOWS, 1000) > 0) {
		for (int i = 0; i < FLOWS; i++) {
			unsigned count = flows[i].revents ? collect(flows[i].fd) : 0;

			if (count > 0)
				ask(flows[i].fd, count);
		}
	}
}

static void even_rate(unsigned short port, double rate, double seconds)
{
	struct pollfd flow = {.fd = open_flow(port), .events = POLLIN};
	double start = now(), time = start;

	for (; time < start + seconds; time = now()) {
		if ((double)sent < (time - start) * rate)
			ask(flow.fd, 1);
		(void)collect(flow.fd);
	}
	while (received < sent && now() < time + PATIENCE && poll(&flow, 1, 100) > 0)
		(void)collect(flow.fd);
}

static double turnaround(double part)
{
	double wanted = part * (double)told, seen = 0;
	unsigned at = 0;

	while (at < BUCKETS && (seen += turnarounds[at]) < wanted)
		at++;
	return at / 100.0;
}

int main(int argc, char **argv)
{
	double start = now(), used = cpu(), rate, seconds;

	if (argc != 4)
		return 2;
	rate = strtod(argv[2], NULL);
	seconds = strtod(argv[3], NULL);
	if (rate > 0)
		even_rate((unsigned short)atoi(argv[1]), rate, seconds);
	else
		full_speed((unsigned short)atoi(argv[1]), seconds);
	seconds = now() - start;
	printf("{\"type\": \"summary\", \"received\": %lu, \"lost\": %lu, \"duration_s\": %.3f, "
	       "\"cpu_percent\": %.1f, \"turnaround_us\": {\"p50\": %.2f, \"p99\": %.2f, "
	       "\"p99.9\": %.2f}}\n",
	       received, sent - received, seconds, 100 * (cpu() - used) / seconds, turnaround(0.5),
	       turnaround(0.99), turnaround(0.999));
	return received == 0;
}
