/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The marks that are tried, what became of each, and the conclusions. Owns its list; the exchange
 * enters replies, and the reports read it.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"

#define DSCPS 64u
#define ECNS 4u
#define MARKS_MAX (DSCPS + ECNS)

/* What answers: one that says what it saw, one that returns what it got, or nobody did. */
enum far_kind { FAR_SILENT, FAR_STAMP, FAR_ECHO };

struct mark {
	uint8_t dscp, ecn;
	uint64_t sent, received;
	int there; /* the TOS that it arrived with, a changed one if any was; -1: unknown */
	int back;  /* the TOS of its replies, likewise */
	uint64_t changed_there, changed_back; /* in how many of the replies */
	uint64_t sent_again, answered_again;  /* with a wish for an unmarked reply */
};

struct marks {
	enum far_kind far;
	struct mark marks[MARKS_MAX]; /* DSCPs without ECN first */
	size_t count, dscps;
	uint64_t refused; /* how often nothing listened there */
	bool unfinished;  /* a signal or an error ended it early */
};

/* What a reply says: TOS bytes; -1: it does not. */
struct mark_reply {
	int there;
	int back;
	uint8_t back_dscp; /* what it should have left with */
};

/* The DSCPs of LIST ("all", or names, numbers and ranges; NULL: those in use), and ECN. */
int marks_choose(struct marks *marks, const char *list, struct reason *reason) WARN_UNUSED;

void mark_enter(struct mark *mark, const struct mark_reply *reply);

/* As it was tried: the TOS byte. */
static inline uint8_t mark_tos(const struct mark *mark)
{
	return (uint8_t)(mark->dscp << 2 | mark->ecn);
}

/* Whether any reply said with which mark its probe arrived; a reflector may know no options. */
bool marks_are_seen(const struct marks *marks);

/* Whether every DSCP that was answered is known on both ways. */
bool marks_are_complete(const struct marks *marks);

/* Only if the far side returns DSCPs can an echo show any: replies that all have one do not. */
bool marks_are_returned(const struct marks *marks);

enum way { WAY_NONE, WAY_UNKNOWN, WAY_THERE, WAY_BACK };

/* Of a mark of which no probe was answered: the way that loses it. */
enum way mark_lost_on(const struct marks *marks, const struct mark *mark);

/* Whether that can be found out by sending it again, for unmarked replies. */
bool mark_is_worth_another_try(const struct marks *marks, const struct mark *mark);

/* The reply to one of those. */
void mark_enter_again(struct mark *mark, const struct mark_reply *reply);

enum l4s { L4S_UNKNOWN, L4S_READY, L4S_BROKEN };

/* Whether ECT(1) and CE arrive there, without which a scalable sender sees no congestion. */
enum l4s marks_l4s(const struct marks *marks);

struct mark_sums {
	uint64_t sent, received;
	uint64_t sent_again;
	size_t changed_there, changed_back; /* marks */
	size_t lost;			    /* marks of which no probe was answered */
};

struct mark_sums marks_sum(const struct marks *marks);

/* Everything came back with all marks that it was sent with, as far as that can be seen. */
bool marks_clean(const struct marks *marks);
