/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What echom watches, and how: built from one file and those that it names, then immutable and
 * reference-counted. Each watch holds a reference to the list that its settings are in.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/netlist.h"
#include "daemon/settings/findings.h"
#include "daemon/settings/schema.h"
#include "echom/config/labels.h"
#include "echom/config/paths.h"
#include "echom/config/words.h"

struct settings_source;

/* A [target NAME], [defaults], or a target of a file. */
struct watch_settings {
	char section[NAME_MAX_LENGTH + 1]; /* its name; "": it is of a file */
	char address[WATCH_ADDRESS_MAX];   /* HOST:PORT or [IPV6]:PORT, always with its port */
	uint64_t protocol;		   /* enum watch_protocol */
	uint64_t interval;		   /* milliseconds, as the others */
	uint64_t timeout;
	uint64_t size;
	uint64_t dscp;
	uint64_t flows;		       /* source ports; 1 over TCP */
	char source[WATCH_SOURCE_MAX]; /* "": the kernel chooses */
	struct labels labels;
	uint64_t resolve;
};

struct echom_settings {
	struct address listen;
	uint64_t log_level;
	char user[NAME_MAX_LENGTH + 1]; /* "": do not switch */
	struct paths targets_file;
	struct netlist probe_from;    /* who may use /probe; without either it is off */
	struct netlist probe_targets; /* what it may reach */
};

struct watchlist {
	unsigned references;
	struct echom_settings server;
	struct watch_settings defaults;
	struct watch_settings *targets;
	size_t count;

	/*
	 * The list without the targets of files, which owns the settings that both have. NULL: it
	 * is that list itself.
	 */
	struct watchlist *configured;
	struct labels *labels; /* of the targets of files */
	size_t label_count;
};

/* NULL, and every error was reported. */
struct watchlist *watchlist_load(const struct settings_source *source, report_finding *report);
struct watchlist *watchlist_hold(struct watchlist *list);
void watchlist_release(struct watchlist *list); /* accepts NULL */

/* The list without the targets of files. */
struct watchlist *watchlist_configured(struct watchlist *list);

/* As a file with the same meaning, targets of files as comments; -1 if it cannot be written. */
int watchlist_dump(const struct watchlist *list, FILE *out) WARN_UNUSED;

/* Calls back for each setting that differs and takes effect only at a restart. */
void watchlist_compare(const struct watchlist *now, const struct watchlist *next,
		       void (*needs_restart)(const char *key));

/* A target of a file is named by its address. */
static inline const char *watch_name(const struct watch_settings *settings)
{
	return settings->section[0] != '\0' ? settings->section : settings->address;
}

/* The same probes to the same place, so that the books go on. */
bool watch_settings_equal(const struct watch_settings *a, const struct watch_settings *b);
