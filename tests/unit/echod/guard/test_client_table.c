/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The client table: exact limits, nothing left behind. The module is compiled in here, with an
 * allocator that counts what is allocated and fails on demand.
 */

#include "config.h"

#include <pthread.h>
#include <stdatomic.h>

#include "unit/sources.h"

static atomic_long blocks;
static int allocations_left = -1; /* -1: as many as wanted */

static bool may_allocate(void)
{
	if (allocations_left == 0)
		return false;
	if (allocations_left > 0)
		allocations_left--;
	atomic_fetch_add(&blocks, 1);
	return true;
}

static void *counted_malloc(size_t size)
{
	return may_allocate() ? malloc(size) : NULL;
}

static void *counted_calloc(size_t count, size_t size)
{
	return may_allocate() ? calloc(count, size) : NULL;
}

static void counted_free(void *memory)
{
	if (memory)
		atomic_fetch_sub(&blocks, 1);
	free(memory);
}

#define malloc counted_malloc
#define calloc counted_calloc
#define free counted_free
#include "echod/guard/client_table.c" /* NOLINT(bugprone-suspicious-include) */
#undef malloc
#undef calloc
#undef free

/* As a connection does. */
static enum admission enter_both(struct client_table *table, uint64_t tag,
				 const struct in6_addr *ip, uint64_t max_per_ip)
{
	enum admission admission = client_table_enter(table);

	if (admission == ADMITTED)
		admission = client_table_enter_source(table, tag, ip, max_per_ip);
	if (admission != ADMITTED && admission != REFUSED_MAX_CLIENTS)
		client_table_leave(table);
	return admission;
}

static void leave_both(struct client_table *table, uint64_t tag, const struct in6_addr *ip)
{
	client_table_leave_source(table, tag, ip);
	client_table_leave(table);
}

static long blocks_out(void)
{
	return atomic_load(&blocks);
}

#define TAG 0x1234567890abcdef
#define THREADS 4
#define PLENTY 1000000

static struct client_table *table;
static long blocks_before;

static void set_up(void)
{
	blocks_before = blocks_out();
	table = client_table_new();
	ck_assert_ptr_nonnull(table);
	client_table_set_limit(table, PLENTY);
}

static void tear_down(void)
{
	client_table_free(table);
	ck_assert_int_eq(blocks_out(), blocks_before);
}

static void assert_enters(uint64_t tag, const char *text, uint64_t max_per_ip,
			  enum admission expected)
{
	struct in6_addr address = ip(text);
	uint64_t before = client_table_count(table);

	ck_assert_int_eq(enter_both(table, tag, &address, max_per_ip), expected);
	ck_assert_uint_eq(client_table_count(table), before + (expected == ADMITTED));
}

/* Without check's own bookkeeping for every client. */
static void enter_numbered(uint32_t number)
{
	struct in6_addr address = numbered_ipv4(number);

	if (enter_both(table, TAG, &address, 3) != ADMITTED)
		ck_abort_msg("client %u was refused", number);
}

static void leave(uint64_t tag, const char *text)
{
	struct in6_addr address = ip(text);

	leave_both(table, tag, &address);
}

TEST_CASE("table", set_up, tear_down);

TEST(nobody_knows_where_in_a_table_a_client_is)
{
	struct client_table *other = client_table_new();

	ck_assert_ptr_nonnull(other);
	ck_assert_mem_ne(&other->hash_key, &table->hash_key, sizeof(table->hash_key));
	client_table_free(other);
}

TEST(the_limit_admits_as_many_and_no_more)
{
	client_table_set_limit(table, 2);
	ck_assert_uint_eq(client_table_limit(table), 2);
	assert_enters(TAG, "::ffff:192.0.2.1", 0, ADMITTED);
	ck_assert_int_eq(client_table_enter(table), ADMITTED);
	assert_enters(TAG, "::ffff:192.0.2.2", 0, REFUSED_MAX_CLIENTS);
	ck_assert_int_eq(client_table_enter(table), REFUSED_MAX_CLIENTS);
	client_table_leave(table);
	assert_enters(TAG, "::ffff:192.0.2.2", 0, ADMITTED);
	leave(TAG, "::ffff:192.0.2.2");
	leave(TAG, "::ffff:192.0.2.1");
	ck_assert_uint_eq(client_table_count(table), 0);
}

