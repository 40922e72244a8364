/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Stream sockets whose other end is the fuzz target. What the program asks the system about their
 * descriptors is answered here, epoll and the coarse clock included, so that libevent is the real
 * one and nothing ever waits; all else goes to the kernel. Defines functions of the C library for
 * the whole program: one file of it includes this, and defines the fake_on_ functions.
 */

#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "support/libc.h"
#include "unit/fake_clock.h"

#define FAKE_FD 500 /* the first, and far from any real one */
#define FAKE_SOCKETS 24
#define FAKE_LISTENER FAKE_FD

struct fake_socket {
	bool open;	   /* the program has not closed it */
	bool shut;	   /* and has sent its FIN, */
	bool reset;	   /* or asked for a reset instead of one */
	bool fin;	   /* the peer's, behind what has arrived */
	bool broken;	   /* neither side reaches the other any more */
	bool hasty;	   /* the next epoll_wait calls it ready, be it so or not */
	int error;	   /* for the next call */
	size_t arrived;	   /* bytes that the program may receive */
	size_t unread;	   /* bytes that it has sent and the peer has not taken, */
	size_t capacity;   /* at most so many */
	size_t waiting;	   /* the listener's: connections to accept */
	uint32_t interest; /* what epoll is to report; 0: nothing */
	bool edge;	   /* it reports once each time that */
	bool news;	   /* something has changed */
	struct epoll_event wait;
};

static struct fake_socket fake_sockets[FAKE_SOCKETS]; /* the first is the listener */
static size_t fake_used;			      /* those behind were never open */

/* What goes wrong: that call, when it comes for the AFTER-th time from now, for once. */
enum fake_call { FAKE_RECV, FAKE_SEND, FAKE_SHUTDOWN, FAKE_EPOLL_ADD, FAKE_ACCEPT, FAKE_CALLS };

struct fake_fault {
	bool armed;
	unsigned after;
	int error;   /* 0: it works, */
	size_t most; /* but for no more than so many bytes */
};

static struct fake_fault fake_faults[FAKE_CALLS];

/* The target's: what arrives next; and what has just been done, or is about to be for a close. */
static void fake_on_fill(const struct fake_socket *socket, char *data, size_t size);
static void fake_on_recv(const struct fake_socket *socket, const char *data, size_t asked,
			 ssize_t result);
static void fake_on_send(const struct fake_socket *socket, const char *data, size_t size,
			 ssize_t result);
static void fake_on_accept(struct fake_socket *socket, struct sockaddr *peer, socklen_t *length);
static void fake_on_accept_failed(int error);
static void fake_on_shutdown(const struct fake_socket *socket, int result);
static void fake_on_close(const struct fake_socket *socket);
static void fake_on_add_refused(const struct fake_socket *socket);

/* NULL when FD is the kernel's. One of ours must be open. */
static struct fake_socket *fake_socket(int fd)
{
	if (fd < FAKE_FD || fd >= FAKE_FD + FAKE_SOCKETS)
		return NULL;
	FUZZ_CHECK(fake_sockets[fd - FAKE_FD].open);
	return &fake_sockets[fd - FAKE_FD];
}

static inline int fake_fd(const struct fake_socket *socket)
{
	return FAKE_FD + (int)(socket - fake_sockets);
}

static void fake_start(void)
{
	memset(fake_sockets, 0, sizeof(fake_sockets));
	memset(fake_faults, 0, sizeof(fake_faults));
	fake_sockets[0].open = true;
	fake_used = 1;
}

static inline size_t fake_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* -1 with errno when this call fails; otherwise 0, and the bound on its bytes. */
static int fake_go_wrong(enum fake_call call, size_t *most)
{
	struct fake_fault *fault = &fake_faults[call];

	*most = SIZE_MAX;
	if (!fault->armed || fault->after-- > 0)
		return 0;
	fault->armed = false;
	errno = fault->error;
	*most = fault->most;
	return fault->error != 0 ? -1 : 0;
}

/* A broken connection reports its error once, after what had arrived. */
static int fake_broken(struct fake_socket *socket)
{
	if (socket->error == 0)
		return 0;
	errno = socket->error;
	socket->error = 0;
	return -1;
}

static ssize_t fake_recv_some(struct fake_socket *socket, char *data, size_t size)
{
	size_t most, taken;

	if (fake_go_wrong(FAKE_RECV, &most) < 0)
		return -1;
	if (socket->arrived == 0 && fake_broken(socket) < 0)
		return -1;
	if (socket->arrived == 0 && (socket->fin || socket->broken))
		return 0;
	taken = fake_least(fake_least(size, socket->arrived), most);
	if (taken == 0) {
		errno = EAGAIN;
		return -1;
	}
	fake_on_fill(socket, data, taken);
	socket->arrived -= taken;
	return (ssize_t)taken;
}

static ssize_t fake_send_some(struct fake_socket *socket, size_t size)
{
	size_t most, taken;

	if (fake_go_wrong(FAKE_SEND, &most) < 0 || fake_broken(socket) < 0)
		return -1;
	taken = fake_least(fake_least(size, socket->capacity - socket->unread), most);
	if (socket->broken || taken == 0) {
		errno = socket->broken ? EPIPE : EAGAIN;
		return -1;
	}
	socket->unread += taken;
	return (ssize_t)taken;
}

/* The target may make calls of its own; errno stays as this one left it. */
static ssize_t fake_recv(struct fake_socket *socket, char *data, size_t size)
{
	ssize_t result = fake_recv_some(socket, data, size);
	int error = errno;

	fake_on_recv(socket, data, size, result);
	errno = error;
	return result;
}

