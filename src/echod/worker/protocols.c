/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See protocols.h. */

#include "config.h"

#include "echod/worker/protocols.h"

#include "echod/datagram/datagrams.h"
#include "echod/datagram/echo.h"
#include "echod/datagram/turn.h"
#include "echod/datagram/unixgram.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/loop.h"
#include "echod/serving/protocol.h"
#include "echod/stream/accept.h"
#include "echod/stream/connections.h"

const struct protocol *protocol_for(enum socket_kind kind)
{
	static const struct protocol protocols[] = {
		[SOCKET_TCP] = {.ready = stream_accept_ready, .rest = stream_accept_rest},
		[SOCKET_UNIX] = {.ready = stream_accept_ready,
				 .rest = stream_accept_rest,
				 .inherits_nothing = true},
		[SOCKET_UDP] = {.ready = udp_echo_ready,
				.rest = datagram_turn_rest,
				.end = datagram_turn_end,
				.adapt = udp_echo_adapt,
				.only_timer_resumes = true},
		[SOCKET_UNIXGRAM] = {.ready = unixgram_echo_ready,
				     .rest = datagram_turn_rest,
				     .end = datagram_turn_end,
				     .only_timer_resumes = true},
	};

	return &protocols[kind];
}

int protocols_open(struct loop *loop)
{
	loop->datagrams = datagrams_new(loop->base);
	return connections_open(loop) < 0 || !loop->datagrams ? -1 : 0;
}

void protocols_close(struct loop *loop)
{
	endpoints_stop(loop);
	connections_close(loop);
	datagrams_free(loop->datagrams);
}
