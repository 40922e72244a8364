/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See bounded_text.h. */

#include "config.h"

#include "base/bounded_text.h"

#include <stdarg.h>
#include <stdio.h>

void bounded_text_begin(struct bounded_text *text, char *bytes, size_t size)
{
	*text = (struct bounded_text){.bytes = bytes, .size = size};
	bytes[0] = '\0';
}

void bounded_text_add(struct bounded_text *text, const char *format, ...)
{
	size_t room = text->size - text->length;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text->bytes + text->length, room, format, args);
	va_end(args);
	if (length >= 0 && (size_t)length < room) {
		text->length += (size_t)length;
		return;
	}
	text->bytes[text->length] = '\0';
	text->cut = true;
}

size_t bounded_text_room(const struct bounded_text *text)
{
	return text->size - text->length - 1;
}
