/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The web page: the targets, worst first, each with its state, its last hour of loss and round
 * trips, and its latest outages. Written in slices, like a scrape. No script.
 */

#pragma once

#include <stdbool.h>

#include "base/bounded_text.h"
#include "base/compiler.h"

struct page;
struct watches;

#define PAGE_TYPE "text/html; charset=utf-8"
#define PAGE_TARGETS 500 /* at most; the metrics have them all */

/* NULL without memory. HOST is shown as the name of this host. */
struct page *page_new(const struct watches *watches, const char *host) WARN_UNUSED;
void page_free(struct page *page);

/* As scrape_write(). */
bool page_write(struct page *page, struct bounded_text *text);