static ssize_t fake_send(struct fake_socket *socket, const char *data, size_t size)
{
	ssize_t result = fake_send_some(socket, size);
	int error = errno;

	fake_on_send(socket, data, size, result);
	errno = error;
	return result;
}

typedef long system_call(long number, ...);

static system_call *fake_kernel(void)
{
	static system_call *found;

	if (!found)
		*(void **)&found = dlsym(RTLD_NEXT, "syscall");
	return found;
}

/* The path of a message calls recv and send by number. */
long syscall(long number, ...)
{
	struct fake_socket *socket;
	va_list list;
	long a[6];

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	socket = number == SYS_recvfrom || number == SYS_sendto ? fake_socket((int)a[0]) : NULL;
	if (!socket)
		return fake_kernel()(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (number == SYS_recvfrom)
		return fake_recv(socket, (char *)a[1], (size_t)a[2]);
	FUZZ_CHECK((int)a[3] == MSG_NOSIGNAL);
	return fake_send(socket, (const char *)a[1], (size_t)a[2]);
}

/* The header may have one that is inline, which cannot be defined again under its own name. */
ssize_t fake_libc_recv(int fd, void *data, size_t size, int flags) __asm__("recv");

ssize_t fake_libc_recv(int fd, void *data, size_t size, int flags)
{
	struct fake_socket *socket = fake_socket(fd);

	if (socket)
		return fake_recv(socket, data, size);
	return fake_kernel()(SYS_recvfrom, fd, data, size, flags, NULL, NULL);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	struct fake_socket *socket = fake_socket(fd);

	if (socket) {
		FUZZ_CHECK(flags == MSG_NOSIGNAL);
		return fake_send(socket, data, size);
	}
	return fake_kernel()(SYS_sendto, fd, data, size, flags, NULL, 0);
}

/* The first, as with descriptors. */
static struct fake_socket *fake_free_socket(void)
{
	for (size_t i = 1; i < fake_used; i++) {
		if (!fake_sockets[i].open)
			return &fake_sockets[i];
	}
	return fake_used < FAKE_SOCKETS ? &fake_sockets[fake_used] : NULL;
}

int accept4(int fd, LIBC_SOCKADDR peer, socklen_t *restrict length, int flags)
{
	struct fake_socket *listener = fake_socket(fd), *socket = fake_free_socket();
	size_t most;
	int error = 0;

	if (!listener)
		return (int)fake_kernel()(SYS_accept4, fd, LIBC_SOCKADDR_OF(peer), length, flags);
	FUZZ_CHECK(flags == (SOCK_NONBLOCK | SOCK_CLOEXEC));
	if (fake_go_wrong(FAKE_ACCEPT, &most) < 0)
		error = errno;
	else if (listener->waiting == 0 || !socket)
		error = listener->waiting == 0 ? EAGAIN : EMFILE;
	if (error != 0) {
		fake_on_accept_failed(error);
		errno = error;
		return -1;
	}
	listener->waiting--;
	if (socket == &fake_sockets[fake_used])
		fake_used++;
	*socket = (struct fake_socket){.open = true, .capacity = 1};
	fake_on_accept(socket, LIBC_SOCKADDR_OF(peer), length);
	return fake_fd(socket);
}

int shutdown(int fd, int how)
{
	struct fake_socket *socket = fake_socket(fd);
	size_t most;
	int result, error;

	if (!socket)
		return (int)fake_kernel()(SYS_shutdown, fd, how);
	FUZZ_CHECK(how == SHUT_WR && !socket->shut);
	result = fake_go_wrong(FAKE_SHUTDOWN, &most);
	if (result == 0 && socket->broken) {
		errno = ENOTCONN;
		result = -1;
	}
	error = errno;
	socket->shut = result == 0;
	fake_on_shutdown(socket, result);
	errno = error;
	return result;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	struct fake_socket *socket = fake_socket(fd);
	struct linger linger;

	if (!socket)
		return (int)fake_kernel()(SYS_setsockopt, fd, level, name, value, length);
	if (level == SOL_TCP ||
	    name != SO_LINGER) { /* one that waited at a handed listener, or ends */
		FUZZ_CHECK(socket->interest == 0 || name == TCP_USER_TIMEOUT);
		FUZZ_CHECK(length == sizeof(int));
		return 0;
	}
	FUZZ_CHECK(length == sizeof(linger));
	memcpy(&linger, value, sizeof(linger));
	FUZZ_CHECK(linger.l_onoff != 0 && linger.l_linger == 0);
	socket->reset = true;
	return 0;
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict length)
{
	struct fake_socket *socket = fake_socket(fd);

	if (!socket)
		return (int)fake_kernel()(SYS_getsockopt, fd, level, name, value, length);
	FUZZ_CHECK(level == SOL_SOCKET && name == SO_ERROR && *length == sizeof(int));
	*(int *)value = socket->error;
	socket->error = 0;
	return 0;
}

int ioctl(int fd, libc_request request, ...)
{
	struct fake_socket *socket = fake_socket(fd);
	va_list list;
	void *value;

	va_start(list, request);
	value = va_arg(list, void *);
	va_end(list);
	if (!socket)
		return (int)fake_kernel()(SYS_ioctl, fd, request, value);
	FUZZ_CHECK(request == SIOCINQ || request == SIOCOUTQ);
	*(int *)value = (int)(request == SIOCINQ ? socket->arrived : socket->unread);
	return 0;
}

/* Nothing is closed that epoll still looks at: another may share it, or be given the number. */
int close(int fd)
{
	struct fake_socket *socket = fake_socket(fd);

	if (!socket)
		return (int)fake_kernel()(SYS_close, fd);
	FUZZ_CHECK(socket->interest == 0);
	fake_on_close(socket);
	socket->open = false;
	return 0;
}

#include "fuzz/fake_epoll.h"
