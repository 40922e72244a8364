/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What SIGHUP does: the next configuration replaces the one in force, or nothing changes. */

#pragma once

struct server;

/* Loads the configuration anew and gives it to the workers; SERVING again when all have it. */
void reload_begin(struct server *server);
