/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The table of settings, in the order in which they are documented and dumped, and when one has no
 * effect. Owns nothing but constants.
 */

#include "config.h"

#include "echod/config/settings.h"

#include "daemon/log.h"
#include "daemon/sandbox/sandbox.h"
#include "daemon/settings/values.h"
#include "echod/config/configuration.h"
#include "echod/config/modes.h"
#include "echod/config/protocols.h"

#define SERVER(field) .sections = IN_SERVER, .offset = offsetof(struct server_config, field)
#define LISTENER(field) .sections = IN_LISTENER, .offset = offsetof(struct listener_config, field)
#define ANY_LISTENER(field)                                                                        \
	.sections = IN_DEFAULTS | IN_LISTENER, .offset = offsetof(struct listener_config, field)

#define SECOND_US UINT64_C(1000000)
#define MINUTES UINT64_C(60000)
#define DAYS (24 * 60 * MINUTES)

/* clang-format off */
const struct setting settings[] = {
	{"workers", SERVER(workers), .type = &number_or_auto_value,
	 .min = 1, .max = 1024, .default_text = "auto", .restart = true},
	{"log_level", SERVER(log_level), .type = &word_value, .words = log_level_names,
	 .default_text = "notice"},
	{"user", SERVER(user), .type = &user_value, .default_text = "", .restart = true},
	{"sandbox", SERVER(sandbox), .type = &word_value, .words = sandbox_names,
	 .default_text = DEFAULT_SANDBOX, .restart = true},
	{"max_clients", SERVER(max_clients), .type = &number_or_auto_value,
	 .min = 1, .max = 1048576, .default_text = "auto"},
	{"drain_timeout", SERVER(drain_timeout), .type = &duration_value,
	 .max = 10 * MINUTES, .default_text = "10s"},
	{"busy_poll", SERVER(busy_poll), .type = &short_duration_value,
	 .max = SECOND_US, .default_text = "0"},
	{"metrics", SERVER(metrics), .type = &endpoint_value, .default_text = "", .restart = true},

	{"address", LISTENER(addresses), .type = &addresses_value, .default_text = "",
	 .required = true},
	{"protocol", LISTENER(protocols), .type = &protocols_value, .default_text = "tcp udp",
	 .applies_to = APPLIES_TO_IP},

	{"mode", ANY_LISTENER(mode), .type = &word_value, .words = mode_names,
	 .default_text = "echo",
	 .applies_to = APPLIES_TO_UDP},
	{"allow", ANY_LISTENER(allow), .type = &networks_value, .default_text = "",
	 .applies_to = APPLIES_TO_IP},
	{"deny", ANY_LISTENER(deny), .type = &networks_value, .default_text = "",
	 .applies_to = APPLIES_TO_IP},
	{"max_clients_per_ip", ANY_LISTENER(max_clients_per_ip), .type = &number_value,
	 .max = UINT32_MAX, .default_text = "0", .applies_to = APPLIES_TO_TCP_ADDRESSES},
	{"proxy_from", ANY_LISTENER(proxy_from), .type = &networks_value, .default_text = "",
	 .applies_to = APPLIES_TO_TCP_ADDRESSES},
	{"idle_timeout", ANY_LISTENER(idle_timeout), .type = &duration_value,
	 .max = 365 * DAYS, .default_text = "1h", .applies_to = APPLIES_TO_TCP},
	{"stall_timeout", ANY_LISTENER(stall_timeout), .type = &duration_value,
	 .max = 365 * DAYS, .default_text = "2m", .applies_to = APPLIES_TO_TCP},
	{"greeting", ANY_LISTENER(greeting), .type = &text_value, .default_text = "",
	 .applies_to = APPLIES_TO_TCP},
	{"prefix", ANY_LISTENER(prefix), .type = &text_value, .default_text = "",
	 .applies_to = APPLIES_TO_TCP},
	{"reply_once", ANY_LISTENER(reply_once), .type = &boolean_value, .default_text = "no",
	 .applies_to = APPLIES_TO_TCP},
	{"udp_rate", ANY_LISTENER(udp_rate), .type = &number_value,
	 .max = UINT32_MAX, .default_text = "1000", .applies_to = APPLIES_TO_UDP},
	{"udp_guard", ANY_LISTENER(udp_guard), .type = &boolean_value, .default_text = "yes",
	 .applies_to = APPLIES_TO_UDP},
	{"udp_ttl_guard", ANY_LISTENER(udp_ttl_guard), .type = &boolean_value,
	 .default_text = "yes", .applies_to = APPLIES_TO_UDP},
	{"reflect_dscp", ANY_LISTENER(reflect_dscp), .type = &boolean_value, .default_text = "no",
	 .applies_to = APPLIES_TO_UDP},
	{"stamp_sessions", ANY_LISTENER(stamp_sessions), .type = &number_value,
	 .max = STAMP_SESSIONS_MAX, .default_text = "0", .applies_to = APPLIES_TO_SESSIONS},
	{"stamp_key", ANY_LISTENER(stamp_key), .type = &stamp_key_value, .default_text = "",
	 .applies_to = APPLIES_TO_STAMP},
	{"stamp_dscp", ANY_LISTENER(stamp_dscp), .type = &word_value, .words = stamp_dscp_names,
	 .default_text = "any",
	 .applies_to = APPLIES_TO_STAMP},
};
/* clang-format on */

