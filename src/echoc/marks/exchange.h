/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sends each mark several times, one probe after the other, and enters the replies; then sends
 * those again that got none, asking for unmarked replies. The probes are those of a STAMP sender: a
 * reflector answers them, and an echo server returns them.
 */

#pragma once

#include "base/compiler.h"
#include "base/reason.h"
#include "echoc/command/arguments.h"
#include "echoc/marks/mark.h"
#include "probe/stamp_sender.h"
#include "probe/target.h"

/* FD is connected to the chosen address of the target, and stays the caller's. */
int marks_exchange(struct marks *marks, const struct arguments *arguments,
		   const struct stamp_form *form, const struct target *target, int fd,
		   struct reason *reason) WARN_UNUSED;
