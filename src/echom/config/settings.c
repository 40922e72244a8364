/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The settings in the order in which they are documented and dumped. Owns nothing but constants. */

#include "config.h"

#include "echom/config/settings.h"

#include "daemon/log.h"
#include "daemon/settings/values.h"
#include "echom/config/watchlist.h"
#include "probe/probe.h"

enum { IN_SERVER = 1, IN_DEFAULTS = 2, IN_TARGET = 4 };

#define SERVER(field) .sections = IN_SERVER, .offset = offsetof(struct echom_settings, field)
#define TARGET(field) .sections = IN_TARGET, .offset = offsetof(struct watch_settings, field)
#define ANY_TARGET(field)                                                                          \
	.sections = IN_DEFAULTS | IN_TARGET, .offset = offsetof(struct watch_settings, field)

#define SECONDS UINT64_C(1000)
#define HOURS (3600 * SECONDS)
#define DSCP_MAX 63
#define DATAGRAM_MAX 65507

/* clang-format off */
static const struct setting rows[] = {
	{"listen", SERVER(listen), .type = &endpoint_value, .default_text = "127.0.0.1:9108",
	 .restart = true},
	{"log_level", SERVER(log_level), .type = &word_value, .words = log_level_names,
	 .default_text = "notice"},
	{"user", SERVER(user), .type = &user_value, .default_text = "", .restart = true},
	{"targets_file", SERVER(targets_file), .type = &paths_value, .default_text = ""},
	{"probe_from", SERVER(probe_from), .type = &networks_value, .default_text = ""},
	{"probe_targets", SERVER(probe_targets), .type = &networks_value, .default_text = ""},

	{"address", TARGET(address), .type = &watch_address_value, .default_text = "",
	 .required = true},

	{"protocol", ANY_TARGET(protocol), .type = &watch_protocol_value, .default_text = "udp"},
	{"interval", ANY_TARGET(interval), .type = &duration_value,
	 .min = 10, .max = 1 * HOURS, .default_text = "1s"},
	{"timeout", ANY_TARGET(timeout), .type = &duration_value,
	 .min = 10, .max = 60 * SECONDS, .default_text = "1s"},
	{"size", ANY_TARGET(size), .type = &number_value,
	 .min = PROBE_SIZE_MIN, .max = DATAGRAM_MAX, .default_text = "64"},
	{"dscp", ANY_TARGET(dscp), .type = &number_value, .max = DSCP_MAX, .default_text = "0"},
	{"flows", ANY_TARGET(flows), .type = &number_value,
	 .min = 1, .max = WATCH_FLOWS_MAX, .default_text = "1"},
	{"source", ANY_TARGET(source), .type = &watch_source_value, .default_text = ""},
	{"labels", ANY_TARGET(labels), .type = &labels_value, .default_text = ""},
	{"resolve", ANY_TARGET(resolve), .type = &duration_value,
	 .min = 1 * SECONDS, .max = 24 * HOURS, .default_text = "5m"},
};
/* clang-format on */

_Static_assert(ARRAY_SIZE(rows) <= SETTINGS_MAX, "SETTINGS_MAX is too small");

static const struct section sections[] = {
	[WATCH_SERVER_SECTION] = {"server", IN_SERVER,
				  .offset = offsetof(struct watchlist, server)},
	[WATCH_DEFAULTS_SECTION] = {"defaults", IN_DEFAULTS,
				    .offset = offsetof(struct watchlist, defaults)},
	[WATCH_TARGET_SECTION] = {"target", IN_TARGET,
				  .offset = offsetof(struct watchlist, targets),
				  .size = sizeof(struct watch_settings),
				  .count_offset = offsetof(struct watchlist, count),
				  .defaults = &sections[WATCH_DEFAULTS_SECTION]},
};
_Static_assert(offsetof(struct watch_settings, section) == 0, "a section begins with its name");

const struct schema echom_schema = {.sections = sections,
				    .section_count = ARRAY_SIZE(sections),
				    .settings = rows,
				    .setting_count = ARRAY_SIZE(rows)};
