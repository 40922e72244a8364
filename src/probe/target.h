/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The other side, HOST[:PORT] or a unix path, looked up once; and the sockets connected to it.
 */

#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"
#include "probe/proxy_greeting.h"

#define TARGET_CANDIDATES 8
#define TARGET_DEFAULT_PORT 7
#define TARGET_NAME_MAX 256

/* Whether packets may be fragmented: as the kernel does it, or one of ping(8)'s -M. */
enum fragmenting { FRAGMENTING_DEFAULT, FRAGMENTING_DO, FRAGMENTING_WANT, FRAGMENTING_DONT };

/* What may be chosen; all zeroes but for the name are the defaults. */
struct target_options {
	const char *name;   /* HOST[:PORT], unix:PATH or unixgram:PATH */
	const char *source; /* ADDRESS, ADDRESS:PORT or an interface; NULL: the kernel chooses */
	int family;	    /* AF_INET, AF_INET6, or AF_UNSPEC for either */
	bool udp;
	uint16_t default_port; /* 0: TARGET_DEFAULT_PORT */
	enum fragmenting fragmenting;
	enum proxy_greeting proxy;
	uint64_t ttl; /* 0: as the kernel does */
	uint8_t tos;
};

struct target {
	bool datagram;
	bool answered; /* the chosen candidate, as far as it had to be asked */
	bool down;     /* no candidate was reached, but one may be later */
	enum fragmenting fragmenting;
	enum proxy_greeting proxy;
	uint8_t ttl; /* 0: as the kernel does */
	uint8_t tos;
	const char *protocol;	     /* "tcp", "udp", "unix", "unixgram" */
	const char *name;	     /* not owned */
	struct address source;	     /* length 0: the kernel chooses, and the port if that is 0 */
	char interface[IF_NAMESIZE]; /* may be empty */
	struct address candidates[TARGET_CANDIDATES];
	size_t count;
	size_t chosen;		     /* the candidate that was reached */
	uint64_t connect_ns;	     /* how long target_open() took to connect to it */
	char text[ADDRESS_TEXT_MAX]; /* the chosen one */
	const void *question;	     /* what datagrams are answered to; NULL: anything */
	size_t question_size;
};

/* Splits "HOST", "HOST:PORT", "[V6]", "[V6]:PORT" or a bare V6 address. */
int target_split(const char *text, uint16_t default_port, char host[static TARGET_NAME_MAX],
		 uint16_t *port, struct reason *reason) WARN_UNUSED;

/* Looks up the name, which must outlive the target, and checks that SIZE bytes can be sent. */
int target_resolve(struct target *target, const struct target_options *options, uint64_t size,
		   struct reason *reason) WARN_UNUSED;

/*
 * A connected socket, not blocking: to the first candidate that answers, each within TIMEOUT, which
 * is then the chosen one for good. -1 with a reason for a person, which names all that were tried;
 * also after a success it is about those that did not answer, or empty. Of datagrams several
 * candidates are asked with one of a byte; if none answers, it is the first that does not refuse.
 */
int target_open(struct target *target, uint64_t timeout_ms, struct reason *reason) WARN_UNUSED;

/*
 * COUNT sockets at once to the chosen candidate, after target_open found it. Not with a source
 * port: there is only one socket for that.
 */
int target_open_more(const struct target *target, int *sockets, size_t count, uint64_t timeout_ms,
		     struct reason *reason) WARN_UNUSED;

/* Begins to connect to the chosen candidate without waiting for it; -1 and errno. */
int target_begin(const struct target *target) WARN_UNUSED;

/* The same from source port PORT of ours, whichever the target has. */
int target_begin_from(const struct target *target, uint16_t port) WARN_UNUSED;

/*
 * What became of a connect that was begun, once the socket is writable: 0 or an errno. A PROXY
 * header, if one is wanted, is sent here: call it once, before anything else is sent.
 */
int target_result(const struct target *target, int fd);

/* The class of what is sent from now on; -1 and errno. */
int target_set_tos(int fd, int family, uint8_t tos) WARN_UNUSED;

/* The TTL, or hop limit, of what is sent: 0 if it is not known; and of what is sent from now on. */
int target_ttl(int fd, int family);
int target_set_ttl(int fd, int family, int ttl) WARN_UNUSED;

/* Whether that is the address of the chosen candidate, whatever the port. */
bool target_is_host(const struct target *target, const struct address *address);

/* As poll(2) on one descriptor until DEADLINE; a signal does not end it. */
int target_wait(int fd, short events, uint64_t deadline);

/* The address of our end, in words. */
const char *target_own_text(int fd, char text[static ADDRESS_TEXT_MAX]);
