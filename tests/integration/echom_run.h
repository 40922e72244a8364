/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echom in tests: run by the functions of process.h, in place of echod, and what its metrics say.
 * Every look at them checks that the books of the target balance.
 */

#pragma once

#include "base/compiler.h"

struct echod;

#define ECHOM_SERVER "[server]\nlisten = 127.0.0.1:0\nlog_level = debug\n"
#define ECHOM_FAST "[defaults]\ninterval = 20ms\ntimeout = 200ms\n"
#define ECHOM_PATIENT "[defaults]\ninterval = 20ms\ntimeout = 1m\n"

/* Before each test: from then on echod_start() starts echom. */
void echom_set_up(void);

/* An echod beside it, all the same. */
struct echod *echom_start_echod(const char *config);

/* Good until four more were made. */
const char *echom_format(const char *format, ...) PRINTF_LIKE(1, 2);

/* One that watches ADDRESS as "t"; SETTINGS may be other sections. */
struct echod *echom_watch(const char *address, const char *settings);

/* Of a target in METRICS; -1 if there is no such line. The family without "echom_". */
double echom_figure_in(const char *metrics, const char *family, const char *target);

/* The same with a label behind the others: `direction="there"`. */
double echom_labelled_in(const char *metrics, const char *family, const char *target,
			 const char *label);

void echom_expect_balance(const char *metrics, const char *target);

/* Now, of target "t". */
double echom_figure(struct echod *echom, const char *family);
double echom_labelled(struct echod *echom, const char *family, const char *label);
