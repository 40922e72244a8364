/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The one table of settings: a row says where a key is allowed, what its value is like, where it is
 * kept and what it is by default. All of daemon/settings walks it; a new setting is a new row and
 * its field in configuration.h.
 */

#pragma once

#include <stddef.h>

#include "daemon/settings/schema.h"

/* Values of [defaults] and [listener] are kept in the same type. */
enum { SERVER_SECTION, DEFAULTS_SECTION, LISTENER_SECTION };
enum { IN_SERVER = 1, IN_DEFAULTS = 2, IN_LISTENER = 4 };

/*
 * What a setting applies to: it has no effect on a listener that does not serve this. TCP includes
 * UNIX streams, unless clients are distinguished by IP address. Some modes of UDP have sessions.
 */
enum applies_to {
	APPLIES_TO_ALL = 0,
	APPLIES_TO_IP = 1,
	APPLIES_TO_TCP = 2,
	APPLIES_TO_UDP = 4,
	APPLIES_TO_TCP_ADDRESSES = 8,
	APPLIES_TO_SESSIONS = 16,
	APPLIES_TO_STAMP = 32
};

/* Those of a mode, beside what its sockets apply to. */
unsigned mode_applies_to(uint64_t mode);

extern const struct setting settings[];
extern const size_t setting_count;
extern const struct schema config_schema; /* all of it; its program is struct config */
