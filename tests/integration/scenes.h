/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Situations that several test programs need: an echod that ends by itself, an address in use by
 * another program, a client that sends and does not read.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "integration/process.h"

/* The exit statuses that are no success. */
enum { FAILURE = 1, USAGE = 2, NOT_PERMITTED = 4, BAD_FILE = 6 };

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Runs it to its end, which must come by itself and with STATUS. The caller frees it. */
struct echod *finished(const struct echod_setup *setup, int status);
struct echod *finished_with(const char *config, const char *const *arguments, int status);

/* Its log is one line with WHAT and what would HELP in it; nothing is on standard output. */
void expect_one_line(struct echod *echod, const char *what, const char *help);
size_t lines(const char *text);

/* A socket of another program on 127.0.0.1, which listens if it can; its port. */
int occupy(int type, uint16_t *port);

/* Many clients, for an echod that is stopped, so that they are in its queue. */
#define WAITING 300
void connect_and_say_hello(int clients[static WAITING], const char *host, uint16_t port);

/* A client that does not read, so that echod keeps something for it; one at a time. */
struct stalled {
	int fd;
	size_t size; /* of what was sent */
};

/* On 127.0.0.1. No other client may send to that echod meanwhile. */
struct stalled stall(struct echod *echod);

/* Every byte comes back now, then the end. */
void stalled_expect_all(const struct stalled *stalled);
