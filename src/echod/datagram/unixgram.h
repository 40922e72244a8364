/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagrams over a unix socket: as UDP, without addresses to judge and without trains. */

#pragma once

/* The event callback of a unix datagram socket. ARG is its endpoint. */
void unixgram_echo_ready(int fd, short what, void *arg);
