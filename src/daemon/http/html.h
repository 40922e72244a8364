/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Parts of an HTML page: what all pages of ours begin with, escaped texts, and numbers in readable
 * form. Owns nothing.
 */

#pragma once

#include <stdint.h>

#include "base/bounded_text.h"

/* clang-format off */
#define HTML_HEAD \
	"<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n" \
	"<meta name=viewport content=\"width=device-width, initial-scale=1\">\n" \
	"<meta name=color-scheme content=\"light dark\">\n"

/* Colours for the day and the night, letters, the marks of what is well and of what is not. */
#define HTML_BASE_STYLE \
	":root{--back:#f4f6f8;--card:#fff;--ink:#1b2026;--dim:#59636e;--line:#dfe4e9;" \
	"--accent:#0a5fb4;--good:#17692f;--bad:#b3261e}\n" \
	"@media(prefers-color-scheme:dark){:root{--back:#0e1216;--card:#171c22;--ink:#e4e9ee;" \
	"--dim:#98a3ae;--line:#2a323a;--accent:#6fb3fb;--good:#56c271;--bad:#ff8a80}}\n" \
	"*{box-sizing:border-box}\n" \
	"body{margin:0 auto;max-width:64rem;padding:1rem;background:var(--back);color:var(--ink);" \
	"font:1rem/1.45 system-ui,sans-serif}\n" \
	"h1{font-size:1.5rem;margin:0}\n" \
	".well{color:var(--good)}.ill{color:var(--bad)}\n" \
	"a{color:var(--accent)}footer{margin:1.5rem 0;font-size:.9rem;color:var(--dim)}\n"
/* clang-format on */

/* Escapes TEXT, for use in quoted attributes as well. */
void html_text(struct bounded_text *page, const char *text);

void html_count(struct bounded_text *page, uint64_t count);	/* 1,234,567 */
void html_rate(struct bounded_text *page, double rate);		/* 0, 3.1, 1,235 */
void html_bytes(struct bounded_text *page, double bytes);	/* 12.3 MiB */
void html_duration(struct bounded_text *page, int64_t seconds); /* 3 d 4 h */
