/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The limit on open files of a program that needs many sockets. */

#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"

/* Raises it, if need be, for COUNT sockets and the rest; OPTION is what there could be less of. */
int descriptors_allow(size_t count, const char *option, struct reason *reason) WARN_UNUSED;
