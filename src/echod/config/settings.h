/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The one table of settings: a row says where a key may stand, what its value is like, where it is
 * kept and what it is by default. The reader, the defaults, the dump and the comparison all walk
 * it; a new setting is a new row and its field in configuration.h.
 */

#ifndef ECHOD_CONFIG_SETTINGS_H
#define ECHOD_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/settings/values.h"

/*
 * Sections in which a key may stand. Values of [defaults] and [listener] are kept in the same type.
 */
enum { IN_SERVER = 1, IN_DEFAULTS = 2, IN_LISTENER = 4 };

/*
 * What a setting is about: it has no effect on a listener that serves nothing of the kind. TCP
 * stands for UNIX streams, too, except where clients are told apart by their IP addresses.
 */
enum applies_to {
	APPLIES_TO_ALL = 0,
	APPLIES_TO_IP = 1,
	APPLIES_TO_TCP = 2,
	APPLIES_TO_UDP = 4,
	APPLIES_TO_TCP_ADDRESSES = 8
};

struct listener_config;

struct setting {
	const char *key;
	unsigned sections; /* IN_ bits */
	const struct value_type *type;
	size_t offset; /* in struct server_config or struct listener_config */
	uint64_t min, max;
	const char *default_text; /* "": none */
	enum applies_to applies_to;
	bool required;
	bool restart; /* a new value takes effect only at a restart */
};

/* Room for a mark on each row. */
#define SETTINGS_MAX 32

extern const struct setting settings[];
extern const size_t setting_count;

/* NULL when there is no such key. */
const struct setting *setting_find(const char *key);

/* The value in the struct of its section. */
void *setting_value(const struct setting *setting, void *section);
const void *setting_value_const(const struct setting *setting, const void *section);

/* False when nothing that the listener serves is the setting's concern. */
bool setting_applies_to(const struct setting *setting, const struct listener_config *listener);

/* Reads alike: every item has the same text. */
bool setting_equal(const struct setting *setting, const void *section, const void *other);

/* The section TO, which has no value of its own, uses that of FROM, which outlives it. */
void setting_share(const struct setting *setting, void *to, const void *from);

/* Frees what the values of a whole section own. */
void settings_clear(unsigned sections, void *section);

#endif
