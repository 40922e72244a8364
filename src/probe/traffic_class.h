/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The traffic class of a packet, IPv4's TOS byte: DSCP in the upper six bits, ECN in the lower two.
 */

#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"

#define TRAFFIC_CLASS_ECN 3u /* its bits */

/* 0..255, 0x00..0xff, or ef, af11..af43, cs0..cs7, le; +ect0 or +ect1 behind any of them. */
int traffic_class_parse(const char *text, uint8_t *value, struct reason *reason) WARN_UNUSED;
