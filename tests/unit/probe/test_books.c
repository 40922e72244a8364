/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The sums over books, and what follows from them. */

#include "config.h"

#include <math.h>

#include "probe/books.h"
#include "support/test.h"

static const size_t counts[] = {
	offsetof(struct books, sent),	       offsetof(struct books, received),
	offsetof(struct books, lost),	       offsetof(struct books, late),
	offsetof(struct books, duplicates),    offsetof(struct books, out_of_order),
	offsetof(struct books, corrupt),       offsetof(struct books, truncated),
	offsetof(struct books, unexpected),    offsetof(struct books, reconnects),
	offsetof(struct books, refused),       offsetof(struct books, unsent),
	offsetof(struct books, skipped),       offsetof(struct books, bytes),
	offsetof(struct books, late_before),   offsetof(struct books, received_after),
	offsetof(struct books, bytes_after),   offsetof(struct books, own_drops),
	offsetof(struct books, icmp_errors),   offsetof(struct books, jitter_flows),
	offsetof(struct books, latency.count), offsetof(struct books, connect.count),
};

static struct books first, second;

static uint64_t *count_of(struct books *books, size_t offset)
{
	return (uint64_t *)((char *)books + offset);
}

static void clear(void)
{
	books_clear(&first);
	books_clear(&second);
}

TEST_CASE("books", clear);

TEST_EACH(each_count_is_added, ARRAY_SIZE(counts))
{
	size_t offset = counts[_i];

	*count_of(&first, offset) = 40;
	*count_of(&second, offset) = 2;
	books_merge(&first, &second);
	ck_assert_uint_eq(*count_of(&first, offset), 42);
	*count_of(&first, offset) = 0;
	ck_assert_mem_eq(&first.latency.histogram, &second.latency.histogram,
			 sizeof(first.latency.histogram));
	books_clear(&second);
	ck_assert_uint_eq(*count_of(&second, offset), 0);
}

TEST(jitter_is_the_mean_of_the_flows_that_have_one)
{
	const struct jitter one = {.value = 10, .differences = 1};
	const struct jitter other = {.value = 20, .differences = 7};
	const struct jitter none = {.value = 99};

	ck_assert(isnan(books_jitter(&first)));
	books_add_jitter(&first, &one);
	ck_assert_double_eq(books_jitter(&first), 10);
	books_add_jitter(&second, &other);
	books_add_jitter(&second, &none);
	ck_assert_double_eq(books_jitter(&second), 20);
	books_merge(&first, &second);
	ck_assert_double_eq(books_jitter(&first), 15);
}

TEST(loss_is_the_part_of_what_was_sent)
{
	ck_assert(isnan(books_loss_percent(&first)));
	first = (struct books){.sent = 8, .lost = 2};
	ck_assert_double_eq(books_loss_percent(&first), 25);
	first = (struct books){.sent = 1};
	ck_assert_double_eq(books_loss_percent(&first), 0);
}

TEST(what_our_own_socket_dropped_was_not_lost_on_the_path)
{
	first = (struct books){.lost = 5, .own_drops = 3};
	ck_assert_uint_eq(books_lost_on_path(&first), 2);
	first.own_drops = 6;
	ck_assert_uint_eq(books_lost_on_path(&first), 0);
}

static const struct row {
	struct books books;
	bool balance;
	bool clean;
} rows[] = {
	{{.sent = 0}, true, true},
	{{.sent = 3, .received = 3}, true, true},
	{{.sent = 3, .received = 3, .duplicates = 9, .out_of_order = 3, .skipped = 1}, true, true},
	{{.sent = 3, .received = 2}, false, true},
	{{.sent = 3, .received = 2, .lost = 1}, true, false},
	{{.sent = 3, .received = 2, .lost = 1, .late = 1}, true, false},
	{{.sent = 3, .received = 2, .lost = 1, .late = 2}, false, false},
	{{.sent = 3, .received = 3, .corrupt = 1}, true, false},
	{{.sent = 3, .received = 3, .truncated = 1}, true, false},
	{{.sent = 3, .received = 3, .corrupt = 1, .truncated = 2}, true, false},
	{{.sent = 3, .received = 3, .corrupt = 2, .truncated = 2}, false, false},
	{{.sent = 3, .received = 3, .unexpected = 1}, true, false},
	{{.sent = 3, .received = 3, .unsent = 1}, true, false},
};

TEST_EACH(what_is_whole_and_what_is_clean, ARRAY_SIZE(rows))
{
	ck_assert_int_eq(books_balance(&rows[_i].books), rows[_i].balance);
	ck_assert_int_eq(books_clean(&rows[_i].books), rows[_i].clean);
}
