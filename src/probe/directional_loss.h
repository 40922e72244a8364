/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Which way lost probes, from the numbers of a far side that counts its replies. Owns nothing; its
 * user enters each reply.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many of the latest replies are known apart from their duplicates. */
#define COUNTS_REMEMBERED 1024u

/* A reply, by the numbers on it. */
struct numbered_reply {
	uint64_t time;	   /* when it came */
	uint64_t sequence; /* of the probe, from 0 */
	uint32_t count;	   /* the far side's, from 0, of this answer */
	bool duplicate;	   /* the probe had a reply before */
};

struct directional_loss {
	bool begun;
	uint64_t base;	   /* the sequence when the count was 0 */
	uint64_t sequence; /* the highest of both */
	uint64_t count;
	uint64_t heard;	      /* when the latest reply came */
	uint64_t distinct;    /* answers of the far side that arrived, each once */
	uint64_t duplicated;  /* of them those to probes that were duplicated on the way there */
	uint64_t there, back; /* of the counts that ended when the far side began anew */
	uint64_t seen[COUNTS_REMEMBERED / 64];
};

/* Of all zeroes; BASE is the sequence, from 0, that the far side's first answer should be to. */
void directional_loss_enter(struct directional_loss *loss, const struct numbered_reply *reply);

/*
 * How many of LOST were lost on each way, as far as the replies tell; the rest came after the last
 * one. False if the numbers cannot be of these probes: the far side counts others as well.
 */
bool directional_loss_split(const struct directional_loss *loss, uint64_t lost, uint64_t *there,
			    uint64_t *back);
