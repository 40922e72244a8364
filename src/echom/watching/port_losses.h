/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What each source port of a target has lost lately, for the question which flows lose more than
 * the others: in the current half hour and the one before. Owned by the watch.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"

#define PORT_LOSSES_PERIOD (1800 * NS_PER_S)

/* In each of two periods. */
struct port_loss {
	uint32_t sent[2];
	uint32_t lost[2];
};

struct port_losses {
	uint64_t began;	  /* the current period */
	unsigned current; /* 0 or 1 */
	size_t count;
	struct port_loss ports[];
};

/* NULL without memory. */
struct port_losses *port_losses_new(size_t count, uint64_t now) WARN_UNUSED;

/* The fate of a probe that left from PORT. */
void port_losses_enter(struct port_losses *losses, size_t port, bool lost, uint64_t now);

/* How many of the ports lose more than the others. */
size_t port_losses_lossy(const struct port_losses *losses);
