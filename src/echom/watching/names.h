/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Looks up the names of targets on threads of its own, so that no probe waits for a resolver. A
 * lookup that hangs blocks one of them, of which there is a limit. Called only from the thread that
 * probes, which also receives the answers.
 */

#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "echom/config/watchlist.h"
#include "probe/target.h"

#define NAMES_THREADS 8

struct event_base;
struct names;
struct name_request;

/* TARGET NULL: it was not found, for a REASON. Either belongs to the request. */
typedef void name_answer(void *context, const struct target *target, const struct reason *reason);

/* Of at most THREADS. NULL without memory. */
struct names *names_new(struct event_base *base, unsigned threads) WARN_UNUSED;

/* What still hangs ends by itself, and calls nobody. */
void names_free(struct names *names);

/* What a target of these settings is connected to by; NAME is of SETTINGS. */
struct target_options names_options(const struct watch_settings *settings);

/*
 * Looks up the address of SETTINGS, and calls ANSWER once, later. NULL without memory. The request
 * is gone when ANSWER returns, or after names_cancel. If the name FAILED the last time, it may hang
 * again, and waits behind those that did not.
 */
struct name_request *names_ask(struct names *names, const struct watch_settings *settings,
			       bool failed, name_answer *answer, void *context);

/* Its answer is not wanted any more; it is not even looked up, if it still waits. Accepts NULL. */
void names_cancel(struct name_request *request);
