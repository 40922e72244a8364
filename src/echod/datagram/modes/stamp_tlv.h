/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * STAMP's options (RFC 8972): the chain of TLVs behind the base packet, answered where it is. What
 * is unknown, or asks for more than an answer to where the request came from, is marked as such and
 * never obeyed. Reads and writes memory only; stamp.c calls it for each packet.
 */

#pragma once

#include <stddef.h>

struct question;

/*
 * Turns the chain behind the first BASE bytes, which are still those of the request, into that of
 * the answer. If the question's listener has a key, nothing in a chain is believed that its HMAC
 * does not cover.
 */
void stamp_chain_answer(struct question *question, size_t base);

/* Fills in what depends on the answer's sequence number, which is in its place by now. */
void stamp_chain_complete(struct question *question, size_t base);
