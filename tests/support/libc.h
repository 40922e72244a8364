/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Types of functions that tests define in place of the C library: glibc and musl differ. */

#pragma once

#include <sys/socket.h>

#ifdef __GLIBC__
#define LIBC_SOCKADDR __SOCKADDR_ARG
#define LIBC_SOCKADDR_OF(argument) ((argument).__sockaddr__)
typedef int libc_flags;
typedef size_t libc_control_length;
typedef unsigned long libc_request; /* of ioctl */
#else
#define LIBC_SOCKADDR struct sockaddr *restrict
#define LIBC_SOCKADDR_OF(argument) (argument)
typedef unsigned libc_flags;
typedef socklen_t libc_control_length;
typedef int libc_request;
#endif
