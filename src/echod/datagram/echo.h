/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagrams over UDP: received in batches, judged one by one, answered in a batch. */

#ifndef ECHOD_DATAGRAM_ECHO_H
#define ECHOD_DATAGRAM_ECHO_H

/* The event callback of a UDP socket. ARG is its endpoint. */
void udp_echo_ready(int fd, short what, void *arg);

#endif
