/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Short names for compiler attributes and common macros. */

#pragma once

#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define WARN_UNUSED __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define NOT_INLINED __attribute__((noinline))
#define INLINED inline __attribute__((always_inline))
#define CACHE_ALIGNED __attribute__((aligned(64)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
