/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A path to a UDP server that loses and duplicates chosen datagrams on chosen ways. It runs in a
 * thread of the test until the test ends; echoc is its only client.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

struct relay {
	uint16_t port; /* of the server, on 127.0.0.1 */
	/* Bit N is about datagram N of that way, from 0. */
	uint64_t lost_there, lost_back;
	uint64_t doubled_there, doubled_back;
	unsigned copies;			    /* of each reply beside it */
	int longer;				    /* each reply by that many bytes, or shorter */
	void (*alter)(uint8_t *reply, size_t size); /* may be NULL */
};

/* Starts it; "127.0.0.1:PORT", which stays good until the next one. */
const char *relay_start(const struct relay *relay);
#define RELAY(...) relay_start(&(const struct relay){__VA_ARGS__})
