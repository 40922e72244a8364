/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* How far the life of the daemon has come. Control changes it, the monitor shows it. */

#pragma once

enum phase {
	STARTING, /* waiting for the workers' first answer */
	SERVING,
	RELOADING, /* waiting for the workers to have changed over */
	STOPPING
};
