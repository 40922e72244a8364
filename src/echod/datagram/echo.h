/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Datagrams over UDP: received in batches, judged one by one, answered in a batch by the mode of
 * their listener.
 */

#pragma once

struct endpoint;

/* The event callback of a UDP socket. ARG is its endpoint. */
void udp_echo_ready(int fd, short what, void *arg);

/* What its socket delivers with datagrams follows the mode and reflect_dscp of its listener. */
void udp_echo_adapt(struct endpoint *endpoint);
