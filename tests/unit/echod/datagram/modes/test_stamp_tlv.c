/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * STAMP's TLVs: each type byte by byte, then alone, in pairs and damaged in every way that a length
 * or a flag allows, against the model.
 */

#include "config.h"

#include "unit/echod/datagram/modes/stamp_scene.h"

#define BASE_SIZE 44
#define SIGNED_SIZE 112

static uint8_t request[65536];

static void answer_hex(const char *tlvs, const char *expected)
{
	static uint8_t wanted[65536];
	size_t base = model.key ? SIGNED_SIZE : BASE_SIZE;
	size_t size = bytes_of(tlvs, wanted);

	memset(request, 0, base);
	(void)bytes_of("00000001", request);
	memcpy(request + base, wanted, size);
	if (model.key)
		sign(request);
	ask_and_compare(request, base + size, tlvs);
	ck_assert_uint_eq(bytes_of(expected, wanted), size);
	for (size_t i = 0; i < size; i++)
		ck_assert_msg(packet[base + i] == wanted[i], "%s: byte %zu is %02x, not %02x", tlvs,
			      i, packet[base + i], wanted[i]);
}

TEST_CASE("stamp_tlv", stamp_begin, stamp_end);

/* Stateless, from 192.0.2.7 port 40000 to 198.51.100.1 port 862, with TOS 0xb9, unsynchronised. */
static const struct {
	const char *tlvs;
	const char *answer;
} stateless[] = {
	/* extra padding */
	{"8001 0003 aabbcc", "0001 0003 aabbcc"},
	{"8001 0000", "0001 0000"},
	/* location: the ports, then what is asked for of the addresses */
	{"8002 0004 00000000", "0002 0004 035e9c40"},
	{"8002 0018 00000000 8004 0010 0*16", "0002 0018 035e9c40 0005 0010 c6336401 0*12"},
	{"8002 0018 00000000 8007 0010 0*16", "0002 0018 035e9c40 0008 0010 c0000207 0*12"},
	{"8002 0010 00000000 8001 0008 1122334455667788", "0002 0010 035e9c40 0003 0008 0*8"},
	{"8002 002c ffffffff 8007 0010 0102030405060708090a0b0c0d0e0f10 8004 0010 ffff 0*12 ffff",
	 "0002 002c 035e9c40 0008 0010 c0000207 0*12 0005 0010 c6336401 0*12"},
	{"8002 0018 00000000 8009 0010 0*16", "0002 0018 035e9c40 8009 0010 0*16"},
	{"8002 000c 00000000 8004 0004 01020304", "0002 000c 035e9c40 4004 0004 01020304"},
	{"8002 000c 00000000 8004 0010 01020304", "0002 000c 035e9c40 4004 0010 01020304"},
	{"8002 0007 00000000 800400", "0002 0007 035e9c40 800400"},
	{"8002 0003 000000", "4002 0003 000000"},
	/* timestamp information */
	{"8003 0004 01020304", "0003 0004 05020502"},
	{"8003 0005 0102030405", "4003 0005 0102030405"},
	/* class of service: DSCP1 46 is kept, DSCP2 46 and ECN 1 were received */
	{"8004 0004 b8000000", "0004 0004 bae40000"},
	{"8004 0004 28ffffff", "0004 0004 2ae40000"},
	{"8004 0003 b80000", "4004 0003 b80000"},
	/* direct measurement needs sessions */
	{"8005 000c 00000009 0*8", "8005 000c 00000009 0*8"},
	{"8005 0008 00000009 0*4", "4005 0008 00000009 0*4"},
	/* access report */
	{"8006 0004 10010000", "8006 0004 10010000"},
	/* follow-up telemetry */
	{"8007 0010 0102030405060708090a0b0c0d0e0f10", "0007 0010 0*16"},
	{"8007 0004 01020304", "4007 0004 00000000"},
	{"8007 0010 01020304", "4007 0010 01020304"},
	/* HMAC: there is no key */
	{"8001 0000 8008 0010 0102030405060708090a0b0c0d0e0f10 8003 0004 0*4",
	 "0001 0000 8008 0010 0102030405060708090a0b0c0d0e0f10 0003 0004 05020502"},
	/* destination node address */
	{"8009 0004 c6336401", "0009 0004 c6336401"},
	{"8009 0004 c6336402", "8009 0004 c6336402"},
	{"8009 0010 0*10 ffff c6336401", "8009 0010 0*10 ffff c6336401"},
	{"8009 0005 c633640100", "4009 0005 c633640100"},
	/* return path, micro-session, reflected control, private and unknown: never obeyed */
	{"800a 000c 80020008 c0000209 0*4", "800a 000c 80020008 c0000209 0*4"},
	{"800b 0004 00010002", "800b 0004 00010002"},
	{"800c 0004 00640400", "800c 0004 00640400"},
	{"80f0 0002 abcd", "80f0 0002 abcd"},
	{"80ff 0000", "80ff 0000"},
	{"8000 0001 07", "8000 0001 07"},
	/* flags: U is cleared where a TLV is known, whatever else was set behind the first one */
	{"0001 0001 aa ff01 0001 bb", "0001 0001 aa 0001 0001 bb"},
	{"0003 0004 0*4", "0003 0004 05020502"},
	/* a length past the end: the rest is copied */
	{"8003 0004 0*4 8001 0010 0102 8003 0004 0*4",
	 "0003 0004 05020502 4001 0010 0102 8003 0004 0*4"},
	{"8063 ffff", "4063 ffff"},
	/* too little for one more */
	{"8003 0004 0*4 800300", "0003 0004 05020502 800300"},
	/* padding in the manner of TWAMP */
	{"0*17", "0*17"},
	{"800300", "800300"},
	{"4003 0004 0*4", "4003 0004 0*4"},
	{"0103 0004 0*4", "0103 0004 0*4"},
	{"c003 0004 0*4", "c003 0004 0*4"},
	{"5a5a5a5a5a", "5a5a5a5a5a"},
};

