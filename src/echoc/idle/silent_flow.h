/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One flow: gets replies, is silent for a while, then sends again. Owns its socket; round.c calls
 * it when it is due and when its socket is readable.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "echoc/idle/memory.h"
#include "probe/stamp_sender.h"

#define FLOW_SENDS_MAX 16 /* whose replies are recognised */
#define NEVER UINT64_MAX

/* What all flows of a run have in common. */
struct silent_form {
	const struct stamp_form *form; /* of datagrams */
	bool datagram;
	bool fresh;	 /* answered once, not for some seconds */
	uint64_t offset; /* of the wall clock */
};

enum silent_state { STATE_WARMING, STATE_SILENT, STATE_ASKING, STATE_DONE };

/* How it showed that it was forgotten. */
enum silent_sign { SIGN_NONE, SIGN_ADDRESS, SIGN_SILENCE, SIGN_RESET };

struct silent_flow {
	const struct silent_form *form;
	int fd;	       /* -1: closed */
	uint64_t wait; /* NEVER: it is never silent, so that others know that the path is up */
	enum silent_state state;
	enum memory_fate fate; /* once it is done */
	enum silent_sign sign;
	uint64_t due;	/* when something has to be done, if nothing comes */
	uint64_t heard; /* when it was last answered; 0: never */
	uint64_t asked; /* when it began to ask */
	unsigned sends; /* in this state */
	uint32_t next;	/* number of the next datagram */
	uint64_t times[FLOW_SENDS_MAX];
	bool located;		      /* the far side says what address it sees: */
	struct address before, after; /* its silence */
	uint64_t closed;	      /* how long it was silent when it was closed */
};

void silent_flow_start(struct silent_flow *flow, const struct silent_form *form, int fd,
		       uint64_t wait, uint64_t now);
void silent_flow_end(struct silent_flow *flow);

/* It is due. */
void silent_flow_step(struct silent_flow *flow, uint64_t now);

/* Something came. */
void silent_flow_read(struct silent_flow *flow, uint64_t now);
