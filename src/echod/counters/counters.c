/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The table of counter names, used for the metrics, the status line and the log line of SIGUSR1.
 * Owns only constants; counting is inline in counters.h.
 */

#include "config.h"

#include "echod/counters/counters.h"

/* "tcp_rejected" is shown as echod_tcp_rejected_total. Rows of a family are adjacent. */
const struct counter_name counter_names[COUNTER_COUNT] = {
	[TCP_ACCEPTED] = {"tcp_accepted", .help = "TCP connections accepted."},
	[TCP_REJECTED_DENIED] = {"tcp_rejected", "reason", "denied",
				 "TCP connections refused, by reason.", "address not allowed"},
	[TCP_REJECTED_MAX_CLIENTS] = {"tcp_rejected", "reason", "max_clients",
				      .plain = "too many clients"},
	[TCP_REJECTED_PER_IP] = {"tcp_rejected", "reason", "per_ip",
				 .plain = "too many from one address"},
	[TCP_REJECTED_PROXY] = {"tcp_rejected", "reason", "proxy",
				.plain = "no valid PROXY header"},
	[TCP_ACCEPT_ERRORS] = {"tcp_accept_errors",
			       .help = "Connections that could not be accepted."},
	[TCP_CLOSED_CLIENT] = {"tcp_closed", "reason", "client",
			       "TCP connections ended, by reason.", "closed by the client"},
	[TCP_CLOSED_IDLE] = {"tcp_closed", "reason", "idle", .plain = "idle for too long"},
	[TCP_CLOSED_STALL] = {"tcp_closed", "reason", "stall", .plain = "client did not read"},
	[TCP_CLOSED_ERROR] = {"tcp_closed", "reason", "error", .plain = "error"},
	[TCP_CLOSED_SHUTDOWN] = {"tcp_closed", "reason", "shutdown", .plain = "echod stops"},
	[TCP_CLOSED_REPLIED] = {"tcp_closed", "reason", "replied", .plain = "after one reply"},
	[TCP_RECEIVED_BYTES] = {"received_bytes", "protocol", "tcp",
				"Bytes received, those of dropped datagrams included.", "TCP"},
	[UDP_RECEIVED_BYTES] = {"received_bytes", "protocol", "udp", .plain = "UDP"},
	[TCP_SENT_BYTES] = {"sent_bytes", "protocol", "tcp", "Bytes sent.", "TCP"},
	[UDP_SENT_BYTES] = {"sent_bytes", "protocol", "udp", .plain = "UDP"},
	[UDP_RECEIVED_DATAGRAMS] = {"udp_received_datagrams", .help = "Datagrams received."},
	[UDP_ECHOED_DATAGRAMS] = {"udp_echoed_datagrams", .help = "Datagrams sent back."},
	[UDP_DROPPED_DENIED] = {"udp_dropped_datagrams", "reason", "denied",
				"Datagrams received and not answered, by reason.",
				"address not allowed"},
	[UDP_DROPPED_GUARD] = {"udp_dropped_datagrams", "reason", "guard",
			       .plain = "source cannot be a client"},
	[UDP_DROPPED_TTL] = {"udp_dropped_datagrams", "reason", "ttl", .plain = "no hops left"},
	[UDP_DROPPED_RATE] = {"udp_dropped_datagrams", "reason", "rate",
			      .plain = "too many a second"},
	[UDP_DROPPED_LOOPED] = {"udp_dropped_datagrams", "reason", "looped", .plain = "in a loop"},
	[UDP_DROPPED_SHORT] = {"udp_dropped_datagrams", "reason", "short", .plain = "too short"},
	[UDP_DROPPED_AUTH] = {"udp_dropped_datagrams", "reason", "auth",
			      .plain = "not authenticated"},
	[UDP_DROPPED_SESSIONS] = {"udp_dropped_datagrams", "reason", "sessions",
				  .plain = "no session free"},
	[UDP_DROPPED_SEND] = {"udp_dropped_datagrams", "reason", "send",
			      .plain = "could not be sent"},
	[UDP_RECEIVE_ERRORS] = {"udp_receive_errors",
				.help = "Attempts to receive datagrams that failed."},
};
