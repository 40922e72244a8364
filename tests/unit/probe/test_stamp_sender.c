/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A STAMP sender's packets, byte by byte, and replies of any kind. */

#include "config.h"

#include "base/sha256.h"
#include "probe/stamp_sender.h"
#include "support/hex_bytes.h"
#include "support/stamp_model.h"
#include "support/test.h"

#define T1 UINT64_C(0xec4e8c4580000000)
#define T1_HEX "ec4e8c4580000000"
#define REQUEST "00000001 " T1_HEX " 0001 002a 0*28"
#define REPLY                                                                                      \
	"00000001 ec4e8c45c0000000 0001 002a ec4e8c45a0000000 00000001 " T1_HEX " 0001 0000 40 "   \
	"000000"
#define SIGNED_REQUEST "00000001 0*12 " T1_HEX " 0001 002a 0*68 2e292aab98bbb42c6e3e53c7ba86dbf8"
#define SIGNED_REPLY                                                                               \
	"00000001 0*12 ec4e8c45c0000000 0001 002a 0*4 ec4e8c45a0000000 0*8 00000001 "              \
	"0*12 " T1_HEX " 0001 0*6 40 0*15 27368366dc69da09b5cb55c4341a4c37"
#define ALL (STAMP_ASKS_CLASS | STAMP_ASKS_LOCATION | STAMP_ASKS_COUNTS)

static const struct stamp_question question = {1, T1, 1, 46};
static struct stamp_form form;
static struct hmac_key key;
static uint8_t packet[2048], expected[2048];
static struct stamp_answer answer;
static struct model model;

static void set_up(void)
{
	uint8_t bytes[16];

	for (unsigned i = 0; i < 16; i++)
		bytes[i] = (uint8_t)(0x40 + i);
	hmac_key_set(&key, bytes, sizeof(bytes));
	form = (struct stamp_form){.ssid = 0x2a, .size = 44};
	memset(packet, 0xee, sizeof(packet));
}

static void use_key(void)
{
	form.key = &key;
	form.size = stamp_least(&form);
}

static void use_options(unsigned options, size_t padding)
{
	form.options = options;
	form.size = stamp_least(&form) + padding;
}

static void assert_request(const char *hex)
{
	stamp_write(&form, &question, packet);
	ck_assert_uint_eq(bytes_of(hex, expected), form.size);
	for (size_t i = 0; i < form.size; i++)
		ck_assert_msg(packet[i] == expected[i], "byte %zu: %02x, not %02x", i, packet[i],
			      expected[i]);
	ck_assert_uint_eq(packet[form.size], 0xee);
}

