/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The limit: what one thread can do with epoll, recv and send and nothing else. No timeouts, no
 * counters, no limits. What a client does not take is kept, as everybody must who wants to lose
 * nothing. epoll PORT [BYTES]: one read takes at most so many, 65536 unless said.
 */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 1024
#define DESCRIPTORS 65536

static struct {
	char *data;
	size_t at, size;
} rests[DESCRIPTORS];

static int epoll;
static char *buffer;
static size_t buffer_size = 65536;

static void wait_for(int fd, uint32_t events, int operation)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	epoll_ctl(epoll, operation, fd, &event);
}

static void accept_all(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (fd < DESCRIPTORS)
			wait_for(fd, EPOLLIN, EPOLL_CTL_ADD);
		else
			close(fd);
	}
}

static void end(int fd)
{
	free(rests[fd].data);
	rests[fd].data = NULL;
	close(fd);
}

static void echo(int fd)
{
	ssize_t size = recv(fd, buffer, buffer_size, 0);
	ssize_t sent = size > 0 ? send(fd, buffer, (size_t)size, MSG_NOSIGNAL) : -1;

	if (size <= 0) {
		end(fd);
	} else if (sent < size) {
		sent = sent < 0 ? 0 : sent;
		rests[fd].at = 0;
		rests[fd].size = (size_t)(size - sent);
		rests[fd].data = malloc(rests[fd].size);
		if (!rests[fd].data)
			abort();
		memcpy(rests[fd].data, buffer + sent, rests[fd].size);
		wait_for(fd, EPOLLOUT, EPOLL_CTL_MOD);
	}
}

static void send_rest(int fd)
{
	ssize_t sent = send(fd, rests[fd].data + rests[fd].at, rests[fd].size - rests[fd].at,
			    MSG_NOSIGNAL);

	if (sent < 0) {
		end(fd);
		return;
	}
	rests[fd].at += (size_t)sent;
	if (rests[fd].at < rests[fd].size)
		return;
	free(rests[fd].data);
	rests[fd].data = NULL;
	wait_for(fd, EPOLLIN, EPOLL_CTL_MOD);
}

static int listen_on(unsigned short port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		perror("epoll: listen");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	static struct epoll_event events[EVENTS];
	struct rlimit files;
	int listener = listen_on((unsigned short)strtoul(argv[1], NULL, 10));

	if (argc > 2)
		buffer_size = strtoul(argv[2], NULL, 10);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	buffer = malloc(buffer_size);
	epoll = epoll_create1(0);
	wait_for(listener, EPOLLIN, EPOLL_CTL_ADD);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				accept_all(listener);
			else if (rests[events[i].data.fd].data)
				send_rest(events[i].data.fd);
			else
				echo(events[i].data.fd);
		}
	}
}
