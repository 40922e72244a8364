/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Limits the replies to a source: a set-associative table with two leaky buckets for each source,
 * read and changed by all workers with atomic operations only. Owns the table, 1 MiB in total,
 * which is not touched before the first source. Called by the UDP path.
 *
 * A bucket is stored as the time when it will be empty (the "generic cell rate algorithm"). It
 * drains with time, so no cleanup is ever needed.
 */

#include "config.h"

#include "echod/guard/rate_limit.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/siphash.h"
#include "echod/guard/source_key.h"

#define SECOND INT64_C(1000000000)
#define TABLE_SIZE UINT64_C(1048576)
#define WAYS 4
#define SETS 8191 /* with the head, as large as one set, exactly TABLE_SIZE */

#define BURST SECOND		 /* of the rate itself */
#define EXTRA_BURST (SECOND / 8) /* of the excess that still gets a reply */
#define IMPLAUSIBLE (2 * SECOND) /* no bucket takes this long: the clock was set back */

/*
 * At this rate and above, the bucket of a source over the limit is soon fuller than that of a
 * source seen once, so it keeps its entry. At lower rates one reply fills much of a bucket, and the
 * two look alike: an entry is then replaced only when its bucket is empty.
 */
#define LOW_RATE 32

#define LOG_PERIOD_SOURCE (30 * SECOND)
#define LOG_PERIOD_PROCESS SECOND

struct entry {
	_Atomic uint64_t source; /* a keyed hash of the listener and the address; 0: free */
	_Atomic int64_t drained_at;
	_Atomic int64_t extra_drained_at;
	_Atomic int64_t logged_at; /* 0: never */
};

struct set {
	struct entry entries[WAYS];
} __attribute__((aligned(128)));

struct rate_limit {
	struct siphash_key hash_key;
	_Atomic int64_t logged_at; /* for any source */
	struct set sets[SETS];
};

_Static_assert(sizeof(struct rate_limit) == TABLE_SIZE, "the table has the size the manual states");

struct rate_limit *rate_limit_new(void)
{
	struct rate_limit *limit = mmap(NULL, sizeof(*limit), PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (limit == MAP_FAILED)
		return NULL;

	siphash_key_random(&limit->hash_key);
	return limit;
}

void rate_limit_free(struct rate_limit *limit)
{
	if (limit)
		munmap(limit, sizeof(*limit));
}

static int64_t read_time(const _Atomic int64_t *time)
{
	return atomic_load_explicit(time, memory_order_relaxed);
}

static void write_time(_Atomic int64_t *time, int64_t value)
{
	atomic_store_explicit(time, value, memory_order_relaxed);
}

static bool change_time(_Atomic int64_t *time, int64_t *from, int64_t to)
{
	return atomic_compare_exchange_strong_explicit(time, from, to, memory_order_relaxed,
						       memory_order_relaxed);
}

/*
 * Gives ENTRY to a new source, with empty buckets: a source that sends little is never limited
 * because of others. The worker that changes the time owns the entry; the source is written last,
 * so that no worker finds it with the buckets of its predecessor. NULL if another worker was
 * faster.
 */
static struct entry *claim(struct entry *entry, int64_t drained_at, uint64_t source, int64_t now)
{
	if (!change_time(&entry->drained_at, &drained_at, now))
		return NULL;

