/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What the files of send share: send.c owns all of this, stream.c and datagram.c move the bytes
 * with the help of sender.c. The books count bytes here.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "echoc/command/arguments.h"
#include "probe/books.h"
#include "probe/target.h"

struct sender {
	const struct arguments *arguments;
	struct target *target;
	int fd;
	char *text; /* NULL: standard input is what is sent */
	size_t text_length;
	size_t text_taken;
	uint64_t compared; /* bytes that came back, so far */
	uint64_t extra;	   /* that came beyond what was sent */
	bool differs;	   /* the first place was reported */
	bool cut_short;	   /* not all of the input could be sent */
	bool timed_out;	   /* something was awaited for as long as -w */
	unsigned char last_printed;
	struct books books;
};

/* The next bytes to send, as read(2): 0 at their end. */
ssize_t sender_read(struct sender *sender, unsigned char *buffer, size_t size);

/* Prints what came back; nothing with --json. -1 when standard output does not take it. */
int sender_print(struct sender *sender, const unsigned char *data, size_t length) WARN_UNUSED;

/* Reports, once, where what came back differs. EXPECTED is -1 where nothing more was expected. */
void sender_differs(struct sender *sender, uint64_t offset, int expected, int got);

/* Exchanges everything. -1 with a reason when it could not continue. */
int send_stream(struct sender *sender, struct reason *reason) WARN_UNUSED;
int send_datagrams(struct sender *sender, struct reason *reason) WARN_UNUSED;
