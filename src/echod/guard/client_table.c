/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Counts TCP clients: one atomic total, and a chained hash table of small nodes with a few dozen
 * locks. Owns the nodes; each exists from the first to the last connection of its listener and
 * address. Called by workers when they accept and close.
 */

#include "config.h"

#include "echod/guard/client_table.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "echod/guard/source_key.h"

#define BUCKETS 65536 /* half a MiB, of which only used pages take memory */
#define LOCKS 64

struct node {
	struct node *next;
	struct source_key key;
	uint64_t clients; /* 0 only until the first is counted */
};

struct client_table {
	_Atomic uint64_t total;
	_Atomic uint64_t limit;
	struct siphash_key hash_key;
	struct node **buckets;
	pthread_mutex_t locks[LOCKS];
};

/* A bucket and its lock, which is held as long as the place is used. */
struct place {
	pthread_mutex_t *lock;
	struct node **link; /* to the node, or to the NULL at the end of the chain */
};

struct client_table *client_table_new(void)
{
	struct client_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;

	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&table->locks[i], NULL);

	siphash_key_random(&table->hash_key);
	table->buckets = calloc(BUCKETS, sizeof(struct node *));
	if (!table->buckets) {
		client_table_free(table);
		return NULL;
	}
	return table;
}

static void free_chain(struct node *node)
{
	while (node) {
		struct node *next = node->next;

		free(node);
		node = next;
	}
}

void client_table_free(struct client_table *table)
{
	if (!table)
		return;

	for (size_t i = 0; table->buckets && i < BUCKETS; i++)
		free_chain(table->buckets[i]);
	free(table->buckets);

	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&table->locks[i]);
	free(table);
}

static struct place find_and_lock(struct client_table *table, const struct source_key *key)
{
	uint64_t hash = siphash(&table->hash_key, key->words, SOURCE_KEY_WORDS);
	struct place place = {
		.lock = &table->locks[hash % LOCKS],
		.link = &table->buckets[hash % BUCKETS],
	};

	pthread_mutex_lock(place.lock);
	while (*place.link && memcmp(&(*place.link)->key, key, sizeof(*key)) != 0)
		place.link = &(*place.link)->next;
	return place;
}

static struct node *new_node(const struct source_key *key)
{
	struct node *node = malloc(sizeof(*node));

	if (node)
		*node = (struct node){.key = *key};
	return node;
}

/* Counts even without a limit: a reload may set one, which then includes existing clients. */
enum admission client_table_enter_source(struct client_table *table, uint64_t tag,
					 const struct in6_addr *ip, uint64_t max_per_ip)
{
	struct source_key key = source_key(tag, ip);
	struct place place = find_and_lock(table, &key);
	struct node *node = *place.link;
	enum admission admission = ADMITTED;

	if (!node) {
		node = new_node(&key);
		*place.link = node;
	}

	if (!node)
		admission = REFUSED_NO_MEMORY;
	else if (max_per_ip > 0 && node->clients >= max_per_ip)
		admission = REFUSED_PER_IP;
	else
		node->clients++;
	pthread_mutex_unlock(place.lock);
	return admission;
}

void client_table_leave_source(struct client_table *table, uint64_t tag, const struct in6_addr *ip)
{
	struct source_key key = source_key(tag, ip);
	struct place place = find_and_lock(table, &key);
	struct node *node = *place.link;

	assert(node);
	if (--node->clients == 0) {
		*place.link = node->next;
		free(node);
	}
	pthread_mutex_unlock(place.lock);
}

/* Compares and exchanges, so that the total never exceeds the limit, not even briefly. */
enum admission client_table_enter(struct client_table *table)
{
	uint64_t total = client_table_count(table);

	do {
		if (total >= client_table_limit(table))
			return REFUSED_MAX_CLIENTS;
	} while (!atomic_compare_exchange_weak_explicit(
		&table->total, &total, total + 1, memory_order_relaxed, memory_order_relaxed));
	return ADMITTED;
}

void client_table_leave(struct client_table *table)
{
	uint64_t before = atomic_fetch_sub_explicit(&table->total, 1, memory_order_relaxed);

	assert(before > 0);
	(void)before;
}

void client_table_set_limit(struct client_table *table, uint64_t max_clients)
{
	atomic_store_explicit(&table->limit, max_clients, memory_order_relaxed);
}

uint64_t client_table_count(const struct client_table *table)
{
	return atomic_load_explicit(&table->total, memory_order_relaxed);
}

uint64_t client_table_limit(const struct client_table *table)
{
	return atomic_load_explicit(&table->limit, memory_order_relaxed);
}
