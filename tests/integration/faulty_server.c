/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See faulty_server.h. The threads and what they hold end with the process of the test. */

#include "config.h"

#include "integration/faulty_server.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "integration/harness.h"
#include "integration/net.h"

#define MESSAGE_MAX 70000u

struct peer {
	const struct faulty *faulty;
	int fd;
	struct sockaddr_in address; /* UDP: the sender of the message */
	unsigned count;
	unsigned char message[MESSAGE_MAX];
	size_t length;
	unsigned char held[MESSAGE_MAX]; /* FAULT_REORDER */
	size_t held_length;
};

/* A reply of its own time. */
struct delayed {
	int fd;
	struct sockaddr_in address;
	size_t length;
	unsigned char message[MESSAGE_MAX];
	unsigned ms;
};

static void start_thread(void *(*run)(void *), void *context)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, run, context), 0);
	pthread_detach(thread);
}

static void put(const struct peer *peer, const void *data, size_t length)
{
	const unsigned char *at = data;

	if (peer->faulty->datagram) {
		(void)sendto(peer->fd, at, length, 0, (const struct sockaddr *)&peer->address,
			     sizeof(peer->address));
		return;
	}
	while (length > 0) {
		ssize_t sent = send(peer->fd, at, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		at += sent;
		length -= (size_t)sent;
	}
}

static void wait_ms(unsigned ms)
{
	struct timespec wait = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

	nanosleep(&wait, NULL);
}

static void *send_delayed(void *context)
{
	struct delayed *delayed = context;

	wait_ms(delayed->ms);
	(void)sendto(delayed->fd, delayed->message, delayed->length, 0,
		     (const struct sockaddr *)&delayed->address, sizeof(delayed->address));
	free(delayed);
	return NULL;
}

static void delay(const struct peer *peer)
{
	struct delayed *delayed;

	if (!peer->faulty->datagram) {
		wait_ms(peer->faulty->delay_ms);
		put(peer, peer->message, peer->length);
		return;
	}
	delayed = malloc(sizeof(*delayed));
	ck_assert_ptr_nonnull(delayed);
	delayed->fd = peer->fd;
	delayed->address = peer->address;
	delayed->length = peer->length;
	delayed->ms = peer->faulty->delay_ms;
	memcpy(delayed->message, peer->message, peer->length);
	start_thread(send_delayed, delayed);
}

static void drip(const struct peer *peer)
{
	for (size_t i = 0; i < peer->length; i++) {
		put(peer, peer->message + i, 1);
		wait_ms(peer->faulty->delay_ms);
	}
}

static void end(const struct peer *peer, bool reset)
{
	const struct linger at_once = {.l_onoff = 1};

	if (reset)
		(void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (!reset)
		shutdown(peer->fd, SHUT_RDWR);
}

/* False when the connection is to be closed. */
static bool do_wrong(struct peer *peer)
{
	const struct faulty *faulty = peer->faulty;

	switch (faulty->fault) {
	case FAULT_DROP:
		return true;
	case FAULT_DUPLICATE:
		wait_ms(faulty->delay_ms);
		put(peer, peer->message, peer->length);
		put(peer, peer->message, peer->length);
		return true;
	case FAULT_DELAY:
		delay(peer);
		return true;
	case FAULT_REORDER:
		memcpy(peer->held, peer->message, peer->length);
		peer->held_length = peer->length;
		return true;
	case FAULT_TRUNCATE:
		put(peer, peer->message, faulty->offset);
		return true;
	case FAULT_FLIP:
		peer->message[faulty->offset] ^= 1;
		put(peer, peer->message, peer->length);
		return true;
	case FAULT_CLOSE:
	case FAULT_RESET:
		put(peer, peer->message, faulty->offset);
		end(peer, faulty->fault == FAULT_RESET);
		return false;
	case FAULT_PREFIX:
		put(peer, faulty->text, strlen(faulty->text));
		put(peer, peer->message, peer->length);
		return true;
	case FAULT_LONGER:
		put(peer, peer->message, peer->length + 1);
		return true;
	case FAULT_DRIP:
		drip(peer);
		return true;
	case FAULT_NONE:
	default:
		put(peer, peer->message, peer->length);
		return true;
	}
}

static bool answer(struct peer *peer)
{
	const struct faulty *faulty = peer->faulty;

	peer->count++;
	if (faulty->at == 0 || faulty->at == peer->count)
		return do_wrong(peer);
	put(peer, peer->message, peer->length);
	if (peer->held_length > 0)
		put(peer, peer->held, peer->held_length);
	peer->held_length = 0;
	return true;
}

/* The next message, of the size that all have; false at the end. */
static bool get_message(struct peer *peer)
{
	size_t size = peer->faulty->size;
	ssize_t got;

	peer->length = 0;
	do {
		got = recv(peer->fd, peer->message + peer->length,
			   (size > 0 ? size : MESSAGE_MAX - 1) - peer->length, 0);
		if (got <= 0)
			return false;
		peer->length += (size_t)got;
	} while (peer->length < size);
	return true;
}

static void *serve_connection(void *context)
{
	struct peer *peer = context;

	if (peer->faulty->greeting)
		put(peer, peer->faulty->greeting, strlen(peer->faulty->greeting));
	while (get_message(peer) && answer(peer))
		;
	close(peer->fd);
	free(peer);
	return NULL;
}

static struct peer *new_peer(const struct faulty *faulty, int fd)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	ck_assert_ptr_nonnull(peer);
	peer->faulty = faulty;
	peer->fd = fd;
	return peer;
}

/* A full queue: the kernel throws away what would open another connection. */
static void go_deaf(int fd)
{
	struct sockaddr_in own;
	socklen_t length = sizeof(own);
	struct pollfd queue = {.fd = fd, .events = POLLIN};
	int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(listen(fd, 0), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	ck_assert_int_eq(connect(filler, (const struct sockaddr *)&own, length), 0);
	ck_assert_int_eq(poll(&queue, 1, patience_ms()), 1);
}

static void *serve_stream(void *context)
{
	struct peer *listener = context;
	const struct faulty *faulty = listener->faulty;
	const int on = 1;
	bool last = false;
	int fd;

	while (!last && (fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		last = ++listener->count == faulty->connections;
		if (last && faulty->deaf)
			go_deaf(listener->fd);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		start_thread(serve_connection, new_peer(faulty, fd));
	}
	if (!faulty->deaf)
		close(listener->fd);
	free(listener);
	return NULL;
}

static void *serve_datagrams(void *context)
{
	struct peer *peer = context;
	socklen_t length = sizeof(peer->address);
	ssize_t got;

	while ((got = recvfrom(peer->fd, peer->message, MESSAGE_MAX - 1, 0,
			       (struct sockaddr *)&peer->address, &length)) >= 0) {
		peer->length = (size_t)got;
		(void)answer(peer);
	}
	return NULL;
}

static int bound_socket(int type, char *text, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	snprintf(text, size, "127.0.0.1:%u", ntohs(address.sin_port));
	return fd;
}

const char *faulty_start(const struct faulty *faulty)
{
	static char target[64];
	static struct faulty started[8]; /* they serve until the test's process ends */
	static size_t count;
	struct faulty *own = &started[count++];
	int fd = bound_socket(faulty->datagram ? SOCK_DGRAM : SOCK_STREAM, target, sizeof(target));

	ck_assert_uint_le(count, ARRAY_SIZE(started));
	*own = *faulty;
	if (!faulty->datagram)
		ck_assert_int_eq(listen(fd, 64), 0);
	start_thread(faulty->datagram ? serve_datagrams : serve_stream, new_peer(own, fd));
	return target;
}

/*
 * Bound, so that no other socket gets it, but not listening. That holds for TCP alone: in a network
 * of its own, where that is possible, the number is free for UDP too.
 */
const char *closed_port(void)
{
	static char target[64];

	(void)own_network();
	/* Nor may the client itself be given it, and answer itself. */
	(void)reserve_port_of(bound_socket(SOCK_STREAM, target, sizeof(target)));
	return target;
}

const char *deaf_port(void)
{
	static char target[64];

	go_deaf(bound_socket(SOCK_STREAM, target, sizeof(target)));
	return target;
}

bool deaf_port_called(const char *target)
{
	unsigned long port = strtoul(strrchr(target, ':') + 1, NULL, 10);
	FILE *sockets = fopen("/proc/net/tcp", "r");
	char remote[32], line[256];
	bool called = false;

	ck_assert_ptr_nonnull(sockets);
	snprintf(remote, sizeof(remote), ":%04lX %02X ", port, (unsigned)TCP_SYN_SENT);
	while (!called && fgets(line, sizeof(line), sockets))
		called = strstr(line, remote) != NULL;
	fclose(sockets);
	return called;
}
