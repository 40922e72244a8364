/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Echo servers that do one thing wrong, for the tests of echoc: they run in threads of the test, on
 * a port of their own, until the test ends.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

enum fault {
	FAULT_NONE,
	FAULT_DROP,	 /* no reply */
	FAULT_DUPLICATE, /* the reply twice, delay_ms later */
	FAULT_DELAY,	 /* the reply delay_ms later; over UDP the others are not delayed */
	FAULT_REORDER,	 /* the reply after the one to the next message */
	FAULT_TRUNCATE,	 /* only the first `offset` bytes of the reply */
	FAULT_FLIP,	 /* the lowest bit of byte `offset` is another one */
	FAULT_CLOSE,	 /* TCP: closes after `offset` bytes of the reply */
	FAULT_RESET,	 /* TCP: the same with a reset */
	FAULT_PREFIX,	 /* TCP: `text` comes before the reply */
	FAULT_LONGER,	 /* one byte more than there should be */
	FAULT_DRIP,	 /* TCP: one byte of the reply each delay_ms */
};

struct faulty {
	enum fault fault;
	bool datagram;
	unsigned at; /* the message that it happens to, from 1 in each connection; 0: to all */
	size_t offset;
	unsigned delay_ms;
	size_t size;	      /* TCP: of a message; 0: whatever comes is one */
	const char *greeting; /* TCP: comes first; NULL: nothing does */
	const char *text;     /* of FAULT_PREFIX */
	unsigned connections; /* TCP: closes its port after this many; 0: never */
	bool deaf;	      /* TCP: then answers no connect, instead of closing it */
};

/* Starts it; "127.0.0.1:PORT", which stays good. */
const char *faulty_start(const struct faulty *faulty);
#define FAULTY(...) faulty_start(&(const struct faulty){__VA_ARGS__})

/* A port of 127.0.0.1 where nothing listens, as a target. */
const char *closed_port(void);

/* One where a connect gets no answer at all. */
const char *deaf_port(void);

/* Whether a client waits there for its connection. */
bool deaf_port_called(const char *target);
