/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * PROXY headers, good and bad, each from its first byte on: a good one is the beginning of one
 * until its last byte, whatever follows; a bad one until the byte that shows it.
 */

#pragma once

#include "echod/stream/proxy_header.h"
#include "support/test.h"

struct bytes {
	uint8_t bytes[PROXY_HEADER_MAX + 16];
	size_t size;
};

static inline void add(struct bytes *bytes, const void *data, size_t size)
{
	ck_assert_uint_le(bytes->size + size, sizeof(bytes->bytes));
	memcpy(bytes->bytes + bytes->size, data, size);
	bytes->size += size;
}

static inline enum proxy_verdict verdict_at(const struct bytes *bytes, size_t size,
					    struct proxy_header *header)
{
	/* Where a byte too many would be seen. */
	uint8_t *copy = malloc(size > 0 ? size : 1);
	enum proxy_verdict verdict;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes->bytes, size);
	verdict = proxy_header_parse(copy, size, header);
	free(copy);
	return verdict;
}

/* SOURCE NULL: it names none. */
static inline void expect_complete(const struct bytes *bytes, const char *source)
{
	struct bytes with_payload = *bytes;
	struct proxy_header header;
	char text[ADDRESS_TEXT_MAX];

	for (size_t size = 0; size < bytes->size; size++)
		ck_assert_msg(verdict_at(bytes, size, &header) == PROXY_MORE, "%zu: %s", size,
			      header.fault);
	add(&with_payload, "\r\nPROXY", 7);
	for (size_t size = bytes->size; size <= with_payload.size; size++) {
		ck_assert_msg(verdict_at(&with_payload, size, &header) == PROXY_COMPLETE, "%zu: %s",
			      size, header.fault);
		ck_assert_uint_eq(header.length, bytes->size);
		ck_assert_str_eq(address_format(&header.source, text), source ? source : "(none)");
	}
}

/* It shows with byte AT, counted from 1. */
static inline void expect_invalid(const struct bytes *bytes, size_t at, const char *fault)
{
	struct proxy_header header;

	ck_assert_uint_le(at, bytes->size);
	for (size_t size = 0; size < at; size++)
		ck_assert_msg(verdict_at(bytes, size, &header) == PROXY_MORE, "%zu of %zu: %s",
			      size, at, header.fault);
	for (size_t size = at; size <= bytes->size; size++) {
		ck_assert_msg(verdict_at(bytes, size, &header) == PROXY_INVALID, "%zu of %zu", size,
			      at);
		ck_assert_msg(strstr(header.fault, fault) != NULL, "%s", header.fault);
	}
}
