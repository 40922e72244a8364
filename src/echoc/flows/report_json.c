/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The result as JSON: echoc(1) documents every name. Owns nothing.
 */

#include "config.h"

#include <math.h>
#include <stdio.h>

#include "echoc/flows/findings.h"
#include "echoc/flows/flow_set.h"
#include "echoc/say/json.h"
#include "echoc/say/report.h"

void flows_put_start(const struct flows *flows)
{
	const struct arguments *arguments = flows->arguments;
	char own[ADDRESS_TEXT_MAX];
	struct json json;

	report_begin_start(&json, arguments->mode->name, flows->target, flows->run,
			   address_format(&flows->ports[0].target.source, own));
	json_unsigned(&json, "size", arguments->size);
	json_unsigned(&json, "flows", arguments->flows);
	json_unsigned(&json, "rate", arguments->rate);
	json_unsigned(&json, "duration_ms", arguments->duration_ms);
	json_unsigned(&json, "timeout_ms", arguments->timeout_ms);
	json_end(&json);
}

static void put_ttl(struct json *json, uint8_t least, uint8_t most)
{
	json_optional(json, "ttl_min", least);
	json_optional(json, "ttl_max", most);
}

static void put_resent(struct json *json, uint64_t delayed, uint64_t retransmits)
{
	json_unsigned(json, "delayed", delayed);
	json_unsigned(json, "retransmits", retransmits);
}

static void put_flow(const struct source_port *port, const struct flow_loss *loss, double elapsed)
{
	struct json json;

	report_begin_books(&json, "flow", &port->books, elapsed);
	json_unsigned(&json, "port", port->number);
	json_bool(&json, "lossy", loss->class > 0);
	json_unsigned(&json, "class", loss->class);
	put_ttl(&json, port->ttl_least, port->ttl_most);
	put_resent(&json, port->delayed, port->retransmits);
	json_unsigned(&json, "unsent", port->books.unsent);
	json_unsigned(&json, "icmp_errors", port->books.icmp_errors);
	json_end(&json);
}

static void put_class(const struct flow_class *class, unsigned number, double elapsed)
{
	struct json json;

	report_begin_books(&json, "class", &class->books, elapsed);
	json_unsigned(&json, "class", number);
	json_bool(&json, "lossy", number > 0);
	json_unsigned(&json, "flows", class->flows);
	put_ttl(&json, class->ttl_least, class->ttl_most);
	put_resent(&json, class->delayed, class->retransmits);
	json_unsigned(&json, "unsent", class->books.unsent);
	json_unsigned(&json, "icmp_errors", class->books.icmp_errors);
	json_end(&json);
}

void flows_put_end(const struct flows *flows, const struct findings *findings)
{
	const struct books *sum = &findings->sum;
	char command[REPEAT_TEXT_MAX];
	struct json json;

	for (size_t i = 0; i < flows->count; i++)
		put_flow(&flows->ports[i], &findings->losses[i], findings->seconds);
	for (unsigned i = 0; i <= findings->lossy_classes; i++)
		put_class(&findings->classes[i], i, findings->seconds);
	report_begin_books(&json, "summary", sum, findings->seconds);
	json_unsigned(&json, "flows", flows->count);
	json_unsigned(&json, "lossy_flows", findings->lossy);
	json_unsigned(&json, "lossy_classes", findings->lossy_classes);
	json_unsigned(&json, "paths_at_least", findings->paths_at_least);
	json_number(&json, "paths", findings->paths.paths, 2);
	json_number(&json, "paths_low", findings->paths.low, 2);
	json_number(&json, "paths_high", findings->paths.high, 2);
	json_string(&json, "repeat",
		    findings_repeat(flows, findings_first_lossy(findings, flows), command));
	json_unsigned(&json, "unsent", sum->unsent);
	report_end_books(&json, sum);
	report_hint(stderr, flows->target, &findings->classes[0].books, findings->seconds);
}