TEST_EACH(a_stateless_reflector_answers, ARRAY_SIZE(stateless))
{
	set_tos(0xb9);
	answer_hex(stateless[_i].tlvs, stateless[_i].answer);
}

TEST(a_class_is_the_dscp_of_the_reply)
{
	set_tos(0xb9);
	answer_hex("8004 0004 28000000", "0004 0004 2ae40000");
	ck_assert_int_eq(question.reply_tos, 10 << 2);
	settings_in_use.stamp_dscp = STAMP_DSCP_RECEIVED;
	model.keeps_dscp = true;
	answer_hex("8004 0004 28000000", "0004 0004 2ae50000");
	ck_assert_int_eq(question.reply_tos, 46 << 2);
	set_tos(-1);
	answer_hex("8004 0004 28000000", "0004 0004 28010000");
	ck_assert_int_eq(question.reply_tos, 0);
}

TEST(addresses_of_ipv6_are_whole)
{
	set_addresses("2001:db8::7", "2001:db8::1");
	answer_hex("8002 002c 00000000 8004 0010 0*16 8007 0010 0*16",
		   "0002 002c 035e9c40 0006 0010 20010db8 0*11 01 0009 0010 20010db8 0*11 07");
	answer_hex("8009 0010 20010db8 0*11 01", "0009 0010 20010db8 0*11 01");
	answer_hex("8009 0004 00000001", "8009 0004 00000001");
}

TEST(a_synchronised_clock_is_ntps)
{
	set_estimate(0x8a81);
	answer_hex("8003 0004 0*4", "0003 0004 01020102");
}

TEST(a_session_has_books)
{
	use_sessions();
	answer_hex("8005 000c 00000009 ffffffff ffffffff 8007 0010 0*15 ff",
		   "0005 000c 00000009 00000001 00000001 0007 0010 0*16");
	model.t3 += UINT64_C(0x100000000);
	answer_hex("8005 000c 00000009 0*8 8007 0010 0*16",
		   "0005 000c 00000009 00000002 00000002 "
		   "0007 0010 00000000 ec4e8c45c0000000 02 000000");
	answer_hex("8007 0010 0*16 8007 0010 0*16",
		   "0007 0010 00000001 ec4e8c46c0000000 02 000000 "
		   "0007 0010 00000001 ec4e8c46c0000000 02 000000");
}

