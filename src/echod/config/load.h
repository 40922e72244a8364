/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* One load of the configuration, at start and at each reload. Owns nothing. */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "daemon/settings/findings.h"
#include "echod/config/configuration.h"

/* Where a configuration comes from: the same at start and at each reload. */
struct config_source {
	const char *path;
	bool must_exist;
	const struct listen_address *addresses; /* of -l, instead of the file's listeners */
	size_t address_count;
	bool handed;		       /* sockets were: no address of the file is opened */
	const struct config *in_force; /* at a reload; at the start NULL */
};

/* NULL when anything is wrong; every error was reported by then. The caller holds one reference. */
struct config *config_load(const struct config_source *source, report_finding *report) WARN_UNUSED;
