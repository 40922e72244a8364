/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See modes.h. A further mode is a row here, a word in config/modes.c and a file beside this. */

#include "config.h"

#include "echod/datagram/modes/modes.h"

#include "echod/datagram/modes/echoplus.h"

const struct datagram_mode datagram_modes[MODE_COUNT] = {
	[MODE_ECHO] = {.needs = NEEDS_TRAINS},
	[MODE_ECHOPLUS] = {.needs = NEEDS_RECEIVE_TIME,
			   .answer = echoplus_answer,
			   .seal = echoplus_seal,
			   .unanswered = echoplus_unanswered},
};
