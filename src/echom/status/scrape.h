/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One answer to Prometheus, in the text format 0.0.4. The figures of each target are copied at one
 * moment, so that they balance, and then written family by family, as the format requires. Both
 * happen in slices, since probes must not wait for a scrape. Owns its copies; site.c begins and
 * frees it.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bounded_text.h"
#include "base/compiler.h"

struct scrape;
struct watch;
struct watches;

#define SCRAPE_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* NULL without memory. STARTED_AT: of this process, on the wall clock. */
struct scrape *scrape_new(const struct watches *watches, uint64_t started_at) WARN_UNUSED;
void scrape_free(struct scrape *scrape);

/*
 * The next piece of the text, if TEXT has room for it: maybe nothing yet, and never more than takes
 * a slice of time. False: that was the last.
 */
bool scrape_write(struct scrape *scrape, struct bounded_text *text);

/* All families of one watch alone, at once. */
void scrape_write_watch(const struct watch *watch, struct bounded_text *text);
