/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See modes.h. A further mode is a row here, a word in config/modes.c and a file beside this. */

#include "config.h"

#include "echod/datagram/modes/modes.h"

#include "echod/datagram/modes/echoplus.h"
#include "echod/datagram/modes/stamp.h"

const struct datagram_mode datagram_modes[MODE_COUNT] = {
	[MODE_ECHO] = {.needs = NEEDS_TRAINS},
	[MODE_STAMP] = {.needs = NEEDS_TOS | NEEDS_RECEIVE_TIME,
			.waives = WAIVES_PORT_862 | WAIVES_HOP_CAP,
			.answer = stamp_answer,
			.seal = stamp_seal,
			.unanswered = stamp_unanswered},
	[MODE_ECHOPLUS] = {.needs = NEEDS_RECEIVE_TIME,
			   .answer = echoplus_answer,
			   .seal = echoplus_seal,
			   .unanswered = echoplus_unanswered},
};
