/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Where stream connections come in, TCP and unix alike: admitted, refused, or left in the queue for
 * a while when descriptors or memory have run out, or accepting is forbidden.
 */

#pragma once

struct endpoint;

/* The event callback of a listening socket. ARG is its endpoint. */
void stream_accept_ready(int fd, short what, void *arg);

/* Accepts what is queued, at most one backlog, before the socket is closed. */
void stream_accept_rest(struct endpoint *endpoint);