/* The HMAC is over the sequence number and what is before it; the reply's over the reply's. */
TEST(a_chain_with_its_hmac_is_answered_with_another)
{
	static const uint8_t covered[] = {0, 0, 0, 1, 0x80, 3, 0, 4, 9, 9, 9, 9};
	static const uint8_t answered[] = {0, 0, 0, 0, 0, 3, 0, 4, 5, 2, 5, 2};
	uint8_t code[16];

	use_key();
	use_sessions();
	memset(request, 0, sizeof(request));
	(void)bytes_of("00000001", request);
	memcpy(request + SIGNED_SIZE, covered + 4, 8);
	(void)bytes_of("8008 0010", request + SIGNED_SIZE + 8);
	model_hmac(&known_key, covered, sizeof(covered), "", 0, request + SIGNED_SIZE + 12);
	(void)bytes_of("8001 0002 aabb", request + SIGNED_SIZE + 28);
	sign(request);
	ask_and_compare(request, SIGNED_SIZE + 34, "HMAC");
	ck_assert_mem_eq(packet + SIGNED_SIZE, answered + 4, 8);
	ck_assert_mem_eq(packet + SIGNED_SIZE + 8, "\0\x08\0\x10", 4);
	model_hmac(&known_key, answered, sizeof(answered), "", 0, code);
	ck_assert_mem_eq(packet + SIGNED_SIZE + 12, code, sizeof(code));
	ck_assert_mem_eq(packet + SIGNED_SIZE + 28, "\0\x01\0\x02\xaa\xbb", 6);
}

/* Of a chain that is not believed each TLV has I and only I, and nothing in it has an effect. */
static const struct {
	const char *tlvs;
	const char *answer;
} forged[] = {
	{"8003 0004 01020304", "2003 0004 01020304"},
	{"8004 0004 b8000000 8008 0010 0*16", "2004 0004 b8000000 2008 0010 0*16"},
	{"80f0 0001 01 8005 0001 01", "20f0 0001 01 2005 0001 01"},
	{"8001 0000 8001 0000", "2001 0000 2001 0000"},
	{"8008 000f 0*15", "2008 000f 0*15"},
	{"8008 0011 0*17", "2008 0011 0*17"},
	{"8003 0004 01020304 8008 0010 00", "2003 0004 01020304 6008 0010 00"},
	{"8007 0004 01020304", "2007 0004 01020304"},
};

TEST_EACH(a_chain_that_is_not_covered_is_only_copied, ARRAY_SIZE(forged))
{
	use_key();
	set_tos(0xb9);
	answer_hex(forged[_i].tlvs, forged[_i].answer);
	ck_assert_int_eq(question.reply_tos, -1);
}

/* Its first 16 bytes are right, but it says that it has 17; they are there, or not. */
TEST_EACH(a_right_hmac_of_a_wrong_length_is_none, 2)
{
	size_t size = SIGNED_SIZE + 20 + (size_t)_i;

	use_key();
	memset(request, 0, sizeof(request));
	(void)bytes_of("8008 0011", request + SIGNED_SIZE);
	model_hmac(&known_key, request, 4, "", 0, request + SIGNED_SIZE + 4);
	sign(request);
	ask_and_compare(request, size, "HMAC");
	ck_assert_uint_eq(packet[SIGNED_SIZE], _i == 0 ? 0x60 : 0x20);
}

TEST(padding_alone_needs_no_hmac)
{
	use_key();
	answer_hex("8001 0003 aabbcc", "0001 0003 aabbcc");
	answer_hex("8001 0009 aabbcc", "4001 0009 aabbcc");
	answer_hex("0*40", "0*40");
}

/* What is put together below: each type well formed and not, and some that are unknown. */
static const char *const samples[] = {
	"8001 0003 aabbcc",
	"0001 0000",
	"8002 0004 01020304",
	"8002 002c 00000000 8004 0010 0*16 8007 0010 0*16",
	"8002 0019 00000000 8001 0008 0*8 8002 0004 01020304 ff",
	"8002 0002 0102",
	"8003 0004 01020304",
	"8003 0000",
	"8004 0004 b8ffffff",
	"8004 0004 0*4",
	"8005 000c 00000009 ffffffff ffffffff",
	"8005 0010 0*16",
	"8006 0004 10010000",
	"8007 0010 0102030405060708090a0b0c0d0e0f10",
	"8007 0003 010203",
	"8008 0010 0102030405060708090a0b0c0d0e0f10",
	"8008 0004 01020304",
	"8009 0004 c6336401",
	"8009 0010 20010db8 0*11 01",
	"8009 0008 0*8",
	"800a 0008 0102030405060708",
	"800c 0004 01020304",
	"80fb 0002 0102",
	"e000 0000",
};

