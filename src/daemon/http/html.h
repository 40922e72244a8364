/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Pieces of a page for people: texts made safe, and numbers as one reads them. Owns nothing. */

#ifndef DAEMON_HTTP_HTML_H
#define DAEMON_HTTP_HTML_H

#include <stdint.h>

#include "base/bounded_text.h"

/* Whatever TEXT holds, it is shown and not obeyed; also within quotes. */
void html_text(struct bounded_text *page, const char *text);

void html_count(struct bounded_text *page, uint64_t count);	/* 1,234,567 */
void html_rate(struct bounded_text *page, double rate);		/* 0, 3.1, 1,235 */
void html_bytes(struct bounded_text *page, double bytes);	/* 12.3 MiB */
void html_duration(struct bounded_text *page, int64_t seconds); /* 3 d 4 h */

#endif