TEST(a_lower_limit_applies_to_new_clients_only)
{
	client_table_set_limit(table, 3);
	for (int i = 0; i < 3; i++)
		assert_enters(TAG, "::ffff:192.0.2.1", 0, ADMITTED);
	client_table_set_limit(table, 1);
	assert_enters(TAG, "::ffff:192.0.2.1", 0, REFUSED_MAX_CLIENTS);
	client_table_set_limit(table, 4);
	assert_enters(TAG, "::ffff:192.0.2.1", 0, ADMITTED);
}

TEST(clients_from_before_a_limit_count_in_it)
{
	for (int i = 0; i < 3; i++)
		assert_enters(TAG, "::ffff:192.0.2.1", 0, ADMITTED);
	assert_enters(TAG, "::ffff:192.0.2.1", 3, REFUSED_PER_IP);
	assert_enters(TAG, "::ffff:192.0.2.1", 4, ADMITTED);
	assert_enters(TAG, "::ffff:192.0.2.1", 1, REFUSED_PER_IP);
	assert_enters(TAG, "::ffff:192.0.2.1", 0, ADMITTED);
}

TEST(ipv6_counts_by_64_bits_and_ipv4_by_all)
{
	assert_enters(TAG, "2001:db8:0:1::1", 1, ADMITTED);
	assert_enters(TAG, "2001:db8:0:1:ffff:ffff:ffff:ffff", 1, REFUSED_PER_IP);
	assert_enters(TAG, "2001:db8:0:2::1", 1, ADMITTED);
	assert_enters(TAG, "::ffff:192.0.2.1", 1, ADMITTED);
	assert_enters(TAG, "::ffff:192.0.2.0", 1, ADMITTED);
	/* All zeros in the upper half, as a v4-mapped address has, and yet another source. */
	assert_enters(TAG, "::1", 1, ADMITTED);
	assert_enters(TAG, "0:0:0:0:1::", 1, REFUSED_PER_IP);
	/* Not IPv4, by one bit. */
	assert_enters(TAG, "0:0:1::ffff:192.0.2.1", 1, ADMITTED);
	assert_enters(TAG, "0:0:1::ffff:192.0.2.2", 1, REFUSED_PER_IP);
	leave(TAG, "2001:db8:0:1::2");
	assert_enters(TAG, "2001:db8:0:1::3", 1, ADMITTED);
}

/* Two clients each are admitted from A and from B, which do not share a count. */
static void expect_apart(uint64_t tag_a, const char *a, uint64_t tag_b, const char *b)
{
	assert_enters(tag_a, a, 2, ADMITTED);
	assert_enters(tag_a, a, 2, ADMITTED);
	assert_enters(tag_a, a, 2, REFUSED_PER_IP);
	assert_enters(tag_b, b, 2, ADMITTED);
	leave(tag_b, b);
	assert_enters(tag_a, a, 2, REFUSED_PER_IP);
	leave(tag_a, a);
	assert_enters(tag_a, a, 2, ADMITTED);
	assert_enters(tag_b, b, 2, ADMITTED);
}

TEST(each_source_and_each_listener_has_its_own_count)
{
	expect_apart(TAG, "::ffff:192.0.2.1", TAG, "::ffff:192.0.2.2");
	expect_apart(TAG, "fe80::1", TAG, "fe80::2");
	expect_apart(TAG, "fe80::3", TAG, "fe80:0:0:1::3");
	expect_apart(1, "::ffff:192.0.2.1", 2, "::ffff:192.0.2.1");
}

