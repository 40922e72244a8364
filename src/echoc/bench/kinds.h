/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The two kinds of channels. Only who makes a lane has to choose.
 */

#ifndef ECHOC_BENCH_KINDS_H
#define ECHOC_BENCH_KINDS_H

#include "echoc/bench/channel.h"

extern const struct channel_kind channel_tcp; /* also unix: */
extern const struct channel_kind channel_udp; /* also unixgram: */

#endif
