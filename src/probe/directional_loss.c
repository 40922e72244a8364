/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See directional_loss.h. Any number from the far side may be wrong: none is trusted alone. */

#include "config.h"

#include "probe/directional_loss.h"

#include <string.h>

#include "base/clock.h"

/* After such a silence a session may have been forgotten, and a count may begin anew. */
#define FORGOTTEN (60 * NS_PER_S)

static void sums(const struct directional_loss *loss, uint64_t *there, uint64_t *back)
{
	uint64_t sent = loss->sequence - loss->base + 1;
	uint64_t answered = loss->count + 1; /* duplicates as well */
	uint64_t probes = answered > loss->duplicated ? answered - loss->duplicated : 0;

	*there = loss->there + (sent > probes ? sent - probes : 0);
	*back = loss->back + (answered > loss->distinct ? answered - loss->distinct : 0);
}

static void begin_anew(struct directional_loss *loss, const struct numbered_reply *reply)
{
	struct directional_loss next = {.base = reply->sequence - reply->count};

	sums(loss, &next.there, &next.back);
	*loss = next;
}

static uint64_t *word_of(struct directional_loss *loss, uint64_t count)
{
	return &loss->seen[count % COUNTS_REMEMBERED / 64];
}

static uint64_t bit_of(uint64_t count)
{
	return UINT64_C(1) << count % 64;
}

static void forget(struct directional_loss *loss, uint64_t from, uint64_t to)
{
	if (to - from >= COUNTS_REMEMBERED) {
		memset(loss->seen, 0, sizeof(loss->seen));
		return;
	}
	while (++from <= to)
		*word_of(loss, from) &= ~bit_of(from);
}

/* Whether the answer of that count, one of the latest, has arrived. */
static bool has_seen(struct directional_loss *loss, uint64_t count)
{
	return (*word_of(loss, count) & bit_of(count)) != 0;
}

/*
 * A far side gives no count twice: one that was seen, on the reply to another probe, is of a far
 * side that was restarted.
 */
static bool has_begun_anew(struct directional_loss *loss, const struct numbered_reply *reply,
			   int64_t ahead)
{
	if (ahead > 0 || reply->sequence <= loss->sequence || reply->count > reply->sequence)
		return false;
	return reply->time - loss->heard >= FORGOTTEN || ahead <= -(int64_t)COUNTS_REMEMBERED ||
	       (!reply->duplicate && has_seen(loss, reply->count));
}

/* Marks COUNT as seen; false when it was, or when it is too old to tell. */
static bool see(struct directional_loss *loss, uint64_t count)
{
	if (!loss->begun || count > loss->count) {
		forget(loss, loss->begun ? loss->count : count, count);
		loss->count = count;
		loss->begun = true;
	} else if (loss->count - count >= COUNTS_REMEMBERED || has_seen(loss, count)) {
		return false;
	}
	*word_of(loss, count) |= bit_of(count);
	return true;
}

void directional_loss_enter(struct directional_loss *loss, const struct numbered_reply *reply)
{
	int64_t ahead = (int32_t)(reply->count - (uint32_t)loss->count);

	if (loss->begun && has_begun_anew(loss, reply, ahead))
		begin_anew(loss, reply);
	if (!loss->begun)
		ahead = reply->count;
	loss->heard = reply->time;
	if (ahead < 0 && loss->count < (uint64_t)-ahead)
		return;
	if (see(loss, loss->count + (uint64_t)ahead)) {
		loss->distinct++;
		loss->duplicated += reply->duplicate;
	}
	if (reply->sequence > loss->sequence)
		loss->sequence = reply->sequence;
}

bool directional_loss_split(const struct directional_loss *loss, uint64_t lost, uint64_t *there,
			    uint64_t *back)
{
	*there = *back = 0;
	if (!loss->begun)
		return true;
	sums(loss, there, back);
	if (*there <= lost && *back <= lost - *there)
		return true;
	*there = *back = 0;
	return false;
}
