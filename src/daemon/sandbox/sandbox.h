/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The words of `sandbox`: whether a daemon confines itself, and what a forbidden call leads to. */

#pragma once

enum sandbox {
	SANDBOX_NO,
	SANDBOX_AUTO, /* as far as the kernel can; a forbidden call fails */
	SANDBOX_KILL, /* at any price; a forbidden call ends the process */
};

extern const char *const sandbox_names[];
