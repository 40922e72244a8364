/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Addresses of clients, as the guard and its tables see them. */

#pragma once

#include "support/test.h"

static inline struct in6_addr ip(const char *text)
{
	struct in6_addr address;

	ck_assert_msg(inet_pton(AF_INET6, text, &address) == 1, "%s", text);
	return address;
}

static inline struct in6_addr numbered_ipv4(uint32_t number)
{
	struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	memcpy(&address.s6_addr[12], &number, sizeof(number));
	return address;
}
