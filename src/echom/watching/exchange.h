/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Sends the probes of a watch, receives replies, settles each probe. Called by watch.c. */

#pragma once

#include <stdint.h>

#include "probe/link.h"

struct target;
struct watch;

extern const struct link_user watch_link_user;

/* TARGET is what the name means now: used as soon as nothing waits at another address. */
void watch_find(struct watch *watch, const struct target *target, uint64_t now);

/* Sends the next probe; one that cannot be sent is lost. */
void watch_probe(struct watch *watch);

/* Gives up what has waited for too long, after everything that has arrived was read. */
void watch_expire(struct watch *watch, uint64_t now);
