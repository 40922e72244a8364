/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See connection_log.h. */

#include "config.h"

#include "echod/stream/connection_log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "echod/serving/loop.h"

static void log_suppressed(unsigned count)
{
	if (count > 0)
		log_info("... %u suppressed", count);
}

void connection_log_rest(struct shared_tables *shared, int64_t now_ms)
{
	unsigned suppressed;

	(void)log_throttle_over(&shared->connection_lines, now_ms, &suppressed);
	log_suppressed(suppressed);
}

static bool line_allowed(const struct service *service)
{
	struct log_throttle *lines = &service->loop->shared->connection_lines;
	unsigned suppressed;

	if (!log_enabled(LEVEL_INFO) || !log_throttle_pass(lines, clock_ms(), &suppressed))
		return false;
	log_suppressed(suppressed);
	return true;
}

/* "tcp 192.0.2.9:4711", or "unix" for a client that has no name. */
static const char *peer_text(const struct sockaddr *sa, char text[static ADDRESS_TEXT_MAX + 4])
{
	struct address peer = {.length = sizeof(peer.in6)};

	if (sa->sa_family == AF_UNIX)
		return "unix";
	memcpy(&peer.in6, sa, sa->sa_family == AF_INET ? sizeof(peer.in4) : sizeof(peer.in6));
	memcpy(text, "tcp ", sizeof("tcp "));
	address_format(&peer, text + 4);
	return text;
}

void log_connection_opened(const struct service *service, const struct sockaddr *peer)
{
	char text[ADDRESS_TEXT_MAX + 4];

	if (line_allowed(service))
		log_write(LEVEL_INFO, "%s on %s opened", peer_text(peer, text), service->name);
}

void log_connection_closed(const struct service *service, const struct sockaddr *peer,
			   enum counter why, const struct connection_record *record)
{
	char text[ADDRESS_TEXT_MAX + 4];
	bool failed = why == TCP_CLOSED_ERROR;
	int error = errno; /* of the call that failed */
	int64_t lasted;

	if (!line_allowed(service))
		return;
	lasted = clock_ms() - record->opened;
	log_write(LEVEL_INFO,
		  "%s on %s closed: %s%s%s, %" PRIu64 " bytes received, %" PRIu64 " sent, %" PRId64
		  ".%03d s",
		  peer_text(peer, text), service->name, counter_names[why].value,
		  failed ? ": " : "", failed ? strerror(error) : "", record->received, record->sent,
		  lasted / 1000, (int)(lasted % 1000));
}

void log_connection_refused(const struct service *service, const struct address *peer,
			    enum counter why)
{
	const char *reason = counter_names[why].value; /* accept errors have none of their own */
	struct address plain = *peer;
	char text[ADDRESS_TEXT_MAX + 4];

	address_unmap(&plain);
	if (line_allowed(service))
		log_write(LEVEL_INFO, "%s on %s refused: %s", peer_text(&plain.sa, text),
			  service->name, reason ? reason : "no memory");
}
