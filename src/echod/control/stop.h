/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What SIGTERM and SIGINT do: connections drain, and what has not by drain_timeout is reset. */

#pragma once

struct server;

/* The first signal stops, another one stops at once. */
void stop_on_signal(struct server *server);
