/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The types of values that only echom's settings have: target address, protocol, source. */

#pragma once

#include "base/compiler.h"
#include "base/reason.h"
#include "daemon/settings/schema.h"

#define WATCH_ADDRESS_MAX 280 /* a name of 253 letters, or an address with brackets, and a port */
#define WATCH_SOURCE_MAX 80
#define WATCH_FLOWS_MAX 64

enum watch_protocol { WATCH_UDP, WATCH_TCP, WATCH_STAMP, WATCH_PROTOCOLS };

extern const char *const watch_protocol_names[WATCH_PROTOCOLS];

/* char [WATCH_ADDRESS_MAX], without a port if none was given */
extern const struct value_type watch_address_value;

/* HOST or HOST:PORT of TEXT, which is either. */
int watch_address_parse(char address[static WATCH_ADDRESS_MAX], const char *text,
			struct reason *reason) WARN_UNUSED;

extern const struct value_type watch_protocol_value; /* uint64_t */
extern const struct value_type watch_source_value;   /* char [WATCH_SOURCE_MAX] */

/* Gives an address without a port that of its protocol. */
void watch_address_complete(char address[static WATCH_ADDRESS_MAX], enum watch_protocol protocol);
