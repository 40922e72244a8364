/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Why a datagram was not answered, for the person who measures and waits: at most one line per
 * reason in 30 seconds, at info where it was decided by what arrived, at notice where the kernel
 * refused to send or a source was over its rate. Formats nothing otherwise.
 */

#pragma once

#include "base/address.h"
#include "echod/guard/guard.h"

struct endpoint;
struct udp_notes;
struct udp_sent;

void udp_drop_log_refused(const struct endpoint *endpoint, const struct address *peer,
			  const struct udp_notes *notes, enum verdict verdict);
void udp_drop_log_limited(const struct endpoint *endpoint, const struct address *peer,
			  const struct udp_notes *notes);

/* The kernel took some replies of the batch not; unix datagrams too. Each errno is a reason. */
void udp_drop_log_unsent(const struct endpoint *endpoint, const struct udp_sent *sent);
