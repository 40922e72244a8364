/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How long a path remembers a silent flow, from how long each flow was silent and whether it was
 * forgotten. Plain arithmetic; idle.c enters each flow.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define WAIT_FIRST (5 * NS_PER_S)
#define WAITS_MAX 64
#define WAITS_BETWEEN 7 /* of the second round */

/* The fate of a flow after it was silent. */
enum memory_fate {
	FATE_KEPT,
	FATE_FORGOTTEN,
	FATE_CLOSED,	 /* by the far side, while it was silent */
	FATE_PATH_DOWN,	 /* no other flow was answered then, either */
	FATE_UNANSWERED, /* from its start on */
};

struct memory {
	uint64_t kept;	    /* the longest silence that was remembered; 0: none */
	uint64_t forgotten; /* the shortest that was not */
	uint64_t closed;    /* the shortest after which the far side closed a connection */
	size_t answered;    /* flows, at their start */
	size_t unclear;	    /* flows when the path was down */
};

/* 5 s, a quarter more each, up to UP_TO, which is the last. How many. */
size_t memory_waits(uint64_t up_to, uint64_t waits[static WAITS_MAX]);

/* Evenly between the longest kept and the shortest forgotten. 0: one of them is not known. */
size_t memory_waits_between(const struct memory *memory, uint64_t waits[static WAITS_MAX]);

void memory_enter(struct memory *memory, uint64_t wait, enum memory_fate fate);

/* How often something has to be sent, so that one may get lost; 0: nothing was forgotten. */
uint64_t memory_keep_alive(const struct memory *memory);
