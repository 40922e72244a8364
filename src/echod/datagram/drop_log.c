/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See drop_log.h. */

#include "config.h"

#include "echod/datagram/drop_log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "echod/datagram/batch.h"
#include "echod/datagram/datagrams.h"
#include "echod/datagram/sending.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/loop.h"

/* Both ends of a datagram as a person reads them. */
struct ends {
	char from[ADDRESS_TEXT_MAX];
	char to[ADDRESS_TEXT_MAX];
};

static void describe(const struct endpoint *endpoint, const struct address *peer,
		     const struct udp_notes *notes, struct ends *ends)
{
	const struct address *own = &endpoint->socket->address;
	struct address from = *peer;
	struct address to = {.length = sizeof(to.in6)};

	if (peer->sa.sa_family == AF_UNIX) {
		address_format(peer, ends->from);
		address_format(own, ends->to);
		return;
	}
	from.length = from.sa.sa_family == AF_INET ? sizeof(from.in4) : sizeof(from.in6);
	to.in6.sin6_family = AF_INET6;
	to.in6.sin6_addr = notes->destination;
	to.in6.sin6_port = htons(address_port(own));
	if (IN6_IS_ADDR_LINKLOCAL(&notes->destination))
		to.in6.sin6_scope_id = notes->interface;
	address_unmap(&from);
	address_unmap(&to);
	address_format(&from, ends->from);
	address_format(&to, ends->to);
}

void udp_drop_log_refused(const struct endpoint *endpoint, const struct address *peer,
			  const struct udp_notes *notes, enum verdict verdict)
{
	struct log_throttle *lines = &endpoint->service->loop->shared->silence_lines[verdict];
	struct ends ends;
	unsigned suppressed;

	if (!log_enabled(LEVEL_INFO) || !log_throttle_pass(lines, clock_ms(), &suppressed))
		return;
	describe(endpoint, peer, notes, &ends);
	log_write(LEVEL_INFO, "udp %s on %s not answered: %s", ends.from, ends.to,
		  verdict_meanings[verdict].reason);
}

void udp_drop_log_limited(const struct endpoint *endpoint, const struct address *peer,
			  const struct udp_notes *notes)
{
	struct ends ends;

	if (!log_enabled(LEVEL_NOTICE))
		return;
	describe(endpoint, peer, notes, &ends);
	log_write(LEVEL_NOTICE,
		  "udp %s on %s not answered: more than %" PRIu64
		  " datagrams a second from one source (udp_rate)",
		  ends.from, ends.to, endpoint->service->settings->udp_rate);
}

void udp_drop_log_unsent(const struct endpoint *endpoint, const struct udp_sent *sent)
{
	const struct loop *loop = endpoint->service->loop;
	size_t kind = (size_t)sent->error < SEND_ERRORS ? (size_t)sent->error : 0;
	struct udp_notes notes;
	struct ends ends;
	unsigned suppressed;

	if (!log_enabled(LEVEL_NOTICE) ||
	    !log_throttle_pass(&loop->shared->unsent_lines[kind], clock_ms(), &suppressed))
		return;
	udp_control_read(&loop->datagrams->batch->in[sent->index].msg_hdr, &notes);
	describe(endpoint, &loop->datagrams->batch->peers[sent->index], &notes, &ends);
	log_write(LEVEL_NOTICE, "%s %s on %s not answered: cannot send: %s",
		  socket_kind_names[endpoint->socket->kind], ends.from, ends.to,
		  sent->error == EAGAIN ? "no room in the send buffer or at the receiver"
					: strerror(sent->error));
}
