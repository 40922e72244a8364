/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The values of `stamp_key` and `stamp_dscp`. A key is wiped when its configuration ends. The text
 * of the setting is only the path; load.c reads the file when it knows all of the configuration.
 */

#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/key_file.h"
#include "base/reason.h"
#include "daemon/settings/schema.h"
#include "daemon/settings/strict_ini.h"

struct stamp_key {
	char path[LINE_MAX_LENGTH + 1]; /* "": none */
	struct hmac_key *hmac;		/* apart, so that it stays where it is; NULL: not read */
	bool shared;			/* by [defaults], which owns it */
};

extern const struct value_type stamp_key_value;

enum { STAMP_DSCP_ANY, STAMP_DSCP_RECEIVED };

extern const char *const stamp_dscp_names[];

/* Reads the key from its path; OWNER as for key_file_read. */
enum key_file stamp_key_read(struct stamp_key *key, uid_t owner, struct reason *reason) WARN_UNUSED;

/* A copy of one that was read before; -1 when there is no memory. */
int stamp_key_copy(struct stamp_key *key, const struct stamp_key *from) WARN_UNUSED;
