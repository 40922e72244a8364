/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The labels of a target: its own ones, which Prometheus gets with echom_target_info, and the text
 * that all of its metrics have in common.
 */

#pragma once

#include <stddef.h>

#include "base/bounded_text.h"
#include "daemon/settings/schema.h"

#define LABELS_MAX 16
#define LABEL_LENGTH_MAX 128 /* of a name, and of a value */

struct label {
	char *name;
	const char *value; /* in the same memory */
};

struct labels {
	struct label *items;
	size_t count;
};

extern const struct value_type labels_value; /* a list of NAME=VALUE */

int labels_add(struct labels *labels, const char *name, const char *value,
	       struct reason *reason) WARN_UNUSED;
void labels_clear(struct labels *labels);

/* For each one, `,NAME="VALUE"`. */
void labels_write(const struct labels *labels, struct bounded_text *text);

/* A value as it stands between the quotes of the text format: \, " and line feeds are escaped. */
void label_value_write(const char *value, struct bounded_text *text);

/* Shared by a watch and by the scrapes that show it. Of one thread. */
struct label_text {
	unsigned references;
	char bytes[];
};

struct label_text *label_text_new(const char *bytes) WARN_UNUSED; /* NULL without memory */
struct label_text *label_text_hold(struct label_text *text);
void label_text_release(struct label_text *text); /* accepts NULL */
