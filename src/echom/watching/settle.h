/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The fate of each probe of a watch, entered once: in its counts, its history and its outages.
 * Called by exchange.c and, over TCP, by the link.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "probe/flow.h"

struct watch;

/* What came is in watch->reception and, over STAMP, what it says was judged last. */
void watch_settle_reply(struct watch *watch, uint64_t sequence, const struct finding *finding,
			size_t bytes);
void watch_settle_lost(struct watch *watch, uint64_t sequence, const char *why);

/* Nothing listens at the other end, which only one who waits for the end wants to know at once. */
void watch_settle_refusal(struct watch *watch);
