/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the configuration in force means outside of the workers: log level, limit on clients. */

#pragma once

#include <stdint.h>

struct server;

void apply_log_level(struct server *server);
void apply_client_limit(struct server *server);

/* Every client is a descriptor: takes as many as the hard limit gives, and returns how many. */
uint64_t descriptors_raise(void);
