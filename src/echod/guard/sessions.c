/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See sessions.h. A hash table: those who find a session take no lock, those who begin one do. Owns
 * it with its entries. Called by the modes of datagrams.
 */

#include "config.h"

#include "echod/guard/sessions.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "echod/guard/session_places.h"
#include "echod/guard/source_key.h"

/* What one source may hold: a share of all, or this many. */
#define SOURCE_SHARE 16
#define SOURCE_LEAST 16

/* The keys are random, so no chain is longer; one that is being changed may look so. */
#define CHAIN_MAX 64

/* How many sessions may move on the wheel when one begins, and while the lock is held to count. */
#define STEPS_TO_BEGIN 64
#define STEPS_TO_COUNT 1024

/* In full_until: the rest of it is a tick. */
#define FULL (UINT64_C(1) << 32)

struct sessions *sessions_new(size_t count)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));
	void *entries;

	if (!sessions)
		return NULL;
	entries = mmap(NULL, count * sizeof(struct session), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (entries == MAP_FAILED) {
		free(sessions);
		return NULL;
	}
	atomic_init(&sessions->references, 1);
	pthread_mutex_init(&sessions->lock, NULL);
	siphash_key_random(&sessions->hash_key);
	sessions->entries = entries;
	sessions->size = count;
	sessions->per_source = SOURCE_LEAST;
	if (count / SOURCE_SHARE > SOURCE_LEAST)
		sessions->per_source = (uint32_t)(count / SOURCE_SHARE);
	return sessions;
}

struct sessions *sessions_hold(struct sessions *sessions)
{
	if (sessions)
		atomic_fetch_add_explicit(&sessions->references, 1, memory_order_relaxed);
	return sessions;
}

void sessions_release(struct sessions *sessions)
{
	if (!sessions ||
	    atomic_fetch_sub_explicit(&sessions->references, 1, memory_order_acq_rel) > 1)
		return;
	pthread_mutex_destroy(&sessions->lock);
	munmap(sessions->entries, sessions->size * sizeof(struct session));
	free(sessions);
}

static uint32_t tick_of(int64_t now)
{
	return (uint32_t)(now / (int64_t)(NS_PER_S / TICKS_PER_S));
}

static uint64_t key_of(const struct sessions *sessions, const struct session_key *key)
{
	uint64_t words[6];

	memcpy(&words[0], &key->own, sizeof(key->own));
	memcpy(&words[2], &key->source, sizeof(key->source));
	words[4] = (uint64_t)key->own_port << 48 | (uint64_t)key->source_port << 32 | key->scope;
	words[5] = key->ssid;
	return siphash(&sessions->hash_key, words, ARRAY_SIZE(words)) | 1;
}

static uint32_t source_of(const struct sessions *sessions, const struct session_key *key)
{
	struct source_key source = source_key(key->scope, &key->source);

	return (uint32_t)siphash(&sessions->hash_key, source.words, SOURCE_KEY_WORDS);
}

static struct session *look_up(const struct sessions *sessions, uint64_t key)
{
	const struct session *bucket = session_bucket(sessions, session_bucket_hash(key));
	uint32_t number = atomic_load_explicit(&bucket->bucket, memory_order_acquire);

	for (int i = 0; number != 0 && i < CHAIN_MAX; i++) {
		struct session *session = session_entry(sessions, number);

		if (atomic_load_explicit(&session->key, memory_order_acquire) == key)
			return session;
		number = atomic_load_explicit(&session->next, memory_order_acquire);
	}
	return NULL;
}

/*
 * Marks a session as used, so that nothing takes it away for a minute. False if it is idle, or no
 * longer what was looked up: what takes one away changes used_at first, and sets it last.
 */
static bool touch(struct session *session, uint64_t key, uint32_t tick)
{
	uint32_t used_at = atomic_load_explicit(&session->used_at, memory_order_acquire);

	if (session_is_idle(used_at, tick))
		return false;
	if ((int32_t)(tick - used_at) > 0 &&
	    !atomic_compare_exchange_strong_explicit(&session->used_at, &used_at, tick,
						     memory_order_acq_rel, memory_order_relaxed))
		return false;
	return atomic_load_explicit(&session->key, memory_order_acquire) == key;
}

