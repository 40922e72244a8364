/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See host.h. */

#include "config.h"

#include "daemon/http/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "daemon/http/message.h"

static bool is_loopback_name(const char *name, bool bracketed)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (bracketed)
		return inet_pton(AF_INET6, name, &v6) == 1 && ip_is_loopback(&v6);
	if (strcasecmp(name, "localhost") == 0)
		return true;
	return inet_pton(AF_INET, name, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* "" or ":" and a number. */
static bool is_port(const char *text, size_t length)
{
	return length == 0 || (text[0] == ':' && strspn(text + 1, "0123456789") >= length - 1);
}

/* HOST[:PORT] of LENGTH bytes. */
static bool is_loopback(const char *text, size_t length)
{
	bool bracketed = length > 0 && text[0] == '[';
	size_t begin = bracketed, size;
	char name[INET6_ADDRSTRLEN];

	size = strcspn(text + begin, bracketed ? "]" : ":");
	if (size > length - begin)
		size = length - begin;
	if (size >= sizeof(name))
		return false;
	memcpy(name, text + begin, size);
	name[size] = '\0';
	size += 2 * begin;
	return size <= length && is_port(text + size, length - size) &&
	       is_loopback_name(name, bracketed);
}

bool http_host_is_loopback(const struct http_request *request)
{
	const char *lines = request->headers, *host;
	size_t length;

	if (request->authority) /* takes precedence over the headers */
		return is_loopback(request->authority, strlen(request->authority));
	for (; (host = http_header_find(lines, "Host", &length)); lines = host + length) {
		if (length > 0 && !is_loopback(host, length))
			return false;
	}
	return true;
}
