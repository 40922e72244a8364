/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* PROXY headers of version 2: commands, families, lengths, TLVs and the checksum. */

#include "config.h"

#include "echod/stream/proxy_header.h"

#include "unit/proxy_bytes.h"

#define SIGNATURE "0d0a0d0a000d0a515549540a"
#define ENDS4 "c0000201 c0000202 007b 162e"
#define ENDS6 "20010db8 0000000000000000 00000001 20010db8 0000000000000000 00000002 007b 162e"
#define BLOCK_UNIX 216

static void add_zeros(struct bytes *bytes, size_t size)
{
	static const uint8_t zeros[PROXY_HEADER_MAX];

	add(bytes, zeros, size);
}

/* Pairs of hexadecimal digits; blanks between them. */
static void add_hex(struct bytes *bytes, const char *hex)
{
	unsigned value;
	uint8_t byte;

	while (*hex != '\0') {
		ck_assert_int_eq(sscanf(hex, "%2x", &value), 1);
		byte = (uint8_t)value;
		add(bytes, &byte, 1);
		hex += strspn(hex, " ");
		hex += 2;
		hex += strspn(hex, " ");
	}
}

static struct bytes from_hex(const char *hex)
{
	struct bytes bytes = {.size = 0};

	add_hex(&bytes, hex);
	return bytes;
}

static struct bytes version_2(uint8_t command, uint8_t family, size_t length)
{
	struct bytes bytes = from_hex(SIGNATURE);
	uint8_t rest[] = {command, family, (uint8_t)(length >> 8), (uint8_t)length};

	add(&bytes, rest, sizeof(rest));
	return bytes;
}

static const struct {
	const char *hex, *source;
} good_headers[] = {
	{SIGNATURE "21 11 000c" ENDS4, "192.0.2.1:123"},
	{SIGNATURE "21 21 0024" ENDS6, "[2001:db8::1]:123"},
	{SIGNATURE "21 21 0024 00000000000000000000ffffc0000201 00000000000000000000ffffc0000202"
		   "007b 162e",
	 "[::ffff:192.0.2.1]:123"},
	/* What is behind the addresses is skipped, be it TLVs or not. */
	{SIGNATURE "21 11 0015" ENDS4 "000000000000000000", "192.0.2.1:123"},
	{SIGNATURE "21 11 000d" ENDS4 "ff", "192.0.2.1:123"},
	{SIGNATURE "21 11 000e" ENDS4 "0300", "192.0.2.1:123"},
	{SIGNATURE "21 11 0011" ENDS4 "04ffff0000", "192.0.2.1:123"},
	{SIGNATURE "21 11 0011" ENDS4 "0300040000", "192.0.2.1:123"},
	{SIGNATURE "21 21 002c" ENDS6 "0500050102030405", "[2001:db8::1]:123"},
	/* Of LOCAL all is skipped, and of no family there is nothing else. */
	{SIGNATURE "20 11 000c" ENDS4, NULL},
	{SIGNATURE "20 21 0024" ENDS6, NULL},
	{SIGNATURE "20 11 0005 0102030405", NULL},
	{SIGNATURE "20 00 0000", NULL},
	{SIGNATURE "20 12 0000", NULL},
	{SIGNATURE "20 22 0000", NULL},
	{SIGNATURE "20 31 0001 ff", NULL},
	{SIGNATURE "20 32 0000", NULL},
	{SIGNATURE "21 00 0000", NULL},
	{SIGNATURE "21 00 000c" ENDS4, NULL},
};

TEST_EACH(a_header_is_taken_with_its_last_byte, ARRAY_SIZE(good_headers))
{
	struct bytes bytes = from_hex(good_headers[_i].hex);

	expect_complete(&bytes, good_headers[_i].source);
}

TEST(a_header_may_have_4096_bytes)
{
	struct bytes bytes = version_2(0x21, 0x11, PROXY_HEADER_MAX - 16);

	add_hex(&bytes, ENDS4);
	add_zeros(&bytes, PROXY_HEADER_MAX - bytes.size);
	expect_complete(&bytes, "192.0.2.1:123");
}

static const struct {
	const char *hex;
	size_t at;
	const char *fault;
} bad_headers[] = {
	{SIGNATURE "11 11 000c" ENDS4, 13, "version or command"},
	{SIGNATURE "01 11 000c" ENDS4, 13, "version or command"},
	{SIGNATURE "31 11 000c" ENDS4, 13, "version or command"},
	{SIGNATURE "21 01 0000", 14, "family or transport"},
	{SIGNATURE "21 13 000c" ENDS4, 14, "family or transport"},
	{SIGNATURE "20 41 0000", 14, "family or transport"},
	{SIGNATURE "21 12 000c" ENDS4, 14, "not one of TCP"},
	{SIGNATURE "21 22 0024" ENDS6, 14, "not one of TCP"},
	{SIGNATURE "21 31 0000", 14, "not one of TCP"},
	{SIGNATURE "21 32 0000", 14, "not one of TCP"},
	{SIGNATURE "21 11 000b" ENDS4, 16, "too short"},
	{SIGNATURE "21 11 0000" ENDS4, 16, "too short"},
	{SIGNATURE "21 21 0023" ENDS6, 16, "too short"},
	{SIGNATURE "21 21 000c" ENDS6, 16, "too short"},
	{SIGNATURE "21 11 0ff1" ENDS4, 16, "longer than 4096 bytes"},
	{SIGNATURE "21 00 0ff1" ENDS4, 16, "longer than 4096 bytes"},
	{SIGNATURE "20 00 ffff" ENDS4, 16, "longer than 4096 bytes"},
	/* A checksum of another size than one has. */
	{SIGNATURE "21 11 0012" ENDS4 "030003000000", 34, "checksum"},
	{SIGNATURE "21 11 0014" ENDS4 "0300050000000000", 36, "checksum"},
};

