/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One setting, in all the ways in which it can take effect and be removed again: at start, from the
 * section of its listener and from [defaults], and by reloads.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "integration/process.h"

/* Checks an echod that has the setting, or (SET is false) the default in its place. */
typedef void check_setting(struct echod *echod, bool set);

struct shown_setting {
	const char *setting; /* lines of the file */
	check_setting *check;
	bool server;	     /* they are of [server], and not of the listener, which is named a */
	const char *address; /* of the listener; NULL: 127.0.0.1, with a free port */
};

void show_setting(const struct shown_setting *shown);

/* Waits until COUNTER is BY more than BEFORE. */
void expect_counted(struct echod *echod, const char *counter, uint64_t before, uint64_t by);
