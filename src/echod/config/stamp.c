/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stamp.h. Called through rows in settings.c, and by load.c. */

#include "config.h"

#include "echod/config/stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_path(const struct setting *setting UNUSED, void *value, const char *text,
		      struct reason *reason UNUSED)
{
	struct stamp_key *key = value;

	(void)snprintf(key->path, sizeof(key->path), "%s", text);
	return 0;
}

static bool format_path(const struct setting *setting UNUSED, const void *value, size_t item,
			char *text)
{
	const struct stamp_key *key = value;

	(void)snprintf(text, VALUE_TEXT_MAX, "%s", key->path);
	return item == 0 && key->path[0] != '\0';
}

static void clear_key(void *value)
{
	struct stamp_key *key = value;

	if (key->hmac && !key->shared) {
		explicit_bzero(key->hmac, sizeof(*key->hmac));
		free(key->hmac);
	}
	*key = (struct stamp_key){0};
}

static void share_key(void *to, const void *from)
{
	struct stamp_key *key = to;

	clear_key(key);
	*key = *(const struct stamp_key *)from;
	key->shared = true;
}

static int take(struct stamp_key *key, const struct hmac_key *hmac)
{
	key->hmac = malloc(sizeof(*key->hmac));
	if (!key->hmac)
		return -1;
	*key->hmac = *hmac;
	return 0;
}

enum key_file stamp_key_read(struct stamp_key *key, uid_t owner, struct reason *reason)
{
	struct hmac_key hmac;
	enum key_file result = key_file_read(key->path, owner, &hmac, reason);

	if (result == KEY_FILE_READ && take(key, &hmac) < 0) {
		(void)reason_set(reason, "not enough memory");
		result = KEY_FILE_BAD;
	}
	explicit_bzero(&hmac, sizeof(hmac));
	return result;
}

int stamp_key_copy(struct stamp_key *key, const struct stamp_key *from)
{
	return take(key, from->hmac);
}

const char *const stamp_dscp_names[] = {
	[STAMP_DSCP_ANY] = "any", [STAMP_DSCP_RECEIVED] = "received", NULL};

const struct value_type stamp_key_value = {.size = sizeof(struct stamp_key),
					   .parse = parse_path,
					   .format = format_path,
					   .share = share_key,
					   .clear = clear_key};