/* What an independent reflector answers to the request; its size. */
static size_t reflect(void)
{
	static uint8_t request[2048];

	stamp_write(&form, &question, request);
	model.key = form.key;
	model.ttl = 61;
	model.tos = 0xb9;
	model.source_port = 41526;
	memcpy(model.source, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x07", 16);
	model.t2 = UINT64_C(0xec4e8c45a0000000);
	model.t3 = UINT64_C(0xec4e8c45c0000000);
	ck_assert_int_eq(model_answer(&model, request, form.size), MODEL_ANSWERED);
	memcpy(packet, model.reply, model.size);
	return model.size;
}

TEST_CASE("stamp_sender", set_up, NULL);

TEST(a_request_is_that_of_the_standard)
{
	assert_request(REQUEST);
	use_key();
	assert_request(SIGNED_REQUEST);
}

TEST(a_reply_is_read)
{
	ck_assert_int_eq(stamp_read(&form, packet, bytes_of(REPLY, packet), &answer), 0);
	ck_assert_uint_eq(answer.sequence, 1);
	ck_assert_uint_eq(answer.request_sequence, 1);
	ck_assert_uint_eq(answer.request_time, T1);
	ck_assert_uint_eq(answer.request_error, 1);
	ck_assert_uint_eq(answer.ssid, 0x2a);
	ck_assert_uint_eq(answer.ttl, 64);
	ck_assert_uint_eq(answer.options, 0);
	ck_assert_int_eq(answer.sent - answer.received, 125000000);
	ck_assert_int_eq(answer.received,
			 (INT64_C(0xec4e8c45) - 2208988800) * 1000000000 + 625000000);
}

TEST(an_authenticated_reply_is_read_if_it_is_authentic)
{
	size_t size = bytes_of(SIGNED_REPLY, packet);

	use_key();
	ck_assert_int_eq(stamp_read(&form, packet, size, &answer), 0);
	ck_assert_uint_eq(answer.request_time, T1);
	ck_assert_uint_eq(answer.ttl, 64);
	for (size_t bit = 0; bit < 8 * size; bit++) {
		packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(stamp_read(&form, packet, size, &answer), -1);
		packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

TEST(less_than_a_base_packet_is_no_reply)
{
	(void)bytes_of(REPLY, packet);
	for (size_t size = 0; size < 44; size++)
		ck_assert_int_eq(stamp_read(&form, packet, size, &answer), -1);
	use_key();
	ck_assert_int_eq(stamp_read(&form, packet, bytes_of(REPLY, packet), &answer), -1);
}

TEST(options_are_tlvs_of_the_standard)
{
	use_options(ALL, 4 + 3);
	assert_request("00000001 " T1_HEX " 0001 002a 0*28 "
		       "80040004 b8000000 "
		       "80020018 0*4 00070010 0*16 "
		       "8005000c 00000002 0*8 "
		       "80010003 0*3");
	ck_assert_uint_eq(form.size, 44 + 8 + 28 + 16 + 7);
}

TEST(little_padding_and_that_without_options_is_no_tlv)
{
	use_options(STAMP_ASKS_CLASS, 3);
	assert_request("00000001 " T1_HEX " 0001 002a 0*28 80040004 b8000000 0*3");
	use_options(STAMP_ASKS_CLASS, 4);
	assert_request("00000001 " T1_HEX " 0001 002a 0*28 80040004 b8000000 80010000");
	use_options(0, 100);
	assert_request("00000001 " T1_HEX " 0001 002a 0*28 0*100");
}

TEST(padding_is_where_any_content_comes_back)
{
	size_t length;

	use_options(ALL, 4 + 30);
	ck_assert_uint_eq(stamp_padding(&form, &length), form.size - 30);
	ck_assert_uint_eq(length, 30);
	use_options(0, 30);
	(void)stamp_padding(&form, &length);
	ck_assert_uint_eq(length, 0);
}

static void assert_all_options(void)
{
	char text[ADDRESS_TEXT_MAX];
	size_t size = reflect();

	ck_assert_uint_eq(size, form.size);
	ck_assert_int_eq(stamp_read(&form, packet, size, &answer), 0);
	ck_assert_uint_eq(answer.options, ALL);
	ck_assert_uint_eq(answer.dscp, 46);
	ck_assert_uint_eq(answer.ecn, 1);
	ck_assert(!answer.dscp_refused);
	ck_assert_str_eq(address_format(&answer.source, text), "192.0.2.7:41526");
	ck_assert_uint_eq(answer.source.length, sizeof(answer.source.in4));
	ck_assert_uint_eq(answer.far_received, 7);
	ck_assert_uint_eq(answer.far_sent, 6);
	ck_assert_uint_eq(answer.sequence, 5);
	ck_assert_uint_eq(answer.ttl, 61);
}

TEST(a_reflector_s_answers_are_read)
{
	model = (struct model){.stateful = true, .received = 7, .sequence = 5};
	use_options(ALL, 40);
	assert_all_options();
	use_key();
	use_options(ALL, 40);
	assert_all_options();
}

TEST(the_source_may_be_of_ipv6)
{
	char text[ADDRESS_TEXT_MAX];

	use_options(STAMP_ASKS_LOCATION, 0);
	(void)bytes_of(REPLY "00020018 035ea236 00090010 20010db8 0*11 07", packet);
	ck_assert_int_eq(stamp_read(&form, packet, form.size, &answer), 0);
	ck_assert_str_eq(address_format(&answer.source, text), "[2001:db8::7]:41526");
}

TEST(a_refused_dscp_is_noticed)
{
	model = (struct model){.keeps_dscp = true};
	use_options(STAMP_ASKS_CLASS, 0);
	ck_assert_int_eq(stamp_read(&form, packet, reflect(), &answer), 0);
	ck_assert(answer.dscp_refused);
}

TEST(without_state_there_are_no_counts)
{
	model = (struct model){.stateful = false};
	use_options(ALL, 0);
	ck_assert_int_eq(stamp_read(&form, packet, reflect(), &answer), 0);
	ck_assert_uint_eq(answer.options, ALL & ~STAMP_ASKS_COUNTS);
}

/* One that knows no TLVs, or answers with the base packet only. */
TEST(what_was_not_answered_is_left_out)
{
	use_options(ALL, 20);
	stamp_write(&form, &question, packet);
	ck_assert_int_eq(stamp_read(&form, packet, form.size, &answer), 0);
	ck_assert_uint_eq(answer.options, 0);
	ck_assert_int_eq(stamp_read(&form, packet, 44, &answer), 0);
	ck_assert_uint_eq(answer.options, 0);
}

/* Which would be a TLV, were there any at the start. */
TEST(a_sequence_is_no_answer)
{
	(void)bytes_of(REPLY, packet);
	(void)bytes_of("00040004", packet);
	ck_assert_int_eq(stamp_read(&form, packet, 44, &answer), 0);
	ck_assert_uint_eq(answer.sequence, 0x40004);
	ck_assert_uint_eq(answer.options, 0);
}

TEST(nothing_is_believed_that_its_hmac_does_not_cover)
{
	size_t size;

	use_key();
	use_options(ALL, 0);
	size = reflect();
	for (size_t at = 112; at < size; at++) {
		packet[at] ^= 1;
		ck_assert_int_eq(stamp_read(&form, packet, size, &answer), 0);
		ck_assert_uint_eq(answer.options, 0);
		packet[at] ^= 1;
	}
	ck_assert_int_eq(stamp_read(&form, packet, size - 1, &answer), 0);
	ck_assert_uint_eq(answer.options, 0);
}

static const struct {
	const char *name;
	size_t at;
	uint8_t value;
} oddities[] = {
	{"flags", 44, 0x40},	     {"type", 45, 2},
	{"length", 47, 5},	     {"location flags", 52, 1},
	{"sub-TLV flags", 60, 0x80}, {"sub-TLV type", 61, 7},
	{"sub-TLV length", 63, 15},
};

TEST_EACH(an_odd_tlv_is_no_answer, ARRAY_SIZE(oddities))
{
	unsigned lost = oddities[_i].at < 52 ? STAMP_ASKS_CLASS : STAMP_ASKS_LOCATION;

	use_options(ALL, 0);
	model = (struct model){.stateful = true};
	(void)reflect();
	packet[oddities[_i].at] = oddities[_i].value;
	ck_assert_int_eq(stamp_read(&form, packet, form.size, &answer), 0);
	ck_assert_msg(answer.options == (ALL & ~lost), "%s", oddities[_i].name);
}

static const struct {
	const char *time, *error;
	int64_t seconds;
} times[] = {
	{"83aa7e80 00000000", "0001", 0},		    /* 1970 */
	{"ffffffff 00000000", "0001", INT64_C(2085978495)}, /* the last second of the first era */
	{"00000000 00000000", "0001", INT64_C(2085978496)}, /* 2036 */
	{"65000000 00000000", "4001", 0x65000000},	    /* PTP's format */
};

TEST_EACH(times_are_of_either_format_and_era, ARRAY_SIZE(times))
{
	(void)bytes_of(REPLY, packet);
	(void)bytes_of(times[_i].error, packet + 12);
	(void)bytes_of(times[_i].time, packet + 16);
	ck_assert_int_eq(stamp_read(&form, packet, 44, &answer), 0);
	ck_assert_int_eq(answer.received, times[_i].seconds * 1000000000);
}

TEST(fractions_are_binary_or_nanoseconds)
{
	(void)bytes_of(REPLY, packet);
	(void)bytes_of("83aa7e80 80000000", packet + 16);
	ck_assert_int_eq(stamp_read(&form, packet, 44, &answer), 0);
	ck_assert_int_eq(answer.received, 500000000);
	(void)bytes_of("4001", packet + 12);
	(void)bytes_of("00000000 00000539", packet + 16);
	ck_assert_int_eq(stamp_read(&form, packet, 44, &answer), 0);
	ck_assert_int_eq(answer.received, 1337);
}

/* As a double, a time has 21 binary places. */
TEST(a_time_is_repeated_to_a_microsecond)
{
	ck_assert(stamp_repeats(T1, T1));
	ck_assert(stamp_repeats(T1 + 4294, T1) && stamp_repeats(T1 - 4294, T1));
	ck_assert(!stamp_repeats(T1 + 4295, T1) && !stamp_repeats(T1 - 4295, T1));
	ck_assert(!stamp_repeats(0, T1) && !stamp_repeats(UINT64_MAX, T1));
	ck_assert(stamp_repeats(0, UINT64_MAX));
}

TEST(an_error_estimate_is_a_time)
{
	ck_assert_double_eq_tol(stamp_error_ns(0x0001), 1e9 / 4294967296.0, 1e-9);
	ck_assert_double_eq_tol(stamp_error_ns(0x8000 | 32 << 8 | 3), 3e9, 1e-3);
	ck_assert_double_eq_tol(stamp_error_ns(stamp_estimate_of(500)), 500e3, 4e3);
}
