/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The host that a request names. A web page can make a browser on this machine request a name that
 * its owner has just pointed at 127.0.0.1, and read the response (DNS rebinding). Endpoints on a
 * loopback address therefore only serve requests that name one. No I/O.
 */

#pragma once

#include <stdbool.h>

struct http_request;

/*
 * True if every host in the request is localhost or a loopback address, with any port. True as well
 * if it has none: browsers always send one.
 */
bool http_host_is_loopback(const struct http_request *request);
