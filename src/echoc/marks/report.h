/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What marks prints, for people and for programs. */

#pragma once

#include "echoc/command/arguments.h"
#include "echoc/marks/mark.h"
#include "probe/target.h"

void marks_put_start(const struct marks *marks, const struct arguments *arguments,
		     const struct target *target, const char *own_address);
void marks_put(const struct marks *marks);

void marks_print_start(const struct marks *marks, const struct arguments *arguments,
		       const struct target *target);
void marks_print(const struct marks *marks);
