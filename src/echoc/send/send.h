/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * send: what the user wants to send goes out, what comes back is printed and compared.
 */

#ifndef ECHOC_SEND_SEND_H
#define ECHOC_SEND_SEND_H

#include "echoc/command/arguments.h"
#include "probe/target.h"

enum echoc_status send_run(const struct arguments *arguments, struct target *target);

#endif