TEST_EACH(a_bad_header_is_refused_at_the_byte_that_shows_it, ARRAY_SIZE(bad_headers))
{
	struct bytes bytes = from_hex(bad_headers[_i].hex);

	expect_invalid(&bytes, bad_headers[_i].at, bad_headers[_i].fault);
}

TEST(each_byte_of_the_signature_counts)
{
	for (size_t i = 0; i < 12; i++) {
		struct bytes bytes = from_hex(SIGNATURE "21 11 000c" ENDS4);

		bytes.bytes[i] ^= 0x20;
		expect_invalid(&bytes, i + 1, "no PROXY header");
	}
}

TEST(only_two_commands_exist)
{
	for (unsigned command = 0; command < 256; command++) {
		struct bytes bytes = version_2((uint8_t)command, 0, 0);

		if (command == 0x20 || command == 0x21)
			expect_complete(&bytes, NULL);
		else
			expect_invalid(&bytes, 13, "version or command");
	}
}

TEST(only_seven_families_exist_for_local_too)
{
	for (unsigned family = 0; family < 256; family++) {
		struct bytes local = version_2(0x20, (uint8_t)family, 0);
		struct bytes proxy = version_2(0x21, (uint8_t)family, 0);

		if (family != 0 && !strchr("\x11\x12\x21\x22\x31\x32", (int)family)) {
			expect_invalid(&local, 14, "family or transport");
			expect_invalid(&proxy, 14, "family or transport");
		} else {
			expect_complete(&local, NULL);
		}
	}
}

/* One bit after the other, unlike the sum under test. */
static uint32_t crc32c(const uint8_t *bytes, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t bit = 0; bit < size * 8; bit++) {
		uint32_t odd = (crc ^ bytes[bit / 8] >> bit % 8) & 1;

		crc = crc >> 1 ^ (odd ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* A header with a right checksum behind BEFORE and in front of AFTER, both hexadecimal. */
static struct bytes with_checksum(uint8_t command, uint8_t family, const char *before,
				  const char *after, size_t *at)
{
	struct bytes head = from_hex(before), tail = from_hex(after);
	struct bytes bytes = version_2(command, family, head.size + 7 + tail.size);
	uint32_t sum;

	add(&bytes, head.bytes, head.size);
	add_hex(&bytes, "03 0004 00000000");
	*at = bytes.size - 4;
	add(&bytes, tail.bytes, tail.size);
	sum = htonl(crc32c(bytes.bytes, bytes.size));
	memcpy(bytes.bytes + *at, &sum, sizeof(sum));
	return bytes;
}

TEST(the_checksum_of_the_test_is_the_one_of_the_standard)
{
	ck_assert_uint_eq(crc32c((const uint8_t *)"123456789", 9), 0xe3069283);
}

static const struct {
	uint8_t command, family;
	const char *before, *after, *source;
} checksums[] = {
	{0x21, 0x11, ENDS4, "", "192.0.2.1:123"},
	{0x21, 0x21, ENDS6, "", "[2001:db8::1]:123"},
	{0x21, 0x11, ENDS4 "05 0003 616263", "04 0001 ff", "192.0.2.1:123"},
	{0x21, 0x11, ENDS4, "ff", "192.0.2.1:123"},
	{0x20, 0x11, ENDS4, "", NULL},
	{0x20, 0x00, "", "", NULL},
	{0x21, 0x00, "05 0000", "", NULL},
};

TEST_EACH(a_checksum_is_verified, ARRAY_SIZE(checksums))
{
	size_t at;
	struct bytes bytes = with_checksum(checksums[_i].command, checksums[_i].family,
					   checksums[_i].before, checksums[_i].after, &at);

	expect_complete(&bytes, checksums[_i].source);
	for (size_t bit = 0; bit < 32; bit++) {
		struct bytes damaged = bytes;

		damaged.bytes[at + bit / 8] ^= (uint8_t)(1 << bit % 8);
		expect_invalid(&damaged, bytes.size, "checksum");
	}
}

TEST(a_checksum_covers_the_addresses)
{
	size_t at;
	struct bytes bytes = with_checksum(0x21, 0x11, ENDS4, "04 0001 ff", &at);

	for (size_t bit = 16 * 8; bit < 28 * 8; bit++) {
		struct bytes damaged = bytes;

		damaged.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		expect_invalid(&damaged, bytes.size, "checksum");
	}
}

TEST(a_checksum_is_looked_for_right_behind_the_addresses)
{
	static const struct {
		uint8_t family;
		size_t size;
	} blocks[] = {{0x00, 0},  {0x11, 12},	      {0x12, 12},	 {0x21, 36},
		      {0x22, 36}, {0x31, BLOCK_UNIX}, {0x32, BLOCK_UNIX}};

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		struct bytes bytes = version_2(0x20, blocks[i].family, blocks[i].size + 7);

		add_zeros(&bytes, blocks[i].size);
		add_hex(&bytes, "03 0004 00000001");
		expect_invalid(&bytes, bytes.size, "checksum");
	}
}

/* The addresses of a unix socket look like TLVs if they are not skipped as such. */
TEST(a_checksum_is_not_looked_for_in_addresses)
{
	struct bytes bytes = version_2(0x20, 0x31, BLOCK_UNIX);

	add_hex(&bytes, "03 0004 00000001");
	add_zeros(&bytes, BLOCK_UNIX - 7);
	expect_complete(&bytes, NULL);
}
