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
	[TCP_ACCEPTED] = {"tcp_accepted", NULL, NULL, "TCP connections accepted."},
	[TCP_REJECTED_DENIED] = {"tcp_rejected", "reason", "denied",
				 "TCP connections refused, by reason."},
	[TCP_REJECTED_MAX_CLIENTS] = {"tcp_rejected", "reason", "max_clients", NULL},
	[TCP_REJECTED_PER_IP] = {"tcp_rejected", "reason", "per_ip", NULL},
	[TCP_REJECTED_PROXY] = {"tcp_rejected", "reason", "proxy", NULL},
	[TCP_ACCEPT_ERRORS] = {"tcp_accept_errors", NULL, NULL,
			       "Connections that could not be accepted."},
	[TCP_CLOSED_CLIENT] = {"tcp_closed", "reason", "client",
			       "TCP connections ended, by reason."},
	[TCP_CLOSED_IDLE] = {"tcp_closed", "reason", "idle", NULL},
	[TCP_CLOSED_STALL] = {"tcp_closed", "reason", "stall", NULL},
	[TCP_CLOSED_ERROR] = {"tcp_closed", "reason", "error", NULL},
	[TCP_CLOSED_SHUTDOWN] = {"tcp_closed", "reason", "shutdown", NULL},
	[TCP_CLOSED_REPLIED] = {"tcp_closed", "reason", "replied", NULL},
	[TCP_RECEIVED_BYTES] = {"received_bytes", "protocol", "tcp",
				"Bytes received, those of dropped datagrams included."},
	[UDP_RECEIVED_BYTES] = {"received_bytes", "protocol", "udp", NULL},
	[TCP_SENT_BYTES] = {"sent_bytes", "protocol", "tcp", "Bytes sent."},
	[UDP_SENT_BYTES] = {"sent_bytes", "protocol", "udp", NULL},
	[UDP_RECEIVED_DATAGRAMS] = {"udp_received_datagrams", NULL, NULL, "Datagrams received."},
	[UDP_ECHOED_DATAGRAMS] = {"udp_echoed_datagrams", NULL, NULL, "Datagrams sent back."},
	[UDP_DROPPED_DENIED] = {"udp_dropped_datagrams", "reason", "denied",
				"Datagrams received and not answered, by reason."},
	[UDP_DROPPED_GUARD] = {"udp_dropped_datagrams", "reason", "guard", NULL},
	[UDP_DROPPED_TTL] = {"udp_dropped_datagrams", "reason", "ttl", NULL},
	[UDP_DROPPED_RATE] = {"udp_dropped_datagrams", "reason", "rate", NULL},
	[UDP_DROPPED_LOOPED] = {"udp_dropped_datagrams", "reason", "looped", NULL},
	[UDP_DROPPED_SHORT] = {"udp_dropped_datagrams", "reason", "short", NULL},
	[UDP_DROPPED_AUTH] = {"udp_dropped_datagrams", "reason", "auth", NULL},
	[UDP_DROPPED_SESSIONS] = {"udp_dropped_datagrams", "reason", "sessions", NULL},
	[UDP_DROPPED_SEND] = {"udp_dropped_datagrams", "reason", "send", NULL},
	[UDP_RECEIVE_ERRORS] = {"udp_receive_errors", NULL, NULL,
				"Attempts to receive datagrams that failed."},
};
