/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What carrying over a stream and over datagrams have in common: the input, and what is printed of
 * what comes back. Owns nothing; stream.c and datagram.c call it.
 */

#include "config.h"

#include "echoc/send/sender.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "echoc/command/signals.h"
#include "echoc/say/json.h"

ssize_t sender_read(struct sender *sender, unsigned char *buffer, size_t size)
{
	size_t left = sender->text_length - sender->text_taken;

	if (!sender->text)
		return read(STDIN_FILENO, buffer, size);
	if (size > left)
		size = left;
	memcpy(buffer, sender->text + sender->text_taken, size);
	sender->text_taken += size;
	return (ssize_t)size;
}

int sender_print(struct sender *sender, const unsigned char *data, size_t length)
{
	if (sender->arguments->json)
		return 0;
	if (length > 0)
		sender->last_printed = data[length - 1];
	while (length > 0) {
		ssize_t written = write(STDOUT_FILENO, data, length);

		if (written < 0 && (errno != EINTR || signals_caught() > 0))
			return -1;
		if (written > 0) {
			data += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

void sender_differs(struct sender *sender, uint64_t offset, int expected, int got)
{
	struct json json;

	if (sender->differs)
		return;
	sender->differs = true;
	if (sender->arguments->json) {
		json_begin(&json, stdout, "corrupt");
		json_unsigned(&json, "offset", offset);
		json_byte(&json, "expected", expected);
		json_byte(&json, "got", got);
		json_end(&json);
		return;
	}
	if (expected < 0)
		fprintf(stderr,
			"echoc: corrupt at offset %" PRIu64 ": expected nothing, got %02x\n",
			offset, (unsigned)got);
	else
		fprintf(stderr, "echoc: corrupt at offset %" PRIu64 ": expected %02x, got %02x\n",
			offset, (unsigned)expected, (unsigned)got);
}
