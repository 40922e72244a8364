/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The configuration: built from one file (or none), then immutable and reference-counted. Control
 * loads it; every worker and service that reads it holds a reference.
 */

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/netlist.h"
#include "daemon/settings/escaped_text.h"
#include "daemon/settings/listen_address.h"
#include "daemon/settings/schema.h"
#include "echod/config/modes.h"
#include "echod/config/protocols.h"
#include "echod/config/stamp.h"

struct listener_config {
	char name[NAME_MAX_LENGTH + 1];
	uint64_t tag; /* hash of the name: the listener's part of keys in shared tables */
	struct address_list addresses;
	uint64_t protocols; /* PROTOCOL_ bits */
	uint64_t mode;	    /* enum mode; all but MODE_ECHO are UDP only */
	struct netlist allow;
	struct netlist deny;
	uint64_t max_clients_per_ip; /* 0: no limit */
	struct netlist proxy_from;   /* none: clients speak for themselves */
	uint64_t idle_timeout;	     /* milliseconds, 0: never */
	uint64_t stall_timeout;	     /* milliseconds, 0: never */
	struct text greeting;
	struct text prefix;
	bool reply_once;
	uint64_t udp_rate; /* datagrams a second from one source, 0: no limit */
	bool udp_guard;
	bool udp_ttl_guard;
	bool reflect_dscp;
	uint64_t stamp_sessions; /* 0: as few as the mode needs */
	struct stamp_key stamp_key;
	uint64_t stamp_dscp; /* STAMP_DSCP_ */
};

#define STAMP_SESSIONS_MAX 1048576

struct server_config {
	uint64_t workers; /* 0: auto */
	uint64_t log_level;
	uint64_t sandbox;		/* SANDBOX_ */
	char user[NAME_MAX_LENGTH + 1]; /* "": do not switch */
	uint64_t max_clients;		/* 0: auto */
	uint64_t drain_timeout;		/* milliseconds */
	uint64_t busy_poll;		/* microseconds */
	struct address metrics;		/* length 0: none */
};

struct config {
	atomic_uint references;
	bool from_file; /* a file was read, so a reload needs it, too */
	struct server_config server;
	struct listener_config defaults;
	struct listener_config *listeners;
	size_t listener_count;
};

struct config *config_hold(struct config *config);
void config_release(struct config *config);

/* NULL if there is none of that name. */
const struct listener_config *config_listener(const struct config *config, const char *name);

/*
 * Writes the effective configuration as a file with the same meaning; -1 if that fails.
 */
int config_dump(const struct config *config, FILE *out) WARN_UNUSED;

/* Calls back for each setting that differs and takes effect only at a restart. */
void config_compare(const struct config *now, const struct config *next,
		    void (*needs_restart)(const char *key));
