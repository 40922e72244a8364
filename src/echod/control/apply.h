/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the configuration in force means outside of the workers: log level, limit on clients. */

#pragma once

struct server;

void apply_log_level(struct server *server);
void apply_client_limit(struct server *server);
