/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See connection_log.h. */

#include "config.h"

#include "echod/stream/connection_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "echod/serving/loop.h"
#include "echod/stream/peer.h"

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

#define CLIENT_TEXT_MAX (2 * ADDRESS_TEXT_MAX + sizeof("tcp  via "))

/* "tcp 192.0.2.9:4711", "tcp 192.0.2.9:4711 via 10.0.0.5:1234", or "unix", which has no name. */
static const char *client_text(const struct peer *peer, const struct peer *proxy,
			       char text[static CLIENT_TEXT_MAX])
{
	char address[ADDRESS_TEXT_MAX], via[ADDRESS_TEXT_MAX] = "";

	if (proxy)
		peer_format(proxy, via);
	(void)snprintf(text, CLIENT_TEXT_MAX, "%s%s%s%s", peer->is_unix ? "" : "tcp ",
		       peer_format(peer, address), proxy ? " via " : "", via);
	return text;
}

void log_connection_opened(const struct service *service, const struct peer *peer,
			   const struct peer *proxy)
{
	char text[CLIENT_TEXT_MAX];

	if (line_allowed(service))
		log_write(LEVEL_INFO, "%s on %s opened", client_text(peer, proxy, text),
			  service->name);
}

void log_connection_closed(const struct service *service, const struct peer *peer,
			   const struct peer *proxy, enum counter why,
			   const struct connection_record *record)
{
	char text[CLIENT_TEXT_MAX];
	bool failed = why == TCP_CLOSED_ERROR;
	int error = errno; /* of the call that failed */
	int64_t lasted;

	if (!line_allowed(service))
		return;
	lasted = clock_ms() - record->opened;
	log_write(LEVEL_INFO,
		  "%s on %s closed: %s%s%s, %" PRIu64 " bytes received, %" PRIu64 " sent, %" PRId64
		  ".%03d s",
		  client_text(peer, proxy, text), service->name, counter_names[why].value,
		  failed ? ": " : "", failed ? strerror(error) : "", record->received, record->sent,
		  lasted / 1000, (int)(lasted % 1000));
}

/* At notice the first of a while, which has to be seen where single connections are not logged. */
static bool is_noted(const struct service *service, const struct refusal *refusal)
{
	unsigned suppressed;

	return refusal->is_notable && log_enabled(LEVEL_NOTICE) &&
	       log_throttle_pass(&service->loop->shared->refusal_lines, clock_ms(), &suppressed);
}

void log_connection_refused(const struct service *service, const struct peer *peer,
			    const struct peer *proxy, const struct refusal *refusal)
{
	/* Accept errors have no name of their own. */
	const char *reason = counter_names[refusal->why].value;
	const char *detail = refusal->detail;
	bool noted = is_noted(service, refusal);
	char text[CLIENT_TEXT_MAX];

	if (noted || line_allowed(service))
		log_write(noted ? LEVEL_NOTICE : LEVEL_INFO, "%s on %s refused: %s%s%s",
			  client_text(peer, proxy, text), service->name,
			  reason ? reason : "no memory", detail ? ": " : "", detail ? detail : "");
}
