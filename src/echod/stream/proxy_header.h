/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The header of haproxy's PROXY protocol, version 1 (a line of text) or 2 (binary), which a load
 * balancer sends before the first byte of a client. Memory in, verdict out: reads no socket, owns
 * nothing. Called for whatever has arrived so far, by the stage in proxy.c.
 */

#pragma once

#include <stddef.h>

#include "base/address.h"
#include "base/compiler.h"

/* A longer one is refused. Certificates of clients, in TLVs, make headers of some kilobytes. */
#define PROXY_HEADER_MAX 4096

enum proxy_verdict {
	PROXY_MORE,	/* so far it is the beginning of one */
	PROXY_COMPLETE, /* whole and valid */
	PROXY_INVALID	/* whatever follows */
};

struct proxy_header {
	size_t length; /* COMPLETE: the payload begins behind it */
	struct address
		source;	   /* COMPLETE; its length is 0 for LOCAL and UNKNOWN, which name none */
	const char *fault; /* INVALID: what is wrong, for people */
};

/*
 * INVALID comes with the first byte that no header has in its place, as far as a byte shows that:
 * the checksum and the length of a line do only at their end.
 */
enum proxy_verdict proxy_header_parse(const void *data, size_t size,
				      struct proxy_header *header) WARN_UNUSED;
