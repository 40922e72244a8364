/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The stage in which a connection from a load balancer waits for its PROXY header (proxy_from).
 * With it the connection is accepted, or refused, for the source that the header names; until then
 * nothing is sent. Called when the kernel has accepted one.
 */

#pragma once

#include "base/compiler.h"

struct peer;
struct service;
struct stage;

extern const struct stage stage_proxy;

/*
 * Takes over FD, whose peer is PROXY and was admitted as one. -1 when there is no memory: FD and
 * the admission are then still the caller's.
 */
int proxy_start(struct service *service, int fd, const struct peer *proxy) WARN_UNUSED;
