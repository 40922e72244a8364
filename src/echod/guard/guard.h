/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Decides whether a client gets a reply. The stateless rules: address lists (rule 1), sources and
 * destinations that could be abused (rule 2), and the hop limit that ends a loop (rule 3). Uses
 * only the datagram's own properties; does not send, count or log.
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "echod/counters/counters.h"

struct listener_config;

/* Source ports that never get a reply: below 1024, 2049, and those served by this process. */
struct guard_ports {
	uint64_t refused[65536 / 64];
};

void guard_ports_init(struct guard_ports *ports);
void guard_ports_refuse(struct guard_ports *ports, uint16_t port);

enum verdict {
	ANSWER,
	DENIED_BY_LIST,
	PORT_RESERVED,
	PORT_NFS,
	PORT_SERVED_HERE,
	SOURCE_NOT_UNICAST,
	SOURCE_LOOPBACK_OUTSIDE,
	DESTINATION_NOT_UNICAST,
	SOURCE_IS_DESTINATION,
	HOPS_USED_UP,
	OVER_RATE,
	TOO_MANY_SOURCES,
	LOOPED,

	/* Of modes other than plain echo. */
	TOO_SHORT,
	NOT_AUTHENTIC,
	IS_A_REPLY,
	NO_SESSION,

	VERDICT_COUNT
};

struct verdict_meaning {
	enum counter counter; /* the counter to increment; unused for ANSWER */
	const char *reason;   /* for the log, with the setting responsible: "... (udp_guard)" */
};
extern const struct verdict_meaning verdict_meanings[VERDICT_COUNT];

#define MAX_REPLY_HOPS 64

/* Rules that do not apply to some modes. */
enum {
	WAIVES_PORT_862 = 1, /* STAMP: some senders send from the port they send to */
	WAIVES_HOP_CAP = 2   /* the hop limit of a reply shows the request's */
};

/* One datagram as it arrived; addresses in canonical form (IPv4 as v4-mapped). */
struct arrival {
	struct in6_addr source;
	struct in6_addr destination;
	uint16_t source_port;
	bool to_group;	    /* sent to a broadcast or multicast address */
	bool from_loopback; /* received on the loopback interface */
	int hops;	    /* TTL or hop limit as received; -1 if unknown */
	unsigned waives;    /* rules that do not apply */
};

/* Rule 1 only; used for TCP peers as well. */
bool guard_admits(const struct listener_config *listener, const struct in6_addr *ip);

/* Rules 1 to 3. */
enum verdict guard_judge(const struct guard_ports *ports, const struct listener_config *listener,
			 const struct arrival *arrival);

/*
 * The hop limit of the reply, at least 1 and at most 64 unless that is WAIVED, for a datagram that
 * guard_judge accepted. A loop ends because every reply has one hop less.
 */
static inline int guard_reply_hops(int received, unsigned waived)
{
	if (received > MAX_REPLY_HOPS && !(waived & WAIVES_HOP_CAP))
		return MAX_REPLY_HOPS;
	return received - 1;
}
