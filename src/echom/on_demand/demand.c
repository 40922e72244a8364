/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See demand.h. Called once for each request. */

#include "config.h"

#include "echom/on_demand/demand.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/units.h"
#include "daemon/http/message.h"
#include "daemon/http/query.h"
#include "probe/target.h"

#define COUNT_MAX 1000
#define INTERVAL_MIN 10
#define TIMEOUT_MIN 10
#define TIMEOUT_MAX 30000
#define TEXT_MAX (TARGET_NAME_MAX + 8) /* with brackets and a port */

#define SCRAPE_TIMEOUT "X-Prometheus-Scrape-Timeout-Seconds"
#define SCRAPE_TIMEOUT_MAX (24 * 3600 * 1000)
#define SCRAPE_MARGIN 500 /* for the way back; of a short timeout half */

struct parameter {
	const char *name;
	const char *default_text; /* NULL: it has to be given */
	int (*take)(struct demand *demand, const char *text, struct reason *reason);
};

static int take_protocol(struct demand *demand, const char *text, struct reason *reason)
{
	return watch_protocol_value.parse(NULL, &demand->protocol, text, reason);
}

static int take_target(struct demand *demand, const char *text, struct reason *reason)
{
	if (watch_address_value.parse(NULL, demand->address, text, reason) < 0)
		return -1;
	watch_address_complete(demand->address, (enum watch_protocol)demand->protocol);
	return 0;
}

static int take_count(struct demand *demand, const char *text, struct reason *reason)
{
	return parse_unsigned(text, 1, COUNT_MAX, &demand->count, reason);
}

static int take_interval(struct demand *demand, const char *text, struct reason *reason)
{
	return parse_decimal_duration(text, INTERVAL_MIN, DEMAND_MAX_MS, &demand->interval, reason);
}

static int take_timeout(struct demand *demand, const char *text, struct reason *reason)
{
	return parse_decimal_duration(text, TIMEOUT_MIN, TIMEOUT_MAX, &demand->timeout, reason);
}

/* The port of a target depends on the protocol. */
static const struct parameter parameters[] = {
	{"protocol", "udp", take_protocol}, {"target", NULL, take_target},
	{"count", "10", take_count},	    {"interval", "20ms", take_interval},
	{"timeout", "2s", take_timeout},
};

/* Texts become part of labels and of answers. */
static bool is_clean(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\')
			return false;
	}
	return true;
}

static int read_parameter(struct demand *demand, const struct parameter *parameter,
			  const char *query, struct reason *reason)
{
	char text[TEXT_MAX];

	switch (http_parameter(query, parameter->name, text, sizeof(text))) {
	case PARAMETER_PRESENT:
		if (!is_clean(text))
			return reason_set(reason, "only printable ASCII, without blanks and \" \\");
		return parameter->take(demand, text, reason);
	case PARAMETER_ABSENT:
		if (!parameter->default_text)
			return reason_set(reason, "missing: HOST or HOST:PORT");
		return parameter->take(demand, parameter->default_text, reason);
	case PARAMETER_MALFORMED:
	default:
		return reason_set(reason, "too long, or a bad %% escape");
	}
}

static int check_time(const struct demand *demand, struct reason *reason)
{
	uint64_t needed = (demand->count - 1) * demand->interval + demand->timeout;

	if (needed <= DEMAND_MAX_MS)
		return 0;
	return reason_set(reason,
			  "count, interval and timeout: together up to %" PRIu64
			  "s; at most %ds is possible",
			  (needed + 999) / 1000, DEMAND_MAX_MS / 1000);
}

/* The answer has to be there before Prometheus stops waiting for it. */
static int read_limit(struct demand *demand, const struct http_request *request,
		      struct reason *reason)
{
	char text[32];
	uint64_t scrape;

	demand->limit = DEMAND_MAX_MS;
	if (!http_header(request, SCRAPE_TIMEOUT, text, sizeof(text)))
		return 0;
	if (!is_clean(text) ||
	    parse_decimal_duration(text, 1, SCRAPE_TIMEOUT_MAX, &scrape, reason) < 0)
		return reason_set(reason, SCRAPE_TIMEOUT ": not a number of seconds up to a day");
	scrape = scrape > 2 * SCRAPE_MARGIN ? scrape - SCRAPE_MARGIN : scrape / 2;
	if (scrape < demand->limit)
		demand->limit = scrape;
	return 0;
}

int demand_read(struct demand *demand, const struct http_request *request, struct reason *reason)
{
	struct reason what;

	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
		if (read_parameter(demand, &parameters[i], request->query, &what) < 0)
			return reason_set(reason, "%s: %s", parameters[i].name, what.text);
	}
	if (check_time(demand, reason) < 0)
		return -1;
	return read_limit(demand, request, reason);
}
