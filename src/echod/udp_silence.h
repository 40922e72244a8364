/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Why a datagram was not answered, for the person who measures and waits: at most one line per
 * reason in 30 seconds at info, and one for a source over its rate at notice. Formats nothing
 * otherwise.
 */

#ifndef ECHOD_UDP_SILENCE_H
#define ECHOD_UDP_SILENCE_H

#include "common/address.h"
#include "guard.h"

struct intake;
struct udp_notes;

void udp_silence_refused(const struct intake *intake, const struct address *peer,
			 const struct udp_notes *notes, enum verdict verdict);
void udp_silence_limited(const struct intake *intake, const struct address *peer,
			 const struct udp_notes *notes);

#endif
