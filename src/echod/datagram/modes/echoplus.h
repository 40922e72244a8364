/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* UDPEchoPlus (Broadband Forum TR-143, appendix A): a row of modes.c. Owns nothing. */

#pragma once

#include "echod/datagram/modes/mode.h"

enum verdict echoplus_answer(struct question *question);
void echoplus_seal(struct question *question, const struct timespec *now);
void echoplus_unanswered(struct question *question);
