/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The mode `stamp`: a session-reflector of STAMP (RFC 8762 and 8972), which answers the senders of
 * TWAMP Light too. Its row in the table of modes calls these. Owns nothing.
 */

#pragma once

#include "echod/datagram/modes/mode.h"

enum verdict stamp_answer(struct question *question);
void stamp_seal(struct question *question, const struct timespec *now);
void stamp_unanswered(struct question *question);
