/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* PROXY headers that echoc sends: byte for byte, and as echod reads them. */

#include "config.h"

#include "probe/proxy_greeting.h"

#include "unit/proxy_bytes.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define ALL_ONES "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define HEADER(version, source, destination, text)                                                 \
	{                                                                                          \
		PROXY_GREETING_##version, source, 123, destination, 5678, text, sizeof(text) - 1   \
	}

static const struct {
	enum proxy_greeting version;
	const char *source;
	uint16_t source_port;
	const char *destination;
	uint16_t destination_port;
	const char *text;
	size_t size;
} headers[] = {
	HEADER(V1, "192.0.2.1", "192.0.2.2", "PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n"),
	HEADER(V1, "2001:db8::1", "2001:db8::2", "PROXY TCP6 2001:db8::1 2001:db8::2 123 5678\r\n"),
	HEADER(V1, "::ffff:192.0.2.1", "::ffff:192.0.2.2",
	       "PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n"),
	HEADER(V1, ALL_ONES, ALL_ONES, "PROXY TCP6 " ALL_ONES " " ALL_ONES " 123 5678\r\n"),
	/* A zone is this host's own business. */
	HEADER(V1, "fe80::1%lo", "fe80::2%lo", "PROXY TCP6 fe80::1 fe80::2 123 5678\r\n"),
	HEADER(V2, "192.0.2.1", "192.0.2.2",
	       SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\x7b\x16\x2e"),
	HEADER(V2, "::ffff:192.0.2.1", "::ffff:192.0.2.2",
	       SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\x7b\x16\x2e"),
	HEADER(V2, "2001:db8::1", "2001:db8::2",
	       SIGNATURE "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
			 "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\x7b\x16\x2e"),
};

static struct address parsed(const char *host, uint16_t port)
{
	struct address address;
	struct reason reason;

	ck_assert_msg(address_from_ip(&address, host, port, &reason) == 0, "%s", reason.text);
	return address;
}

TEST_EACH(a_header_is_written_as_specified, ARRAY_SIZE(headers))
{
	struct address source = parsed(headers[_i].source, headers[_i].source_port);
	struct address destination = parsed(headers[_i].destination, headers[_i].destination_port);
	unsigned char header[PROXY_GREETING_MAX];
	struct proxy_header read;
	size_t size = proxy_greeting_write(headers[_i].version, &source, &destination, header);

	ck_assert_uint_eq(size, headers[_i].size);
	ck_assert_mem_eq(header, headers[_i].text, size);
	ck_assert_int_eq(proxy_header_parse(header, size, &read), PROXY_COMPLETE);
	ck_assert_uint_eq(read.length, size);
	ck_assert_uint_eq(address_port(&read.source), headers[_i].source_port);
}
