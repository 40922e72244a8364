/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The table behind sessions.h: which entry is whose, how many each source has, and which are idle.
 * Everything that this needs is in the entries, so that only those in use take memory. Changed with
 * the lock alone, but read without. For sessions.c only.
 */

#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/siphash.h"

/* Times are in ticks; differences of two may be negative, for each worker reads its own clock. */
#define TICKS_PER_S 16
#define IDLE_TICKS (60 * TICKS_PER_S)
#define SLOTS 1024 /* more than IDLE_TICKS */

/*
 * A source that has sessions. Two of a million may share a record, and with it a limit of many
 * thousands. Numbers of records and entries count from 1; 0 is none.
 */
struct source {
	uint32_t next; /* of the same bucket, or free */
	uint32_t hash;
	uint32_t sessions;
};

struct session {
	_Atomic uint64_t key; /* a keyed hash; 0: free */
	_Atomic uint64_t sent_at;
	_Atomic uint32_t used_at; /* in ticks */
	_Atomic uint32_t received;
	_Atomic uint32_t transmitted;
	_Atomic uint32_t unanswered;
	_Atomic uint32_t next; /* of the same bucket */
	uint32_t slot_next;    /* of the same slot, or free */
	uint32_t source;       /* its record */

	/* The first ones of the buckets with this number, and the record: not of this session. */
	_Atomic uint32_t bucket;
	uint32_t source_bucket;
	struct source record;
};

_Static_assert(sizeof(struct session) == 64, "a session has the size the manual states");

struct sessions {
	atomic_uint references;
	size_t size;
	uint32_t per_source;
	struct siphash_key hash_key;
	struct session *entries;
	_Atomic uint64_t full_until; /* sessions.c: bit 32 and a tick; 0: perhaps not full */

	pthread_mutex_t lock;
	size_t used;	/* entries that are not free */
	uint32_t fresh; /* those after this one were never used */
	uint32_t free;
	uint32_t sources_fresh; /* the same of records */
	uint32_t sources_free;

	/*
	 * Each session lies in the slot of the tick when it would be idle, as far as was known when
	 * it was put there. When that tick comes, one that was used since then is put where it
	 * belongs.
	 */
	uint32_t slots[SLOTS];
	uint32_t turned_to; /* the tick whose slot was emptied last */
	uint32_t pending;   /* what was in it and was not looked at yet */
};

static inline struct session *session_entry(const struct sessions *sessions, uint32_t number)
{
	return &sessions->entries[number - 1];
}

/* The entry that has the buckets of a hash. */
static inline struct session *session_bucket(const struct sessions *sessions, uint32_t hash)
{
	return &sessions->entries[(uint64_t)hash * sessions->size >> 32];
}

/* The half of a session's key that chooses its bucket. */
static inline uint32_t session_bucket_hash(uint64_t key)
{
	return (uint32_t)(key >> 32);
}

static inline bool session_is_idle(uint32_t used_at, uint32_t tick)
{
	return (int32_t)(tick - used_at) >= IDLE_TICKS;
}

/* Takes away what is idle at TICK, in a number of STEPS; false if that was too few to see all. */
bool sessions_sweep(struct sessions *sessions, uint32_t tick, int steps) WARN_UNUSED;

/* While all are used and swept: none can be idle before this tick. */
uint32_t sessions_next_idle(const struct sessions *sessions);

/* A new session, books empty; NULL: all are used, or its source has as many as it may. */
struct session *sessions_add(struct sessions *sessions, uint64_t key, uint32_t source,
			     uint32_t tick) WARN_UNUSED;

/* Its books: all of them, those of what came, and those of what left. */
void session_clear_books(struct session *session);
void session_clear_questions(struct session *session);
void session_clear_replies(struct session *session);
