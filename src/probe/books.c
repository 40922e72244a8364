/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The sums over books and what follows from them. Owns nothing; flows fill them, bench adds up
 * those of its threads, reports read them.
 */

#include "config.h"

#include "probe/books.h"

#include <math.h>
#include <string.h>

void books_clear(struct books *books)
{
	memset(books, 0, sizeof(*books));
}

void books_merge(struct books *into, const struct books *from)
{
	into->sent += from->sent;
	into->received += from->received;
	into->lost += from->lost;
	into->late += from->late;
	into->duplicates += from->duplicates;
	into->out_of_order += from->out_of_order;
	into->corrupt += from->corrupt;
	into->truncated += from->truncated;
	into->unexpected += from->unexpected;
	into->reconnects += from->reconnects;
	into->refused += from->refused;
	into->unsent += from->unsent;
	into->skipped += from->skipped;
	into->icmp_errors += from->icmp_errors;
	into->bytes += from->bytes;
	into->late_before += from->late_before;
	into->received_after += from->received_after;
	into->bytes_after += from->bytes_after;
	into->own_drops += from->own_drops;
	into->jitter_sum += from->jitter_sum;
	into->jitter_flows += from->jitter_flows;
	spread_merge(&into->connect, &from->connect);
	latency_merge(&into->latency, &from->latency);
}

void books_add_jitter(struct books *books, const struct jitter *jitter)
{
	if (jitter->differences == 0)
		return;
	books->jitter_sum += jitter->value;
	books->jitter_flows++;
}

double books_loss_percent(const struct books *books)
{
	if (books->sent == 0)
		return (double)NAN;
	return 100.0 * (double)books->lost / (double)books->sent;
}

/* Drops may have been duplicates: more of them than were lost. */
uint64_t books_lost_on_path(const struct books *books)
{
	return books->lost > books->own_drops ? books->lost - books->own_drops : 0;
}

double books_jitter(const struct books *books)
{
	if (books->jitter_flows == 0)
		return (double)NAN;
	return books->jitter_sum / (double)books->jitter_flows;
}

bool books_balance(const struct books *books)
{
	return books->sent == books->received + books->lost && books->late <= books->lost &&
	       books->corrupt + books->truncated <= books->received;
}

bool books_clean(const struct books *books)
{
	return books->lost == 0 && books->corrupt == 0 && books->truncated == 0 &&
	       books->unexpected == 0 && books->unsent == 0;
}
