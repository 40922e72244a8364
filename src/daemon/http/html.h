/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Parts of an HTML page: escaped texts, and numbers in readable form. Owns nothing. */

#pragma once

#include <stdint.h>

#include "base/bounded_text.h"

/* Escapes TEXT, for use in quoted attributes as well. */
void html_text(struct bounded_text *page, const char *text);

void html_count(struct bounded_text *page, uint64_t count);	/* 1,234,567 */
void html_rate(struct bounded_text *page, double rate);		/* 0, 3.1, 1,235 */
void html_bytes(struct bounded_text *page, double bytes);	/* 12.3 MiB */
void html_duration(struct bounded_text *page, int64_t seconds); /* 3 d 4 h */
