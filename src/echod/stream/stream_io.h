/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * recv(2) and send(2) by number. glibc's are cancellation points, and in a process with threads
 * that bookkeeping costs more instructions than the rest of the call; nobody cancels a thread here.
 */

#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline ssize_t stream_receive(int fd, char *data, size_t size)
{
	return syscall(SYS_recvfrom, fd, data, size, 0, NULL, NULL);
}

static inline ssize_t stream_send(int fd, const char *data, size_t size)
{
	return syscall(SYS_sendto, fd, data, size, MSG_NOSIGNAL, NULL, 0);
}