const size_t setting_count = ARRAY_SIZE(settings);
_Static_assert(ARRAY_SIZE(settings) <= SETTINGS_MAX, "SETTINGS_MAX is too small");

static const struct section sections[] = {
	[SERVER_SECTION] = {"server", IN_SERVER, .offset = offsetof(struct config, server)},
	[DEFAULTS_SECTION] = {"defaults", IN_DEFAULTS, .offset = offsetof(struct config, defaults)},
	[LISTENER_SECTION] = {"listener", IN_LISTENER, .offset = offsetof(struct config, listeners),
			      .size = sizeof(struct listener_config),
			      .count_offset = offsetof(struct config, listener_count),
			      .defaults = &sections[DEFAULTS_SECTION]},
};
_Static_assert(offsetof(struct listener_config, name) == 0, "a section begins with its name");

unsigned mode_applies_to(uint64_t mode)
{
	switch (mode) {
	case MODE_ECHO:
		return 0;
	case MODE_STAMP:
		return APPLIES_TO_SESSIONS | APPLIES_TO_STAMP;
	default:
		return APPLIES_TO_SESSIONS;
	}
}

/* APPLIES_TO_ bits. Modes other than echo are UDP only; what contradicts that is an error. */
static unsigned served_by(const struct listener_config *listener)
{
	bool is_echo = listener->mode == MODE_ECHO;
	unsigned served = mode_applies_to(listener->mode);

	for (size_t i = 0; i < listener->addresses.count; i++) {
		enum address_kind kind = listener->addresses.items[i].kind;

		if (kind == ADDRESS_UNIX)
			served |= APPLIES_TO_TCP;
		if (kind != ADDRESS_INET)
			continue;
		served |= APPLIES_TO_IP;
		if (is_echo && (listener->protocols & PROTOCOL_TCP))
			served |= APPLIES_TO_TCP | APPLIES_TO_TCP_ADDRESSES;
		if (!is_echo || (listener->protocols & PROTOCOL_UDP))
			served |= APPLIES_TO_UDP;
	}
	return served;
}

static const char *no_effect(const struct setting *setting, const void *values)
{
	const struct listener_config *listener = values;

	if (setting->applies_to == APPLIES_TO_ALL || listener->addresses.count == 0 ||
	    (served_by(listener) & setting->applies_to) != 0)
		return NULL;
	switch (setting->applies_to) {
	case APPLIES_TO_IP:
		return "has no IP address";
	case APPLIES_TO_UDP:
		return "serves no UDP";
	case APPLIES_TO_SESSIONS:
		return "has no mode with sessions";
	case APPLIES_TO_STAMP:
		return "has no mode = stamp";
	default:
		return "serves no TCP";
	}
}

const struct schema config_schema = {.sections = sections,
				     .section_count = ARRAY_SIZE(sections),
				     .settings = settings,
				     .setting_count = ARRAY_SIZE(settings),
				     .no_effect = no_effect};
