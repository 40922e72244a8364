/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* STAMP's base packets, byte by byte, and who gets none. TLVs are in test_stamp_tlv.c. */

#include "config.h"

#include "unit/echod/datagram/modes/stamp_scene.h"

#define REQUEST "00000001 " STAMP_T1 " 0001 002a 0*28"
#define REPLY                                                                                      \
	"00000001 ec4e8c45c0000000 0001 002a ec4e8c45a0000000 00000001 " STAMP_T1 " 0001 0000 40 " \
	"000000"
#define SIGNED_REQUEST "00000001 0*12 " STAMP_T1 " 0001 002a 0*68 2e292aab98bbb42c6e3e53c7ba86dbf8"
#define SIGNED_REPLY                                                                               \
	"00000001 0*12 ec4e8c45c0000000 0001 002a 0*4 ec4e8c45a0000000 0*8 00000001 "              \
	"0*12 " STAMP_T1 " 0001 0*6 40 0*15 27368366dc69da09b5cb55c4341a4c37"

static uint8_t request[65536];

static enum verdict ask_hex(const char *hex)
{
	return ask(request, bytes_of(hex, request));
}

TEST_CASE("stamp", stamp_begin, stamp_end);

TEST(an_unauthenticated_request_has_its_reply)
{
	ck_assert_int_eq(ask_hex(REQUEST), ANSWER);
	assert_packet(REPLY);
	ck_assert_int_eq(question.reply_tos, -1);
}

TEST(an_authenticated_request_has_its_reply)
{
	use_key();
	ck_assert_int_eq(ask_hex(SIGNED_REQUEST), ANSWER);
	assert_packet(SIGNED_REPLY);
}

TEST(with_a_key_nothing_else_is_answered)
{
	use_key();
	ck_assert_int_eq(ask_hex(REQUEST), TOO_SHORT);
	ck_assert_int_eq(ask_hex(REQUEST " 0*68"), NOT_AUTHENTIC);
	ck_assert_int_eq(ask_hex("00000001 0*12 " STAMP_T1 " 0001 002a 0*84"), NOT_AUTHENTIC);
}