TEST(unix_clients_count_in_the_total_alone)
{
	long before = blocks_out();

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(client_table_enter(table), ADMITTED);
	ck_assert_int_eq(blocks_out(), before);
	ck_assert_uint_eq(client_table_count(table), 10);
}

TEST(no_memory_refuses_and_counts_nothing)
{
	allocations_left = 0;
	assert_enters(TAG, "::ffff:192.0.2.1", 1, REFUSED_NO_MEMORY);
	allocations_left = -1;
	assert_enters(TAG, "::ffff:192.0.2.1", 1, ADMITTED);
	leave(TAG, "::ffff:192.0.2.1");
}

TEST(no_memory_for_the_table_leaves_nothing_behind)
{
	long before = blocks_out();

	for (int i = 0; i < 2; i++) {
		allocations_left = i;
		ck_assert_ptr_null(client_table_new());
		ck_assert_int_eq(blocks_out(), before);
	}
	allocations_left = -1;
	client_table_free(NULL);
}

/* 400,000 addresses, so chains of several nodes are entered and taken apart in both directions. */
TEST(a_million_clients_leave_no_memory_behind)
{
	enum { ADDRESSES = 400000, CLIENTS = 1000000 };
	long before = blocks_out();

	client_table_set_limit(table, CLIENTS);
	for (uint32_t i = 0; i < CLIENTS; i++)
		enter_numbered(i % ADDRESSES);
	ck_assert_int_eq(blocks_out(), before + ADDRESSES);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		uint32_t number = i % 2 == 0 ? i : CLIENTS - i;
		struct in6_addr address = numbered_ipv4(number % ADDRESSES);

		leave_both(table, TAG, &address);
	}
	ck_assert_uint_eq(client_table_count(table), 0);
	ck_assert_int_eq(blocks_out(), before);
}

TEST(clients_still_there_are_freed_with_the_table)
{
	for (uint32_t i = 0; i < 200000; i++)
		enter_numbered(i); /* tear_down counts what is left */
}

enum { HAMMER_LIMIT = 5, HAMMER_PER_IP = 2, HAMMER_ADDRESSES = 4, HAMMER_ROUNDS = 50000 };

struct hammer {
	atomic_int inside;
	atomic_int inside_by_ip[HAMMER_ADDRESSES];
	atomic_bool exceeded;
	atomic_int admitted;
};

static void stay_a_moment(struct hammer *hammer, uint32_t number)
{
	if (atomic_fetch_add(&hammer->inside, 1) >= HAMMER_LIMIT)
		atomic_store(&hammer->exceeded, true);
	if (atomic_fetch_add(&hammer->inside_by_ip[number], 1) >= HAMMER_PER_IP)
		atomic_store(&hammer->exceeded, true);
	atomic_fetch_add(&hammer->admitted, 1);
	atomic_fetch_sub(&hammer->inside_by_ip[number], 1);
	atomic_fetch_sub(&hammer->inside, 1);
}

static void *hammer_table(void *argument)
{
	struct hammer *hammer = argument;

	for (uint32_t i = 0; i < HAMMER_ROUNDS; i++) {
		uint32_t number = i % HAMMER_ADDRESSES;
		struct in6_addr address = numbered_ipv4(number);

		if (enter_both(table, TAG, &address, HAMMER_PER_IP) != ADMITTED)
			continue;
		stay_a_moment(hammer, number);
		leave_both(table, TAG, &address);
	}
	return NULL;
}

TEST(threads_never_exceed_a_limit)
{
	struct hammer hammer = {0};
	long before = blocks_out();
	pthread_t threads[THREADS];

	client_table_set_limit(table, HAMMER_LIMIT);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer_table, &hammer), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert(!hammer.exceeded);
	ck_assert_int_gt(hammer.admitted, HAMMER_ROUNDS);
	ck_assert_uint_eq(client_table_count(table), 0);
	ck_assert_int_eq(blocks_out(), before);
}
