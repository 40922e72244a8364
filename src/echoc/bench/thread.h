/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One thread of a bench: an event loop with its share of the connections.
 */

#pragma once

#include <stddef.h>

#include "base/compiler.h"

struct bench;
struct bench_thread;
struct tcp_figures;
struct latency;

/* For each connection, at the start and when it is re-established. */
#define CONNECT_TIMEOUT_MS 5000

/* Takes over the sockets. INDEX is which of the threads it is. NULL without memory. */
struct bench_thread *bench_thread_new(struct bench *bench, unsigned index, const int *sockets,
				      size_t count);
void bench_thread_free(struct bench_thread *self);

int bench_thread_start(struct bench_thread *self) WARN_UNUSED; /* 0 or an errno */
void bench_thread_join(struct bench_thread *self);

/* Of its connections, when it was joined. */
void bench_thread_add_tcp(const struct bench_thread *self, struct tcp_figures *figures);

/* How long its connects took, and OTHER, which may be NULL; NULL unless there is one a message. */
const struct latency *bench_thread_add_connects(struct bench_thread *self,
						const struct latency *other);
