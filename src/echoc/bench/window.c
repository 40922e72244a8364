/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The windows of a bench, from its options alone. Owns nothing; every thread makes its connections
 * with it, and the main thread asks it first.
 */

#include "config.h"

#include "echoc/bench/window.h"

#include <inttypes.h>

#include "probe/window.h"

#define WINDOW_MIN 1024u
#define WINDOW_MAX (1u << 20)
#define DATAGRAM_WINDOWS (1u << 19) /* of all sockets: 4 to 8 MiB */
#define GIB 1073741824.0
#define MEMORY_MAX (1u << 30) /* twice what the most connections take with the defaults */

/*
 * A datagram may be awaited while others come and go; in a closed loop the window has room for half
 * a million per second.
 */
size_t bench_window(const struct arguments *arguments, bool datagram)
{
	uint64_t timeout = arguments->timeout_ms > 1000 ? arguments->timeout_ms : 1000;
	uint64_t size = 4 * arguments->depth;

	if (arguments->rate > 0)
		size = 2 * arguments->rate * timeout / 1000 / arguments->connections;
	else if (datagram && size < DATAGRAM_WINDOWS / arguments->connections)
		size = DATAGRAM_WINDOWS / arguments->connections;
	if (size < WINDOW_MIN)
		return WINDOW_MIN;
	return size > WINDOW_MAX ? WINDOW_MAX : (size_t)size;
}

int bench_window_check(const struct arguments *arguments, bool datagram, struct reason *reason)
{
	bool scheduled = arguments->rate > 0;
	uint64_t memory = arguments->connections * window_memory(bench_window(arguments, datagram));

	if (memory <= MEMORY_MAX)
		return 0;
	return reason_set(reason,
			  "-c %" PRIu64 " -%c %" PRIu64
			  " would take %.1f GiB of memory to keep track "
			  "of what is outstanding, the limit is %.0f GiB",
			  arguments->connections, scheduled ? 'r' : 'p',
			  scheduled ? arguments->rate : arguments->depth, (double)memory / GIB,
			  MEMORY_MAX / GIB);
}
