/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A secret key in a file of its own, as hex digits. Refuses a file that others could read or have
 * written. Nothing is left open, and no copy of the key but the one that the caller gets.
 */

#pragma once

#include <sys/types.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "base/sha256.h"

/* Bytes, two digits each. */
#define KEY_MIN 16
#define KEY_MAX 64

/* FORBIDDEN: this process may not open it, which is no fault of the file's. */
enum key_file { KEY_FILE_READ, KEY_FILE_FORBIDDEN, KEY_FILE_BAD };

/*
 * Sets the key if it returns READ, otherwise the reason, "PATH: what, and what to do". The file
 * must belong to root, to the user of this process or to OWNER, and nobody else may read it, by its
 * mode or its ACL. Never blocks.
 */
enum key_file key_file_read(const char *path, uid_t owner, struct hmac_key *key,
			    struct reason *reason) WARN_UNUSED;
