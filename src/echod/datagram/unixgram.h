/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagrams over a unix socket: as UDP, without addresses to judge and without trains. */

#ifndef ECHOD_DATAGRAM_UNIXGRAM_H
#define ECHOD_DATAGRAM_UNIXGRAM_H

/* The event callback of a unix datagram socket. ARG is its endpoint. */
void unixgram_echo_ready(int fd, short what, void *arg);

#endif
