/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Reads the key files that a configuration names. Owns nothing; called at the end of a load. */

#pragma once

struct config;
struct draft;

/*
 * What is wrong with a file becomes a finding. IN_FORCE, at a reload, is the configuration whose
 * key stays if we may not open its file any more: `user` is in force by then. NULL: at a start.
 */
void stamp_keys_read(struct draft *draft, const struct config *in_force);
