/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See repeats.h. An entry is a leaky bucket, kept as the time when it will have drained, as in
 * rate_limit.c: a payload that moves less than 4 KiB a second never fills it. Others get its place
 * once it has drained, so that nothing drives out a payload that keeps coming, and one that came
 * once is soon gone.
 */

#include "config.h"

#include "echod/datagram/repeats.h"

#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define LOOK_MEAN 64

/*
 * What a loop can move is the harm that it does: the bucket holds 256 MiB, and drains 4 KiB a
 * second. A small datagram costs more than its bytes.
 */
#define DRAIN 4096
#define FULL (65536 * SECOND)
#define LEAST_SIZE 256

/* This many bytes at the beginning and at the end of a payload, where counters and times are. */
#define HASHED_SIZE 504

struct udp_repeats *udp_repeats_new(void)
{
	struct udp_repeats *repeats = calloc(1, sizeof(*repeats));

	if (!repeats)
		return NULL;
	siphash_key_random(&repeats->hash_key);
	udp_repeats_draw(repeats);
	return repeats;
}

void udp_repeats_free(struct udp_repeats *repeats)
{
	free(repeats);
}

/* From 1 to twice the mean at random: a payload that alternates with others must not escape. */
void udp_repeats_draw(struct udp_repeats *repeats)
{
	repeats->looks++;
	repeats->skip = 1 + (unsigned)(siphash(&repeats->hash_key, &repeats->looks, 1) %
				       (2 * LOOK_MEAN - 1));
}

static uint64_t hash_bytes(const struct siphash_key *key, uint64_t hash, const char *bytes,
			   size_t size)
{
	uint64_t words[1 + HASHED_SIZE / sizeof(hash)];
	size_t count = 1 + (size + sizeof(hash) - 1) / sizeof(hash);

	words[count - 1] = 0; /* may be filled in part */
	words[0] = hash;
	memcpy(&words[1], bytes, size);
	return siphash(key, words, count);
}

static uint64_t hash_repeat(const struct siphash_key *key, const struct repeat *repeat)
{
	uint64_t words[4] = {repeat->tag, (uint64_t)repeat->source_port << 32 | repeat->size};
	size_t head = repeat->size < HASHED_SIZE ? repeat->size : HASHED_SIZE;
	size_t tail = repeat->size - head < HASHED_SIZE ? repeat->size - head : HASHED_SIZE;
	uint64_t hash;

	memcpy(&words[2], repeat->source, sizeof(*repeat->source));
	hash = hash_bytes(key, siphash(key, words, ARRAY_SIZE(words)), repeat->payload, head);
	return hash_bytes(key, hash, repeat->payload + repeat->size - tail, tail) | 1;
}

/* NULL while others need all places. */
static struct repeats_entry *find_entry(struct udp_repeats *repeats, uint64_t payload, int64_t now)
{
	struct repeats_entry *entries = repeats->entries[(payload >> 32) % REPEATS_SETS];
	struct repeats_entry *least = entries;

	for (size_t i = 0; i < REPEATS_WAYS; i++) {
		if (entries[i].payload == payload)
			return &entries[i];
		if (entries[i].drained_at < least->drained_at)
			least = &entries[i];
	}
	if (least->drained_at > now)
		return NULL;
	least->payload = payload;
	return least;
}

bool udp_repeats_add(struct udp_repeats *repeats, const struct repeat *repeat, int64_t now)
{
	size_t size = repeat->size > LEAST_SIZE ? repeat->size : LEAST_SIZE;
	int64_t cost = (int64_t)(repeat->datagrams * size * LOOK_MEAN) * (SECOND / DRAIN);
	uint64_t payload = hash_repeat(&repeats->hash_key, repeat);
	struct repeats_entry *entry = find_entry(repeats, payload, now);

	if (!entry)
		return false;
	entry->drained_at = (entry->drained_at > now ? entry->drained_at : now) + cost;
	if (entry->drained_at - now < FULL)
		return false;
	entry->drained_at = now;
	return true;
}