/* A flood of new ones must not try again and again where none can be had. */
static void note_full(struct sessions *sessions, bool swept)
{
	uint64_t until = 0;

	if (swept && sessions->used == sessions->size)
		until = FULL | sessions_next_idle(sessions);
	atomic_store_explicit(&sessions->full_until, until, memory_order_relaxed);
}

static bool is_full(const struct sessions *sessions, uint32_t tick)
{
	uint64_t until = atomic_load_explicit(&sessions->full_until, memory_order_relaxed);

	return until != 0 && (int32_t)((uint32_t)until - tick) > 0;
}

static struct session *begin(struct sessions *sessions, uint64_t key, uint32_t source,
			     uint32_t tick)
{
	struct session *session;
	bool swept;

	pthread_mutex_lock(&sessions->lock);
	swept = sessions_sweep(sessions, tick, STEPS_TO_BEGIN);
	session = look_up(sessions, key); /* another worker may have been faster */
	if (!session) {
		session = sessions_add(sessions, key, source, tick);
	} else if (!touch(session, key, tick)) {
		session_clear_books(session);
		atomic_store_explicit(&session->used_at, tick, memory_order_release);
	}
	note_full(sessions, swept);
	pthread_mutex_unlock(&sessions->lock);
	return session;
}

struct session *sessions_enter(struct sessions *sessions, const struct session_key *whose,
			       bool anew, int64_t now)
{
	uint64_t key = key_of(sessions, whose);
	uint32_t tick = tick_of(now);
	struct session *session = look_up(sessions, key);

	if (!session && is_full(sessions, tick))
		return NULL;
	if (!session || !touch(session, key, tick))
		session = begin(sessions, key, source_of(sessions, whose), tick);
	if (!session)
		return NULL;
	if (anew)
		session_clear_questions(session);
	atomic_fetch_add_explicit(&session->received, 1, memory_order_relaxed);
	return session;
}

struct session *sessions_find(struct sessions *sessions, const struct session_key *whose,
			      int64_t now)
{
	uint64_t key = key_of(sessions, whose);
	struct session *session = look_up(sessions, key);

	return session && touch(session, key, tick_of(now)) ? session : NULL;
}

uint64_t sessions_count(struct sessions *sessions, int64_t now)
{
	uint64_t used;
	bool swept;

	do {
		pthread_mutex_lock(&sessions->lock);
		swept = sessions_sweep(sessions, tick_of(now), STEPS_TO_COUNT);
		used = sessions->used;
		pthread_mutex_unlock(&sessions->lock);
	} while (!swept);
	return used;
}

uint32_t session_received(const struct session *session)
{
	return atomic_load_explicit(&session->received, memory_order_relaxed);
}

uint32_t session_transmitted(const struct session *session)
{
	return atomic_load_explicit(&session->transmitted, memory_order_relaxed);
}

uint32_t session_unanswered(const struct session *session)
{
	return atomic_load_explicit(&session->unanswered, memory_order_relaxed);
}

uint64_t session_sent_at(const struct session *session)
{
	return atomic_load_explicit(&session->sent_at, memory_order_relaxed);
}

void session_begin_replies(struct session *session)
{
	session_clear_replies(session);
}

void session_count_unanswered(struct session *session)
{
	atomic_fetch_add_explicit(&session->unanswered, 1, memory_order_relaxed);
}

void session_count_transmitted(struct session *session, uint64_t now)
{
	atomic_fetch_add_explicit(&session->transmitted, 1, memory_order_relaxed);
	atomic_store_explicit(&session->sent_at, now, memory_order_relaxed);
}

void session_take_back(struct session *session, uint64_t before)
{
	atomic_fetch_sub_explicit(&session->transmitted, 1, memory_order_relaxed);
	atomic_store_explicit(&session->sent_at, before, memory_order_relaxed);
}
