/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sends a small message, then many full segments, and reads what the kernel knows of the
 * connection. Owns nothing; mtu.c calls it.
 */

#include "config.h"

#include "echoc/mtu/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "echoc/command/signals.h"
#include "probe/probe.h"

#define SMALL 64u
#define LARGE (256u << 10) /* full segments, whatever the MTU is */
#define PIECE (64u << 10)
#define STALL_TIMES 3 /* the timeout: the kernel sends lost segments again before that */
#define TCP_HEADER 20u
#define TIMESTAMPS 12u

struct message {
	struct probe probe;
	size_t size;
	size_t sent;
	size_t received;
	unsigned char *buffer; /* of PIECE */
	bool corrupt;
	bool ended;
};

static size_t ip_header(const struct target *target)
{
	return target->candidates[target->chosen].sa.sa_family == AF_INET ? 20 : 40;
}

static struct tcp_info ask(int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	memset(&info, 0, sizeof(info));
	(void)getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length);
	return info;
}

static void send_some(struct message *message, int fd)
{
	size_t length = message->size - message->sent;
	ssize_t sent;

	if (length > PIECE)
		length = PIECE;
	if (length == 0)
		return;
	probe_write(&message->probe, message->sent, message->buffer, length);
	sent = send(fd, message->buffer, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent > 0)
		message->sent += (size_t)sent;
	else if (sent < 0 && errno != EAGAIN && errno != EINTR)
		message->ended = true;
}

static void receive_some(struct message *message, int fd)
{
	size_t left = message->size - message->received;
	ssize_t length = recv(fd, message->buffer, left < PIECE ? left : PIECE, MSG_DONTWAIT);

	if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
		message->ended = true;
	if (length <= 0)
		return;
	if (probe_match(&message->probe, message->received, message->buffer, (size_t)length) !=
	    (size_t)length)
		message->corrupt = true;
	message->received += (size_t)length;
}

/* Until all is back, or nothing has moved for that long. True: all is. */
static bool exchange(struct message *message, int fd, uint64_t patience)
{
	uint64_t moved = clock_ns();

	while (message->received < message->size && !message->ended && !message->corrupt &&
	       signals_caught() == 0) {
		size_t before = message->sent + message->received;
		short events = message->sent < message->size ? POLLIN | POLLOUT : POLLIN;

		(void)signals_wait(fd, events, moved + patience);
		receive_some(message, fd);
		send_some(message, fd);
		if (message->sent + message->received > before)
			moved = clock_ns();
		else if (clock_ns() >= moved + patience)
			break;
	}
	return message->received == message->size && !message->corrupt;
}

static void sum_up(struct segments *segments, const struct tcp_info *info)
{
	segments->mss = info->tcpi_snd_mss;
	segments->received = info->tcpi_rcv_mss;
	segments->path_mtu = info->tcpi_pmtu;
	segments->retransmits = info->tcpi_total_retrans;
}

static void begin(struct segments *segments, const struct target *target, size_t interface,
		  const struct tcp_info *info)
{
	size_t header = ip_header(target) + TCP_HEADER;

	memset(segments, 0, sizeof(*segments));
	segments->interface = interface;
	segments->known_mtu = info->tcpi_pmtu;
	segments->header =
		header + ((info->tcpi_options & TCPI_OPT_TIMESTAMPS) != 0 ? TIMESTAMPS : 0);
}

static void try_full(struct segments *segments, struct message *message, int fd, uint64_t patience)
{
	struct tcp_info info;
	bool complete;

	*message = (struct message){.probe = {message->probe.run, 2, clock_ns()},
				    .size = LARGE,
				    .buffer = message->buffer};
	complete = exchange(message, fd, patience);
	info = ask(fd);
	sum_up(segments, &info);
	segments->corrupt = message->corrupt;
	segments->interrupted = !complete && signals_caught() > 0;
	if (!complete && !message->corrupt && !segments->interrupted)
		segments->stall = info.tcpi_unacked > 0 ? STALL_THERE : STALL_BACK;
}

int segments_try(struct segments *segments, const struct target *target, int fd, size_t interface,
		 uint64_t timeout)
{
	struct message message = {.probe = {0, 1, clock_ns()}, .size = SMALL};
	struct tcp_info info = ask(fd);

	begin(segments, target, interface, &info);
	message.buffer = malloc(PIECE);
	if (!message.buffer || getrandom(&message.probe.run, sizeof(message.probe.run), 0) < 0) {
		free(message.buffer);
		return -1;
	}
	segments->answered = exchange(&message, fd, timeout);
	segments->interrupted = !segments->answered && signals_caught() > 0;
	segments->corrupt = message.corrupt;
	sum_up(segments, &info);
	if (segments->answered)
		try_full(segments, &message, fd, STALL_TIMES * timeout);
	free(message.buffer);
	return 0;
}

size_t segments_packet(const struct segments *segments)
{
	return segments->mss + segments->header;
}
