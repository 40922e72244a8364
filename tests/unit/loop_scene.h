/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A worker's loop without its thread: the test turns it by hand and looks at everything. One at a
 * time; scene_open makes it, scene_close takes it apart, and everything on it.
 */

#pragma once

#include "echod/serving/endpoint.h"
#include "echod/serving/loop.h"
#include "echod/serving/service.h"
#include "echod/stream/connection.h"
#include "echod/stream/connections.h"
#include "echod/stream/echo.h"
#include "echod/stream/ending.h"
#include "echod/stream/streams.h"
#include "integration/harness.h"
#include "integration/net.h"

extern struct loop scene_loop;

void scene_open(void);
void scene_close(void);

/* The service NAME of the configuration TEXT, there until the end. */
struct service *scene_service(const char *text, const char *name);

/* Serves HOST (or /a/path) for SERVICE, at a port of the kernel's choice. */
struct endpoint *scene_serve(struct service *service, enum socket_kind kind, const char *host);
/* The same with a socket of the test's making, which is taken over. */
struct endpoint *scene_serve_socket(struct service *service, struct listen_socket *socket);
void scene_end_serving(struct endpoint *endpoint);

/* All that is due or ready now; never waits. */
void scene_turn(void);
#define TURN_UNTIL(condition) WAIT_UNTIL((scene_turn(), (condition)))

uint64_t scene_count(enum counter which);
/* As many as the limits of clients count. */
uint64_t scene_clients(void);

/*
 * Connections are made without a listener: connection_start gets one end, the test has the other,
 * and neither waits. SEND_BUFFER bounds what the kernel keeps of an echo; 0 leaves it alone.
 */
int scene_connect_tcp(struct service *service, int send_buffer);
int scene_connect_unix(struct service *service, int send_buffer);

/* The only connection there is. */
struct connection *scene_connection(void);

/* Sends without reading until nothing moves any more and a rest is kept: how much was sent. */
size_t scene_stall(int fd);

/* Reads, without waiting: how much came; -1 for nothing yet, 0 for the end. */
ssize_t scene_take(int fd, void *data, size_t size);

/* Reads SIZE bytes, with turns; fails at an end before that. */
void scene_read(int fd, void *data, size_t size);

/* The echo is exactly TEXT; of TEXT, it is ECHO; or the end is next, by FIN. */
void scene_expect(int fd, const char *text);
void scene_exchange(int fd, const char *text, const char *echo);
void scene_expect_end(int fd);
/* Or by reset, before which what had arrived may still be read. */
void scene_expect_reset(int fd);
