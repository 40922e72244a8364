/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What this daemon serves: the one table from kinds of sockets to the folders that answer them, and
 * what those need on a loop. Used by the worker and its plans.
 */

#pragma once

#include "base/compiler.h"
#include "echod/sockets/socket_kind.h"

struct loop;
struct protocol;

const struct protocol *protocol_for(enum socket_kind kind);

/* 0, or -1 when there is no memory; protocols_close takes a half-built one. */
int protocols_open(struct loop *loop) WARN_UNUSED;

/* Ends all that is still served on the loop. */
void protocols_close(struct loop *loop);
