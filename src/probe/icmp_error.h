/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a router or the other host reports about a datagram that did not arrive: the error queue of
 * an IP socket (ip(7), IP_RECVERR).
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"

#define ICMP_ERROR_TEXT_MAX (ADDRESS_TEXT_MAX + 80)

struct icmp_error {
	bool remote;	       /* false: our own kernel's, which send(2) returns, too */
	bool port_unreachable; /* nothing listens there */
	struct address from;   /* length 0: not known */
	uint32_t mtu;	       /* of the next link, which the packet was too large for; else 0 */
	bool too_large;	       /* also one that does not tell the MTU */
	size_t quoted;	       /* bytes of the datagram, from its start, that came with it */
	char text[ICMP_ERROR_TEXT_MAX]; /* "from 192.0.2.1: host unreachable" */
};

/* Asks the kernel to keep them. From then on one must read them, or the socket stays ready. */
void icmp_error_prepare(int fd);

/* Takes one off the queue, with what it quotes in BUFFER. -1: there is none. */
int icmp_error_read(int fd, void *buffer, size_t size, struct icmp_error *error) WARN_UNUSED;
