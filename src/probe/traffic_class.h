/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The traffic class of a packet, IPv4's TOS byte: DSCP in the upper six bits, ECN in the lower two.
 */

#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"

#define TRAFFIC_CLASS_ECN 3u /* its bits, and their values: */
#define TRAFFIC_CLASS_ECT1 1u
#define TRAFFIC_CLASS_ECT0 2u
#define TRAFFIC_CLASS_CE 3u

/* 0..255, 0x00..0xff, or ef, va, af11..af43, cs0..cs7, le; +ect0 or +ect1 behind any of them. */
int traffic_class_parse(const char *text, uint8_t *value, struct reason *reason) WARN_UNUSED;

#define DSCP_NAME_MAX 8

/* "ef", "cs1", "df" and the like; "" if it has none. */
const char *dscp_name(unsigned dscp, char text[static DSCP_NAME_MAX]);

/* "not-ECT", "ECT(1)", "ECT(0)", "CE" */
const char *ecn_name(unsigned ecn);
