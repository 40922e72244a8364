/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Any text as an address: what is accepted is written in a form that is read back as the same. */

#include "config.h"

#include "base/address.h"
#include "daemon/settings/listen_address.h"
#include "fuzz/fuzz.h"

static void check_address(const struct address *address)
{
	char text[ADDRESS_TEXT_MAX], again_text[ADDRESS_TEXT_MAX], host[ADDRESS_TEXT_MAX];
	struct reason reason;
	struct address again;
	uint16_t port;

	FUZZ_CHECK(strlen(address_format(address, text)) < sizeof(text));
	FUZZ_CHECK(address_split(text, PORT_REQUIRED, host, sizeof(host), &port, &reason) == 0);
	FUZZ_CHECK(port == address_port(address));
	FUZZ_CHECK(address_from_ip(&again, host, port, &reason) == 0);
	FUZZ_CHECK(address_equal(address, &again));
	FUZZ_CHECK(strcmp(address_format(&again, again_text), text) == 0);
}

static void check_ip(const char *text)
{
	struct address address, unmapped;
	struct in6_addr ip, unmapped_ip;
	struct reason reason;

	if (address_from_ip(&address, text, 7007, &reason) < 0)
		return;
	check_address(&address);
	unmapped = address;
	address_unmap(&unmapped);
	check_address(&unmapped);
	FUZZ_CHECK(address_port(&unmapped) == 7007);
	FUZZ_CHECK(address_ip(&address.sa, &ip) && address_ip(&unmapped.sa, &unmapped_ip));
	FUZZ_CHECK(IN6_ARE_ADDR_EQUAL(&ip, &unmapped_ip));
}

static void check_split(const char *text)
{
	char host[16];
	struct reason reason;
	uint16_t port;

	if (address_split(text, PORT_REQUIRED, host, sizeof(host), &port, &reason) == 0)
		FUZZ_CHECK(strlen(host) < sizeof(host));
	if (address_split(text, 7, host, sizeof(host), &port, &reason) == 0)
		FUZZ_CHECK(strlen(host) < sizeof(host) && (port == 7 || strchr(text, ':')));
}

static void check_path(const char *path)
{
	char text[ADDRESS_TEXT_MAX];
	struct address address;
	struct reason reason;

	if (address_from_path(&address, path, &reason) == 0)
		FUZZ_CHECK(strlen(address_format(&address, text)) == strlen(path));
}

static void check_listen_address(const char *text)
{
	char first[LISTEN_ADDRESS_TEXT_MAX], second[LISTEN_ADDRESS_TEXT_MAX];
	struct listen_address address, again;
	struct reason reason;

	if (listen_address_parse(&address, text, &reason) < 0)
		return;
	FUZZ_CHECK(address.count == (address.pair ? 2 : 1));
	listen_address_format(&address, first);
	FUZZ_CHECK(listen_address_parse(&again, first, &reason) == 0);
	FUZZ_CHECK(strcmp(first, listen_address_format(&again, second)) == 0);
	FUZZ_CHECK(again.kind == address.kind && again.count == address.count);
	for (size_t i = 0; i < address.count; i++)
		FUZZ_CHECK(address_equal(&address.parts[i], &again.parts[i]));
	FUZZ_CHECK(listen_address_collides(&address, &again));
}

/* A socket address as the kernel hands it over: any bytes in it, and any length. */
static void check_foreign(const uint8_t *data, size_t size)
{
	char text[ADDRESS_TEXT_MAX];
	struct address address = {0};

	if (size == 0 || size > sizeof(struct sockaddr_un))
		return;
	memcpy(&address.un, data, size);
	address.sa.sa_family = data[0] % 3 == 0 ? AF_UNIX : data[0] % 3 == 1 ? AF_INET : AF_INET6;
	address.length = (socklen_t)size;
	FUZZ_CHECK(strlen(address_format(&address, text)) < sizeof(text));
	FUZZ_CHECK(!strpbrk(text, "\n\r"));
	address_unmap(&address);
	address_set_port(&address, 1);
	FUZZ_CHECK(address_port(&address) == (address.sa.sa_family == AF_UNIX ? 0 : 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_ip(text);
	check_split(text);
	check_path(text);
	check_listen_address(text);
	check_foreign(data, size);
	free(text);
	return 0;
}
