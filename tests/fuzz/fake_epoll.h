/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What epoll reports about the sockets of fake_kernel.h, of which this is a part. */

#pragma once

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	struct fake_socket *socket = fake_socket(fd);
	size_t most;

	if (!socket)
		return (int)fake_kernel()(SYS_epoll_ctl, epoll, operation, fd, event);
	if ((operation == EPOLL_CTL_ADD) == (socket->interest != 0)) {
		errno = operation == EPOLL_CTL_ADD ? EEXIST : ENOENT;
		return -1;
	}
	if (operation == EPOLL_CTL_ADD && fake_go_wrong(FAKE_EPOLL_ADD, &most) < 0) {
		int error = errno;

		fake_on_add_refused(socket);
		errno = error;
		return -1;
	}
	socket->interest = 0;
	if (operation == EPOLL_CTL_DEL)
		return 0;
	socket->interest = event->events & (EPOLLIN | EPOLLOUT);
	FUZZ_CHECK(socket->interest != 0);
	socket->edge = event->events & EPOLLET;
	socket->news = true;
	socket->wait = *event;
	return 0;
}

static uint32_t fake_ready(struct fake_socket *socket)
{
	uint32_t ready = 0;

	if (socket->arrived > 0 || socket->fin || socket->waiting > 0 || socket->hasty)
		ready |= EPOLLIN;
	if (socket->unread < socket->capacity || socket->hasty)
		ready |= EPOLLOUT;
	ready &= socket->interest;
	if (socket->broken && socket->interest != 0)
		ready |= EPOLLERR | EPOLLHUP; /* whether asked for or not */
	if (socket->edge && !socket->news && !socket->hasty)
		ready = 0;
	socket->hasty = socket->news = false;
	return ready;
}

int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
	int count = 0;

	(void)epoll;
	FUZZ_CHECK(timeout == 0);
	for (size_t i = 0; i < fake_used && count < room; i++) {
		uint32_t ready = fake_sockets[i].open ? fake_ready(&fake_sockets[i]) : 0;

		if (ready == 0)
			continue;
		events[count] = fake_sockets[i].wait;
		events[count++].events = ready;
	}
	return count;
}
