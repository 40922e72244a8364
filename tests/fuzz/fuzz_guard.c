/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A datagram as hostile as it can be: any bytes as control messages, any source, any port. Whatever
 * the guard lets through, no answer may leave that the rules forbid.
 */

#include "config.h"

#include "echod/config/configuration.h"
#include "echod/guard/guard.h"
#include "echod/sockets/udp_control.h"
#include "fuzz/fuzz.h"

#define SERVED_PORT 50007

/* How an input starts; the control messages follow. */
struct head {
	struct in6_addr source;
	uint16_t port;
	uint8_t flags;
	uint8_t v4; /* odd: the source is IPv4, in the last four bytes */
};

enum {
	GUARD_OFF = 1,
	TTL_GUARD_OFF = 2,
	FROM_LOOPBACK = 4,
	DENY = 8,
	ALLOW = 16,
	PORT_862 = 32, /* a mode that answers it, */
	ANY_HOPS = 64, /* and has replies with all the hops that are left */
};

static struct listener_config listener;

static void set_lists(uint8_t flags)
{
	struct reason reason;

	if (flags & DENY)
		FUZZ_CHECK(netlist_add(&listener.deny, "192.0.2.0/24", &reason) == 0);
	if (flags & ALLOW)
		FUZZ_CHECK(netlist_add(&listener.allow, "2001:db8::/32", &reason) == 0);
}

/* Only the guard's promises, in other words than its own. */
static void check_source(const struct arrival *arrival)
{
	const uint8_t *ip = arrival->source.s6_addr;
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, zeros[15];

	FUZZ_CHECK(arrival->source_port >= 1024 ||
		   (arrival->source_port == 862 && (arrival->waives & WAIVES_PORT_862)));
	FUZZ_CHECK(arrival->source_port != 2049 && arrival->source_port != SERVED_PORT);
	FUZZ_CHECK(!arrival->to_group);
	if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
		FUZZ_CHECK(ip[12] != 0 && ip[12] != 255 && (ip[12] & 0xf0) != 0xe0);
		FUZZ_CHECK(ip[12] != 127 || arrival->from_loopback);
		return;
	}
	FUZZ_CHECK(ip[0] != 0xff);
	if (memcmp(ip, zeros, sizeof(zeros)) == 0) {
		FUZZ_CHECK(ip[15] != 0);
		FUZZ_CHECK(ip[15] != 1 || arrival->from_loopback);
	}
}

static void check_answered(const struct arrival *arrival, uint8_t flags)
{
	const uint8_t *ip = arrival->source.s6_addr;

	if (!(flags & GUARD_OFF))
		check_source(arrival);
	if (flags & DENY && ip[10] == 0xff && ip[11] == 0xff && ip[12] == 192 && ip[13] == 0)
		FUZZ_CHECK(ip[14] != 2 || !IN6_IS_ADDR_V4MAPPED(&arrival->source));
	if (flags & ALLOW)
		FUZZ_CHECK(ip[0] == 0x20 && ip[1] == 1 && ip[2] == 0x0d && ip[3] == 0xb8);
}

/* The kernel aligns control messages, and writes no more than there is room for. */
static void read_notes(const uint8_t *data, size_t size, struct udp_notes *notes)
{
	size_t length = size < CONTROL_SIZE ? size : CONTROL_SIZE;
	void *bytes = malloc(length > 0 ? length : 1);
	struct msghdr message = {.msg_control = bytes, .msg_controllen = length};

	FUZZ_CHECK(bytes);
	if (length > 0)
		memcpy(bytes, data, length);
	udp_control_read(&message, notes);
	free(bytes);
}

/* What is written for the reply fits, and is read back as what was meant. */
static void check_reply(const struct udp_notes *notes, bool v4, int hops)
{
	struct udp_answer answer = {
		.v4 = v4, .hops = hops, .tos = notes->tos, .segment = notes->segment};
	struct msghdr message = {0};
	union control control;
	struct udp_notes reply;

	if (answer.tos > 255)
		answer.tos = -1;
	memset(&control, 0, sizeof(control));
	udp_control_write(&message, &control, notes, &answer);
	FUZZ_CHECK(message.msg_controllen <= sizeof(control));
	udp_control_read(&message, &reply);
	FUZZ_CHECK(reply.hops == (hops > 0 ? hops : -1));
	FUZZ_CHECK(reply.tos == (answer.tos >= 0 ? answer.tos : -1));
}

/* As the UDP path does it: 0 leaves the hops to the kernel. */
static int reply_hops(const struct arrival *arrival, uint8_t flags)
{
	int hops;

	if (flags & TTL_GUARD_OFF)
		return 0;
	hops = guard_reply_hops(arrival->hops, arrival->waives);
	FUZZ_CHECK(hops >= 1 && hops < arrival->hops);
	FUZZ_CHECK(hops <= 64 || (flags & ANY_HOPS));
	return hops;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arrival arrival;
	struct guard_ports ports;
	struct udp_notes notes;
	struct head head;
	enum verdict verdict;
	unsigned waives = 0;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	if (head.v4 & 1)
		memcpy(&head.source, (const uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12);
	read_notes(data + sizeof(head), size - sizeof(head), &notes);
	listener.udp_guard = !(head.flags & GUARD_OFF);
	listener.udp_ttl_guard = !(head.flags & TTL_GUARD_OFF);
	if (head.flags & PORT_862)
		waives |= WAIVES_PORT_862;
	if (head.flags & ANY_HOPS)
		waives |= WAIVES_HOP_CAP;
	set_lists(head.flags);
	guard_ports_init(&ports);
	guard_ports_refuse(&ports, SERVED_PORT);
	arrival = (struct arrival){
		.source = head.source,
		.destination = notes.destination,
		.source_port = head.port,
		.to_group = notes.to_group,
		.from_loopback = (head.flags & FROM_LOOPBACK) != 0,
		.hops = notes.hops,
		.waives = waives,
	};
	verdict = guard_judge(&ports, &listener, &arrival);
	FUZZ_CHECK(verdict >= ANSWER && verdict < VERDICT_COUNT);
	FUZZ_CHECK(verdict_meanings[verdict].reason);
	if (verdict == ANSWER) {
		check_answered(&arrival, head.flags);
		check_reply(&notes, IN6_IS_ADDR_V4MAPPED(&arrival.source),
			    reply_hops(&arrival, head.flags));
	}
	netlist_clear(&listener.allow);
	netlist_clear(&listener.deny);
	return 0;
}