TEST(every_bit_of_an_authenticated_packet_is_protected)
{
	size_t size = bytes_of(SIGNED_REQUEST, request);

	use_key();
	use_sessions();
	for (size_t bit = 0; bit < 8 * size; bit++) {
		request[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(ask(request, size), NOT_AUTHENTIC);
		request[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	/* No session was touched before. */
	ck_assert_int_eq(ask(request, size), ANSWER);
	ck_assert_uint_eq(session_received(question.session), 1);
}

/* MBZ fields are ignored when received, also where they are covered by the HMAC. */
TEST(what_must_be_zero_need_not_be)
{
	size_t size = bytes_of(REQUEST, request);

	memset(request + 16, 0xff, 12); /* a reply would have its request's number in 24..27 */
	ck_assert_int_eq(ask(request, size), ANSWER);
	assert_packet(REPLY);

	use_key();
	size = bytes_of(SIGNED_REQUEST, request);
	memset(request + 4, 0xff, 12);
	memset(request + 28, 0xff, 20);
	sign(request);
	ck_assert_int_eq(ask(request, size), ANSWER);
	assert_packet(SIGNED_REPLY);
}

/* Every length up to a large datagram's: the size stays, the rest is copied. */
TEST_EACH(padding_is_copied, 2)
{
	if (_i > 0)
		use_key();
	for (size_t size = 0; size < 300; size++) {
		size_t base = _i > 0 ? 112 : 44;

		memset(request, 0, sizeof(request));
		(void)bytes_of("00000005 " STAMP_T1 " 3fff 0007", request);
		if (size > base)
			memset(request + base, 0x5a, size - base);
		if (_i > 0)
			sign(request);
		ask_and_compare(request, size, "padding");
		if (size > base) {
			ck_assert_uint_eq(question.size, size);
			ck_assert_mem_eq(packet + base, request + base, size - base);
		}
	}
	ask_and_compare(request, 65507, "the largest datagram, all zeros at its end");
}

TEST(short_requests_have_a_whole_reply_from_41_bytes_on)
{
	struct reason reason;

	for (int listed = 0; listed < 2; listed++) {
		model.listed = listed > 0;
		if (listed)
			ck_assert_int_eq(netlist_add(&settings_in_use.allow, "::/0", &reason), 0);
		for (size_t size = 0; size < 44; size++) {
			(void)bytes_of(REQUEST, request);
			ck_assert_int_eq(ask(request, size),
					 size >= (listed ? 14U : 41U) ? ANSWER : TOO_SHORT);
			ask_and_compare(request, size, "short");
		}
	}
	/* What was not there counts as zero, whatever the buffer held before. */
	ck_assert_int_eq(ask(request, 14), ANSWER);
	assert_packet("00000001 ec4e8c45c0000000 0001 0000 ec4e8c45a0000000 00000001 " STAMP_T1
		      " 0001 0000 40 000000");
}

TEST(with_a_key_a_list_lets_no_short_request_through)
{
	struct reason reason;

	use_key();
	ck_assert_int_eq(netlist_add(&settings_in_use.allow, "::/0", &reason), 0);
	(void)bytes_of(SIGNED_REQUEST, request);
	for (size_t size = 0; size < 112; size++)
		ck_assert_int_eq(ask(request, size), TOO_SHORT);
}

/* Its own reply comes back, or that of another reflector without sessions. */
TEST_EACH(a_reply_is_not_answered, 4)
{
	size_t size = bytes_of(_i < 2 ? REPLY : SIGNED_REPLY, request);

	if (_i >= 2)
		use_key();
	if (_i % 2)
		use_sessions();
	ck_assert_int_eq(ask(request, size), IS_A_REPLY);
	request[3] = 2;
	if (_i >= 2)
		sign(request);
	ck_assert_int_eq(ask(request, size), ANSWER);
}

/* Either of the times that it repeats or adds will do. */
TEST_EACH(a_reply_to_a_request_without_a_time_is_not_answered, 4)
{
	static const size_t arrival[] = {16, 32}, sent[] = {28, 64};
	size_t size = bytes_of(_i < 2 ? REPLY : SIGNED_REPLY, request);

	if (_i >= 2)
		use_key();
	memset(request + (_i % 2 ? arrival : sent)[_i / 2], 0, 8);
	sign(request);
	ck_assert_int_eq(ask(request, size), IS_A_REPLY);
	memset(request + (_i % 2 ? sent : arrival)[_i / 2], 0, 8);
	sign(request);
	ck_assert_int_eq(ask(request, size), ANSWER);
}

TEST(a_request_of_zeros_is_no_reply)
{
	memset(request, 0, sizeof(request));
	ck_assert_int_eq(ask(request, 44), ANSWER);
	ck_assert_int_eq(ask(request, 1000), ANSWER);
	use_key();
	sign(request);
	ck_assert_int_eq(ask(request, 112), ANSWER);
}

/* The order of checks: what is cheaper, and reveals less, comes first. */
TEST(a_forged_reply_counts_as_forged)
{
	size_t size = bytes_of(SIGNED_REPLY, request);

	use_key();
	request[111] ^= 1;
	ck_assert_int_eq(ask(request, size), NOT_AUTHENTIC);
	ck_assert_int_eq(ask(request, 111), TOO_SHORT);
}

TEST(a_reply_opens_no_session)
{
	size_t size = bytes_of(REPLY, request);

	use_sessions();
	ck_assert_int_eq(ask(request, size), IS_A_REPLY);
	ck_assert_uint_eq(sessions_count(sessions, question.now), 0);
}

TEST(a_session_counts_its_own_replies)
{
	use_sessions();
	(void)bytes_of(REQUEST, request);
	for (uint32_t i = 0; i < 5; i++) {
		request[3] = (uint8_t)(9 + 2 * i); /* every second one is lost on its way */
		ask_and_compare(request, 44, "stateful");
		ck_assert_uint_eq(packet[3], i);
		ck_assert_uint_eq(packet[27], request[3]);
	}
	/* Another SSID is another session, and number 0 begins anew. */
	request[15] = 0x2b;
	ck_assert_int_eq(ask(request, 44), ANSWER);
	ck_assert_uint_eq(packet[3], 0);
	request[15] = 0x2a;
	ck_assert_int_eq(ask(request, 44), ANSWER);
	ck_assert_uint_eq(packet[3], 5);
	request[3] = 0;
	ck_assert_int_eq(ask(request, 44), ANSWER);
	ck_assert_uint_eq(packet[3], 0);
}

TEST(a_session_begins_anew_even_if_that_reply_cannot_be_sent)
{
	struct session *session;

	use_sessions();
	ck_assert_int_eq(ask_hex(REQUEST), ANSWER);
	session = question.session;
	(void)bytes_of(REQUEST, packet);
	packet[3] = 0;
	question.session = NULL;
	ck_assert_int_eq(stamp_answer(&question), ANSWER);
	ck_assert_uint_eq(session_transmitted(session), 1);
	stamp_unanswered(&question);
	ck_assert_uint_eq(session_transmitted(session), 0);
	question.session = NULL; /* it was over the rate */
	stamp_unanswered(&question);
}

/* Once more with a later time: the number stays, all that depends on the time is new. */
TEST(a_reply_can_be_sealed_again)
{
	struct timespec later = timespec_of(realtime_of(STAMP_T3 + 0x10000000));
	uint8_t first[112];

	use_key();
	use_sessions();
	ck_assert_int_eq(ask_hex(SIGNED_REQUEST), ANSWER);
	memcpy(first, packet, sizeof(first));
	session_take_back(question.session, 0);
	stamp_seal(&question, &later);
	ck_assert_mem_eq(packet, first, 4);
	ck_assert_int_ne(memcmp(packet + 16, first + 16, 8), 0);
	ck_assert_int_ne(memcmp(packet + 96, first + 96, 16), 0);
	model_hmac(&known_key, packet, 96, "", 0, first);
	ck_assert_mem_eq(packet + 96, first, 16);
}

TEST(the_hops_left_are_reported)
{
	static const struct {
		int left;
		unsigned reported;
	} hops[] = {{255, 255}, {1, 1}, {64, 64}, {0, 0}, {-1, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(hops); i++) {
		question.notes.hops = hops[i].left;
		ck_assert_int_eq(ask_hex(REQUEST), ANSWER);
		ck_assert_uint_eq(packet[40], hops[i].reported);
	}
}

TEST(the_kernel_is_asked_for_its_error_once_a_second)
{
	struct mode_state own = {.error_estimate = 0xffff};

	ck_assert_uint_ne(stamp_clock_estimate(&own), 0xffff);
	ck_assert_uint_ne(own.error_estimate & 0xff, 0);
	own = (struct mode_state){.estimated_at = clock_ms() + 60000, .error_estimate = 0xffff};
	ck_assert_uint_eq(stamp_clock_estimate(&own), 0xffff);
	own.estimated_at = clock_ms() - 1000;
	ck_assert_uint_ne(stamp_clock_estimate(&own), 0xffff);
}

TEST(times_are_since_1900)
{
	ck_assert_uint_eq(stamp_time_of(0), UINT64_C(2208988800) << 32);
	ck_assert_uint_eq(stamp_time_of(NS_PER_S / 2), UINT64_C(2208988800) << 32 | 0x80000000);
	ck_assert_uint_eq(stamp_time_of(999999999), UINT64_C(2208988800) << 32 | 0xfffffffb);
	ck_assert_uint_eq(stamp_time_of(UINT64_C(2085978496) * NS_PER_S), 0); /* the next era */
}

/* Bit 14 of the sender's estimate says that its times are PTP's: ours stay NTP's. */
TEST(the_format_of_the_sender_is_its_own)
{
	ck_assert_int_eq(ask_hex("00000001 " STAMP_T1 " c123 002a 0*28"), ANSWER);
	assert_packet("00000001 ec4e8c45c0000000 0001 002a ec4e8c45a0000000 00000001 " STAMP_T1
		      " c123 0000 40 000000");
}
