/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See search.h. Owns nothing; there.c calls it. */

#include "config.h"

#include "echoc/mtu/search.h"

void search_begin(struct search *search, size_t passed, size_t limit)
{
	*search = (struct search){.limit = limit, .passed = passed, .failed = limit + 1};
}

static bool is_open(const struct search *search, size_t size)
{
	return size > search->passed && size < search->failed;
}

size_t search_next(const struct search *search)
{
	if (search->passed >= search->limit)
		return 0;
	if (search->failed == search->passed + 1)
		return search_is_told(search) || search->confirmed ? 0 : search->failed;
	if (search->failed > search->limit)
		return search->limit;
	if (is_open(search, search->told))
		return search->told;
	if (search->told == search->passed)
		return search->passed + 1;
	return search->passed + (search->failed - search->passed) / 2;
}

/* What was lost before, by chance, is open again. */
void search_pass(struct search *search, size_t size)
{
	if (size <= search->passed)
		return;
	search->passed = size;
	search->confirmed = false;
	if (search->failed > size)
		return;
	search->failed = search->limit + 1;
	search->failed_told = false;
}

void search_fail(struct search *search, size_t size, bool told, size_t mtu)
{
	if (told && mtu > 0)
		search->told = mtu;
	if (size <= search->passed || size > search->failed)
		return;
	search->confirmed = size == search->failed;
	search->failed_told = told || (search->confirmed && search->failed_told);
	search->failed = size;
}

bool search_is_told(const struct search *search)
{
	return search->failed_told || search->told == search->passed;
}
