/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One setting, in all the ways in which it can come into force and go again: at start, from the
 * section of its listener and from [defaults], and by reloads.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "integration/process.h"

/* Looks at an echod that has the setting, or (SET is false) the default in its place. */
typedef void check_setting(struct echod *echod, bool set);

/* For one listener named a, at 127.0.0.1 unless ADDRESS says otherwise. */
void show_setting(const char *setting, check_setting *check);
void show_setting_at(const char *address, const char *setting, check_setting *check);

/* For [server]. */
void show_server_setting(const char *setting, check_setting *check);

/* Waits until COUNTER is BY more than BEFORE. */
void expect_counted(struct echod *echod, const char *counter, uint64_t before, uint64_t by);
