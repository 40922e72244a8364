/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See protocols.h. Called through its row in settings.c. */

#include "config.h"

#include "echod/config/protocols.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

static const struct {
	const char *name;
	uint64_t bit;
} protocols[] = {{"tcp", PROTOCOL_TCP}, {"udp", PROTOCOL_UDP}};

static int parse_protocol(const struct setting *setting UNUSED, void *value, const char *text,
			  struct reason *reason)
{
	uint64_t *bits = value;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(text, protocols[i].name) != 0)
			continue;
		if (*bits & protocols[i].bit)
			return reason_set(reason, "%s is named twice", text);
		*bits |= protocols[i].bit;
		return 0;
	}
	return reason_set(reason, "\"%s\" is neither tcp nor udp", text);
}

/* Item number ITEM of those protocols whose bit is set. */
static bool format_protocol(const struct setting *setting UNUSED, const void *value, size_t item,
			    char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!(*(const uint64_t *)value & protocols[i].bit) || item-- > 0)
			continue;
		(void)snprintf(text, VALUE_TEXT_MAX, "%s", protocols[i].name);
		return true;
	}
	return false;
}

const struct value_type protocols_value = {
	.size = sizeof(uint64_t), .list = true, .parse = parse_protocol, .format = format_protocol};