/* How a listener and its clock may be, in bits. */
enum { WITH_KEY = 1, WITH_HMAC = 2, WITH_SESSIONS = 4, OVER_IPV6 = 8, KEEPING = 16, MANNERS = 32 };

static void take_manner(unsigned manner)
{
	stamp_end();
	stamp_begin();
	set_tos(0xb9);
	if (manner & WITH_KEY)
		use_key();
	if (manner & WITH_SESSIONS)
		use_sessions();
	if (manner & OVER_IPV6)
		set_addresses("2001:db8::7", "2001:db8::1");
	if (manner & KEEPING) {
		settings_in_use.stamp_dscp = STAMP_DSCP_RECEIVED;
		model.keeps_dscp = true;
		set_estimate(0x8581);
	}
}

static size_t begin_request(unsigned manner)
{
	memset(request, 0, 256);
	(void)bytes_of("00000007 " STAMP_T1 " 0001 002a", request);
	return manner & WITH_KEY ? SIGNED_SIZE : BASE_SIZE;
}

/* Signs what is there as a sender would, and asks. */
static void finish_request(unsigned manner, size_t base, size_t size, const char *what)
{
	if (manner & WITH_HMAC) {
		(void)bytes_of("8008 0010", request + size);
		model_hmac(&known_key, request, 4, request + base, size - base, request + size + 4);
		size += 20;
	}
	if (manner & WITH_KEY)
		sign(request);
	ask_and_compare(request, size, what);
}

TEST_EACH(tlvs_are_answered_alone_and_in_pairs, MANNERS)
{
	take_manner((unsigned)_i);
	for (size_t first = 0; first < ARRAY_SIZE(samples); first++) {
		size_t base = begin_request((unsigned)_i);
		size_t one = base + bytes_of(samples[first], request + base);

		finish_request((unsigned)_i, base, one, samples[first]);
		for (size_t second = 0; second < ARRAY_SIZE(samples); second++) {
			size_t both;

			(void)begin_request((unsigned)_i);
			one = base + bytes_of(samples[first], request + base);
			both = one + bytes_of(samples[second], request + one);
			finish_request((unsigned)_i, base, both, samples[second]);
		}
	}
}

/* Cut off anywhere, and with a byte that is another. */
TEST_EACH(damaged_tlvs_are_answered, ARRAY_SIZE(samples))
{
	static const unsigned manners[] = {0, WITH_SESSIONS, WITH_KEY | WITH_HMAC | WITH_SESSIONS};

	for (size_t m = 0; m < ARRAY_SIZE(manners); m++) {
		unsigned manner = manners[m];
		size_t base, size;

		take_manner(manner);
		base = begin_request(manner);
		size = bytes_of(samples[_i], request + base);
		size += bytes_of("8003 0004 0*4", request + base + size);
		for (size_t left = 0; left <= size; left++) {
			(void)begin_request(manner);
			(void)bytes_of(samples[_i], request + base);
			finish_request(manner, base, base + left, "cut off");
		}
		/* Every value of the header's bytes, and some of those behind it. */
		for (size_t at = 0; at < 12 && at < size; at++) {
			for (unsigned value = 0; value < 256; value += at < 4 ? 1 : 37) {
				(void)begin_request(manner);
				size = bytes_of(samples[_i], request + base);
				size += bytes_of("8003 0004 0*4", request + base + size);
				request[base + at] = (uint8_t)value;
				finish_request(manner, base, base + size, "one byte");
			}
		}
	}
}

TEST(a_chain_may_fill_the_largest_datagram)
{
	static const char *const units[] = {"8001 0000", "8004 0004 b8000000", "80ff 0001 ff"};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t size = begin_request(0);

		while (size < 65507 - 16)
			size += bytes_of(units[i], request + size);
		ask_and_compare(request, size, units[i]);
	}
}
