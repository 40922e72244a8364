/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagrams over UDP: received in batches, judged one by one, answered in a batch. */

#pragma once

/* The event callback of a UDP socket. ARG is its endpoint. */
void udp_echo_ready(int fd, short what, void *arg);
