/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Plain clients for the tests. Sockets block, but not longer than the patience of the harness; what
 * fails fails the test, unless the prototype says otherwise.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* "127.0.0.1", "::1", or "/a/path" (port not used). */
struct address at(const char *host, uint16_t port);

/* An unbound, unconnected socket of the family of ADDRESS. */
int new_socket(const struct address *address, int type);

/* The port that it is bound to, and as a target for echoc, 127.0.0.1:PORT, which is static. */
uint16_t port_bound_to(int fd);
const char *target_of(int fd);

/* Of getsockopt(). */
int option_of(int fd, int level, int option);

void expect_ip(const struct in6_addr *ip, const char *text);

/* Connected, SOCK_STREAM; connect_from binds to FROM first; try_connect returns -1, errno set. */
int connect_to(const char *host, uint16_t port);
int connect_from(const char *from, const char *host, uint16_t port);
int try_connect(const char *host, uint16_t port);

void send_all(int fd, const void *data, size_t size);
void recv_exact(int fd, void *data, size_t size);

/* The peer's FIN is next; nothing else came before it. */
void expect_end(int fd);
/* The other end is gone, by FIN or by reset; what it sent before is thrown away. */
void expect_gone(int fd);
void expect_text(int fd, const char *text);
/* Sends it and gets exactly it back. */
void expect_echo(int fd, const void *data, size_t size);
/* The same over a new connection to HOST, PORT; or over one, and with a datagram from HOST. */
void expect_stream(const char *host, uint16_t port);
void expect_served(const char *host, uint16_t port);
bool nothing_to_read(int fd);

/*
 * Writes DATA to OUT in pieces of at most PIECE bytes while it reads the echo from IN, then ends
 * OUT (half-closes the socket that IN is, too, or closes a pipe) and expects the rest, and the end.
 */
void pump(int out, int in, const void *data, size_t size, size_t piece);

/* Closes with a reset. */
void reset(int fd);

/* The same bytes for the same seed. */
void fill(void *data, size_t size, uint32_t seed);

#define DATAGRAM_ROOM 65600

struct datagram {
	char data[DATAGRAM_ROOM];
	size_t size;
	struct address from;
	int hops; /* TTL or hop limit on arrival; -1: not known */
	int tos;  /* TOS or traffic class; likewise */
};

/* Bound to HOST, and to PORT or a free one; reports hops and traffic class of what arrives. */
int datagram_socket_at(const char *host, uint16_t port);
int datagram_socket(const char *host);
/*
 * Takes the number of FD's UDP port at 127.0.0.2, unless it is in use there: from then on no
 * listener at that address gets it, and no client that is not bound yet.
 */
int reserve_port_of(int fd);
void set_hops(int fd, int hops);
void set_tos(int fd, int tos);
void send_datagram(int fd, const struct address *to, const void *data, size_t size);
void receive_datagram(int fd, struct datagram *datagram);
/* Sends it to HOST, PORT, and gets exactly it back from there. */
void expect_datagram_echo(int fd, const char *host, uint16_t port, const void *data, size_t size);

/*
 * A network of this process's own (a new namespace) with a loopback interface that is up; returns
 * false where that is not permitted. add_address gives the loopback interface another address.
 */
bool own_network(void);
/* The test is skipped without. */
void need_own_network(void);
void add_address(const char *host);

/* Whether this host has ::1. */
bool has_ipv6(void);
void need_ipv6(void);
/* For a test of each family: 127.0.0.1 for 0, ::1 for 1, without which it is skipped. */
const char *loopback_of(int family);
