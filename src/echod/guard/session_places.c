/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See session_places.h. */

#include "config.h"

#include "echod/guard/session_places.h"

static uint32_t number_of(const struct sessions *sessions, const struct session *session)
{
	return (uint32_t)(session - sessions->entries) + 1;
}

static struct source *record(const struct sessions *sessions, uint32_t number)
{
	return &session_entry(sessions, number)->record;
}

/* The link to the record of a source, or to the 0 at the end of its bucket. */
static uint32_t *find_source(const struct sessions *sessions, uint32_t hash)
{
	uint32_t *link = &session_bucket(sessions, hash)->source_bucket;

	while (*link != 0 && record(sessions, *link)->hash != hash)
		link = &record(sessions, *link)->next;
	return link;
}

/* There are as many records as entries, and none without a session: one is free. */
static uint32_t add_source(struct sessions *sessions, uint32_t hash)
{
	uint32_t number = sessions->sources_free;

	if (number != 0)
		sessions->sources_free = record(sessions, number)->next;
	else
		number = ++sessions->sources_fresh;
	*record(sessions, number) = (struct source){.hash = hash};
	return number;
}

static void leave_source(struct sessions *sessions, uint32_t number)
{
	struct source *source = record(sessions, number);

	if (--source->sessions > 0)
		return;
	*find_source(sessions, source->hash) = source->next;
	source->next = sessions->sources_free;
	sessions->sources_free = number;
}

static void put_in_slot(struct sessions *sessions, struct session *session, uint32_t used_at)
{
	uint32_t *slot = &sessions->slots[(used_at + IDLE_TICKS) % SLOTS];

	session->slot_next = *slot;
	*slot = number_of(sessions, session);
}

static void put_in_bucket(struct sessions *sessions, struct session *session, uint64_t key)
{
	_Atomic uint32_t *bucket = &session_bucket(sessions, session_bucket_hash(key))->bucket;

	atomic_store_explicit(&session->next, atomic_load_explicit(bucket, memory_order_relaxed),
			      memory_order_release);
	atomic_store_explicit(bucket, number_of(sessions, session), memory_order_release);
}

static void take_out_of_bucket(struct sessions *sessions, const struct session *session)
{
	uint64_t key = atomic_load_explicit(&session->key, memory_order_relaxed);
	_Atomic uint32_t *link = &session_bucket(sessions, session_bucket_hash(key))->bucket;
	uint32_t number = number_of(sessions, session), at;

	while ((at = atomic_load_explicit(link, memory_order_relaxed)) != number)
		link = &session_entry(sessions, at)->next;
	atomic_store_explicit(link, atomic_load_explicit(&session->next, memory_order_relaxed),
			      memory_order_release);
}

/* Makes sure that a worker that is about to use it will notice; false if one was faster. */
static bool claim(struct session *session, uint32_t tick)
{
	uint32_t used_at = atomic_load_explicit(&session->used_at, memory_order_acquire);

	return session_is_idle(used_at, tick) &&
	       atomic_compare_exchange_strong_explicit(&session->used_at, &used_at,
						       used_at - IDLE_TICKS, memory_order_acq_rel,
						       memory_order_relaxed);
}

static void take_away(struct sessions *sessions, struct session *session)
{
	take_out_of_bucket(sessions, session);
	atomic_store_explicit(&session->key, 0, memory_order_release);
	leave_source(sessions, session->source);
	session->slot_next = sessions->free;
	sessions->free = number_of(sessions, session);
	sessions->used--;
}

/* Turns the wheel to the next slot with something in it; false if there is none up to TICK. */
static bool turn(struct sessions *sessions, uint32_t tick)
{
	if (sessions->used == 0)
		sessions->turned_to = tick;
	if ((int32_t)(tick - sessions->turned_to) > SLOTS)
		sessions->turned_to = tick - SLOTS;
	while (sessions->pending == 0 && (int32_t)(tick - sessions->turned_to) > 0) {
		uint32_t *slot = &sessions->slots[++sessions->turned_to % SLOTS];

		sessions->pending = *slot;
		*slot = 0;
	}
	return sessions->pending != 0;
}

bool sessions_sweep(struct sessions *sessions, uint32_t tick, int steps)
{
	for (; turn(sessions, tick); steps--) {
		struct session *session = session_entry(sessions, sessions->pending);

		if (steps == 0)
			return false;
		sessions->pending = session->slot_next;
		if (claim(session, tick))
			take_away(sessions, session);
		else
			put_in_slot(sessions, session,
				    atomic_load_explicit(&session->used_at, memory_order_relaxed));
	}
	return true;
}

uint32_t sessions_next_idle(const struct sessions *sessions)
{
	uint32_t tick = sessions->turned_to + 1;

	while (sessions->slots[tick % SLOTS] == 0)
		tick++;
	return tick;
}

static struct session *take_free(struct sessions *sessions)
{
	uint32_t number = sessions->free;

	if (number != 0)
		sessions->free = session_entry(sessions, number)->slot_next;
	else if (sessions->fresh < sessions->size)
		number = ++sessions->fresh;
	else
		return NULL;
	sessions->used++;
	return session_entry(sessions, number);
}

void session_clear_questions(struct session *session)
{
	atomic_store_explicit(&session->received, 0, memory_order_relaxed);
	atomic_store_explicit(&session->unanswered, 0, memory_order_relaxed);
}

void session_clear_replies(struct session *session)
{
	atomic_store_explicit(&session->transmitted, 0, memory_order_relaxed);
	atomic_store_explicit(&session->sent_at, 0, memory_order_relaxed);
}

void session_clear_books(struct session *session)
{
	session_clear_questions(session);
	session_clear_replies(session);
}

struct session *sessions_add(struct sessions *sessions, uint64_t key, uint32_t source,
			     uint32_t tick)
{
	uint32_t *link = find_source(sessions, source);
	struct session *session;

	if (*link != 0 && record(sessions, *link)->sessions >= sessions->per_source)
		return NULL;
	session = take_free(sessions);
	if (!session)
		return NULL;
	if (*link == 0)
		*link = add_source(sessions, source);
	session->source = *link;
	record(sessions, *link)->sessions++;
	session_clear_books(session);
	put_in_slot(sessions, session, tick);
	atomic_store_explicit(&session->key, key, memory_order_release);
	atomic_store_explicit(&session->used_at, tick, memory_order_release);
	put_in_bucket(sessions, session, key);
	return session;
}