	write_time(&entry->extra_drained_at, now);
	write_time(&entry->logged_at, 0);
	atomic_store_explicit(&entry->source, source, memory_order_release);
	return entry;
}

static bool in_debt(int64_t drained_at, int64_t now)
{
	return drained_at > now && drained_at - now < IMPLAUSIBLE;
}

/*
 * The entry of SOURCE, or else the one with the emptiest bucket of its set, so that a flood never
 * displaces a flooder. NULL if it gets none: *CROWDED if that is because no entry may be replaced.
 */
static struct entry *find_entry(struct rate_limit *limit, uint64_t source, uint64_t rate,
				int64_t now, bool *crowded)
{
	struct entry *entries = limit->sets[((source >> 32) * SETS) >> 32].entries;
	struct entry *least = NULL;
	int64_t least_drained_at = INT64_MAX;

	for (size_t i = 0; i < WAYS; i++) {
		struct entry *entry = &entries[i];
		int64_t drained_at = read_time(&entry->drained_at);

		if (atomic_load_explicit(&entry->source, memory_order_acquire) == source)
			return entry;
		if (drained_at < least_drained_at) {
			least = entry;
			least_drained_at = drained_at;
		}
	}
	*crowded = rate < LOW_RATE && in_debt(least_drained_at, now);
	return *crowded ? NULL : claim(least, least_drained_at, source, now);
}

/* The number of datagrams at RATE in TIME nanoseconds. */
static uint64_t room_for(int64_t time, uint64_t rate)
{
	return time > 0 ? (uint64_t)time * rate / (uint64_t)SECOND : 0;
}

/*
 * Takes up to WANTED from a bucket that drains at RATE and holds BURST nanoseconds' worth of
 * datagrams. Products do not overflow: rates and counts have 32 bits, and a burst is at most one
 * second. Each time another worker is faster there is less to take, so the loop terminates.
 */
static unsigned spend(_Atomic int64_t *drained_at, int64_t now, uint64_t rate, int64_t burst,
		      unsigned wanted)
{
	int64_t seen = read_time(drained_at);
	int64_t start;
	uint64_t granted, cost;

	do {
		start = in_debt(seen, now) ? seen : now;
		granted = room_for(burst - (start - now), rate);
		if (granted > wanted)
			granted = wanted;
		if (granted == 0)
			return 0;
		cost = (granted * (uint64_t)SECOND + rate - 1) / rate;
	} while (!change_time(drained_at, &seen, start + (int64_t)cost));
	return (unsigned)granted;
}

/* xorshift64*: the state must not be 0; use the upper bits. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

/* How many of COUNT win with a chance of 1 in 8: the mean for each full 64, random for the rest. */
static unsigned draw_eighth(unsigned count, uint64_t *random_state)
{
	uint64_t drawn = ~(UINT64_MAX >> count % 64);

	drawn &= next_random(random_state);
	drawn &= next_random(random_state);
	drawn &= next_random(random_state);
	return count / 64 * 8 + (unsigned)__builtin_popcountll(drawn);
}

/* If the rate is so low that one reply takes longer than the burst, the burst is one reply. */
static unsigned spend_extra(struct entry *entry, int64_t now, uint64_t rate, unsigned wanted)
{
	int64_t interval = (int64_t)(((uint64_t)SECOND + rate - 1) / rate);
	int64_t burst = interval > EXTRA_BURST ? interval : EXTRA_BURST;

	return spend(&entry->extra_drained_at, now, rate, burst, wanted);
}

/* A time far in the future was written before the clock was set back. */
static bool elapsed(int64_t since, int64_t now, int64_t period)
{
	return since == 0 || now - since >= period || now - since <= -period;
}

/* Only the worker that changes the process's time may log, even if several have the same source. */
static bool may_log(struct rate_limit *limit, struct entry *entry, int64_t now)
{
	int64_t by_source = read_time(&entry->logged_at);
	int64_t by_any = read_time(&limit->logged_at);

	if (!elapsed(by_source, now, LOG_PERIOD_SOURCE) ||
	    !elapsed(by_any, now, LOG_PERIOD_PROCESS) ||
	    !change_time(&limit->logged_at, &by_any, now))
		return false;
	write_time(&entry->logged_at, now);
	return true;
}

struct rate_grant rate_limit_take(struct rate_limit *limit, uint64_t tag, const struct in6_addr *ip,
				  uint64_t rate, unsigned count, int64_t now,
				  uint64_t *random_state)
{
	struct source_key key = source_key(tag, ip);
	uint64_t source = siphash(&limit->hash_key, key.words, SOURCE_KEY_WORDS) | 1;
	struct rate_grant grant = {.allowed = count};
	struct entry *entry = find_entry(limit, source, rate, now, &grant.crowded_out);

	if (grant.crowded_out) {
		grant.allowed = 0;
		return grant;
	}
	/*
	 * Another new source took the entry first: the next datagram will find one, and replying to
	 * this one is harmless.
	 */
	if (!entry)
		return grant;

	grant.allowed = spend(&entry->drained_at, now, rate, BURST, count);
	if (grant.allowed < count) {
		unsigned drawn = draw_eighth(count - grant.allowed, random_state);

		grant.allowed += spend_extra(entry, now, rate, drawn);
		grant.log_due = grant.allowed < count && may_log(limit, entry, now);
	}
	return grant;
}
