/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The stateless rules that decide whether a client gets a reply: lists, sources and destinations
 * that could be abused, and the hop limit. Owns only the texts of reasons. Called by the UDP path
 * for each datagram, and for the lists when a connection is accepted.
 */

#include "config.h"

#include "echod/guard/guard.h"

#include <string.h>

#include "base/address.h"
#include "base/netlist.h"
#include "echod/config/configuration.h"

#define FIRST_ORDINARY_PORT 1024
#define NFS_PORT 2049 /* the one well-known UDP service above the reserved ports */
#define STAMP_PORT 862

const struct verdict_meaning verdict_meanings[VERDICT_COUNT] = {
	[ANSWER] = {UDP_ECHOED_DATAGRAMS, "answered"},
	[DENIED_BY_LIST] = {UDP_DROPPED_DENIED, "source not admitted (allow, deny)"},
	[PORT_RESERVED] = {UDP_DROPPED_GUARD, "source port below 1024 (udp_guard)"},
	[PORT_NFS] = {UDP_DROPPED_GUARD, "source port 2049 (udp_guard)"},
	[PORT_SERVED_HERE] = {UDP_DROPPED_GUARD, "source port served here (udp_guard)"},
	[SOURCE_NOT_UNICAST] = {UDP_DROPPED_GUARD,
				"source not the address of one host (udp_guard)"},
	[SOURCE_LOOPBACK_OUTSIDE] = {UDP_DROPPED_GUARD, "loopback source from outside (udp_guard)"},
	[DESTINATION_NOT_UNICAST] = {UDP_DROPPED_GUARD,
				     "sent to broadcast or multicast (udp_guard)"},
	[SOURCE_IS_DESTINATION] = {UDP_DROPPED_GUARD,
				   "source and destination are one address (udp_guard)"},
	[HOPS_USED_UP] = {UDP_DROPPED_TTL,
			  "TTL or hop limit unknown or not above 1 (udp_ttl_guard)"},
	[OVER_RATE] = {UDP_DROPPED_RATE, "too many datagrams a second (udp_rate)"},
	[TOO_MANY_SOURCES] = {UDP_DROPPED_RATE, "too many sources for a rate this low (udp_rate)"},
	[LOOPED] = {UDP_DROPPED_LOOPED,
		    "one payload again and again, perhaps from a loop (udp_ttl_guard)"},
	[TOO_SHORT] = {UDP_DROPPED_SHORT, "too short for a request (mode)"},
	[NOT_AUTHENTIC] = {UDP_DROPPED_AUTH, "not authenticated with the key (stamp_key)"},
	[IS_A_REPLY] = {UDP_DROPPED_LOOPED, "a reply and no request, perhaps in a loop (mode)"},
	[NO_SESSION] = {UDP_DROPPED_SESSIONS,
			"too many sessions, in all or of this source (stamp_sessions)"},
};

void guard_ports_init(struct guard_ports *ports)
{
	memset(ports, 0, sizeof(*ports));
	for (uint16_t port = 0; port < FIRST_ORDINARY_PORT; port++)
		guard_ports_refuse(ports, port);
	guard_ports_refuse(ports, NFS_PORT);
}

void guard_ports_refuse(struct guard_ports *ports, uint16_t port)
{
	ports->refused[port / 64] |= UINT64_C(1) << port % 64;
}

bool guard_admits(const struct listener_config *listener, const struct in6_addr *ip)
{
	if (netlist_contains(&listener->deny, ip))
		return false;
	return listener->allow.count == 0 || netlist_contains(&listener->allow, ip);
}

static enum verdict judge_port(const struct guard_ports *ports, uint16_t port, unsigned waives)
{
	if (!(ports->refused[port / 64] >> port % 64 & 1))
		return ANSWER;
	if (port == STAMP_PORT && (waives & WAIVES_PORT_862))
		return ANSWER;
	if (port < FIRST_ORDINARY_PORT)
		return PORT_RESERVED;
	return port == NFS_PORT ? PORT_NFS : PORT_SERVED_HERE;
}

static enum verdict judge_loopback(bool from_loopback)
{
	return from_loopback ? ANSWER : SOURCE_LOOPBACK_OUTSIDE;
}

/* 0/8 contains the unspecified address, 255/8 the limited broadcast address. */
static enum verdict judge_ipv4(const uint8_t ip[4], bool from_loopback)
{
	bool multicast = ip[0] >= 224 && ip[0] <= 239;

	if (ip[0] == 127)
		return judge_loopback(from_loopback);
	return multicast || ip[0] == 0 || ip[0] == 255 ? SOURCE_NOT_UNICAST : ANSWER;
}

static enum verdict judge_source(const struct in6_addr *ip, bool from_loopback)
{
	if (IN6_IS_ADDR_V4MAPPED(ip))
		return judge_ipv4(&ip->s6_addr[12], from_loopback);
	if (IN6_IS_ADDR_LOOPBACK(ip))
		return judge_loopback(from_loopback);
	return IN6_IS_ADDR_MULTICAST(ip) || IN6_IS_ADDR_UNSPECIFIED(ip) ? SOURCE_NOT_UNICAST
									: ANSWER;
}

/*
 * The reply would stay on this host, and reach a service that may trust its own host. Linux accepts
 * such a forgery over IPv6, and over IPv4 if accept_local is set. A client on this host that uses a
 * non-loopback address looks exactly the same, including the interface.
 */
static bool comes_from_ourselves(const struct arrival *arrival)
{
	return IN6_ARE_ADDR_EQUAL(&arrival->source, &arrival->destination) &&
	       !ip_is_loopback(&arrival->source);
}

/* Rule 2: no reply that a spoofer could direct at a service or at many hosts. */
static enum verdict judge_ends(const struct guard_ports *ports, const struct arrival *arrival)
{
	enum verdict verdict = judge_port(ports, arrival->source_port, arrival->waives);

	if (verdict == ANSWER)
		verdict = judge_source(&arrival->source, arrival->from_loopback);
	if (verdict == ANSWER && arrival->to_group)
		verdict = DESTINATION_NOT_UNICAST;
	if (verdict == ANSWER && comes_from_ourselves(arrival))
		verdict = SOURCE_IS_DESTINATION;
	return verdict;
}

/* Linux accepts IPv6 packets with a v4-mapped source; the reply would be sent over IPv4. */
static bool families_differ(const struct arrival *arrival)
{
	return !IN6_IS_ADDR_UNSPECIFIED(&arrival->destination) &&
	       IN6_IS_ADDR_V4MAPPED(&arrival->source) !=
		       IN6_IS_ADDR_V4MAPPED(&arrival->destination);
}

enum verdict guard_judge(const struct guard_ports *ports, const struct listener_config *listener,
			 const struct arrival *arrival)
{
	enum verdict verdict = ANSWER;

	if (!guard_admits(listener, &arrival->source))
		return DENIED_BY_LIST;
	if (families_differ(arrival))
		verdict = SOURCE_NOT_UNICAST;
	else if (listener->udp_guard)
		verdict = judge_ends(ports, arrival);

	/* Treat an unknown hop limit as used up: a loop must end even then. */
	if (verdict == ANSWER && listener->udp_ttl_guard && arrival->hops <= 1)
		verdict = HOPS_USED_UP;
	return verdict;
}
