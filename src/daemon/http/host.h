/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Which host a request is for. A web page can have a browser on this machine ask for a name that
 * its owner has just pointed at 127.0.0.1, and read the answer (DNS rebinding). What is served on a
 * loopback address is therefore only for requests that name one. Touches memory only.
 */

#ifndef DAEMON_HTTP_HOST_H
#define DAEMON_HTTP_HOST_H

#include <stdbool.h>

struct http_request;

/*
 * Every host that it names is localhost or a loopback address, with any port. So is one that names
 * none, as no browser does.
 */
bool http_host_is_loopback(const struct http_request *request);

#endif
