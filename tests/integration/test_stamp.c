/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The mode `stamp` over real sockets: times, sessions, keys, classes, and what a reload changes. */

#include "config.h"

#include "base/big_endian.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

#define STAMP "[listener s]\naddress = 127.0.0.1:0\nmode = stamp\n"
#define INFO "[server]\nlog_level = info\n"
#define WHERE "udp 127.0.0.1"
#define KEY "404142434445464748494a4b4c4d4e4f"
#define OTHER_KEY "505152535455565758595a5b5c5d5e5f"
#define SIZE 44
#define SIGNED_SIZE 112

static struct datagram came;
static char directory[] = "/tmp/echod-test-XXXXXX";
static char key_path[sizeof(directory) + 8];

static void make_directory(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chmod(directory, 0755), 0);
	(void)snprintf(key_path, sizeof(key_path), "%s/key", directory);
}

static void remove_directory(void)
{
	(void)unlink(key_path);
	ck_assert_int_eq(rmdir(directory), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void write_key(const char *digits, mode_t mode)
{
	int fd;

	(void)unlink(key_path);
	fd = open(key_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, digits, strlen(digits)), (ssize_t)strlen(digits));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(close(fd), 0);
}

/* A listener with that key, and MORE. */
static const char *keyed(const char *more)
{
	static char text[512];

	(void)snprintf(text, sizeof(text), "%s" STAMP "stamp_key = %s\n", more, key_path);
	return text;
}

static uint64_t ntp_now(void)
{
	uint64_t now = clock_read(CLOCK_REALTIME);

	return (now / NS_PER_S + 2208988800U) << 32 | (now % NS_PER_S << 32) / NS_PER_S;
}

static void make_request(uint8_t *request, size_t size, uint32_t number)
{
	memset(request, 0, size);
	put32(request, number);
	put64(request + 4, ntp_now());
	request[13] = 1;
	request[15] = 0x2a;
}

static void sign(uint8_t *packet, const char *digits)
{
	uint8_t bytes[16], digest[SHA256_SIZE];
	struct hmac_key key;
	struct sha256 hash;

	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(sscanf(digits + 2 * i, "%2hhx", &bytes[i]), 1);
	hmac_key_set(&key, bytes, sizeof(bytes));
	hmac_begin(&hash, &key);
	sha256_add(&hash, packet, 96);
	hmac_end(&hash, &key, digest);
	memcpy(packet + 96, digest, 16);
}

static const uint8_t *reply(void)
{
	return (const uint8_t *)came.data;
}

static void send_request(struct echod *echod, int fd, const uint8_t *request, size_t size)
{
	struct address to = at("127.0.0.1", echod_port(echod, WHERE));

	send_datagram(fd, &to, request, size);
}

/* Sends one and returns the number of its reply. */
static uint32_t ask(struct echod *echod, int fd, uint32_t number)
{
	uint8_t request[SIZE];

	make_request(request, sizeof(request), number);
	send_request(echod, fd, request, sizeof(request));
	receive_datagram(fd, &came);
	ck_assert_uint_eq(came.size, SIZE);
	ck_assert_uint_eq(get32(reply() + 24), number);
	return get32(reply());
}

/* Whether a packet signed with a key is answered, and with the same. */
static void expect_key(struct echod *echod, int fd, const char *digits, const char *not_this)
{
	uint64_t before = echod_counter(echod, "udp_dropped_datagrams_auth");
	uint8_t request[SIGNED_SIZE], copy[SIGNED_SIZE];

	make_request(request, sizeof(request), 9);
	sign(request, not_this);
	send_request(echod, fd, request, sizeof(request));
	echod_wait_counter(echod, "udp_dropped_datagrams_auth", before + 1);
	ck_assert(nothing_to_read(fd));
	sign(request, digits);
	send_request(echod, fd, request, sizeof(request));
	receive_datagram(fd, &came);
	ck_assert_uint_eq(came.size, SIGNED_SIZE);
	memcpy(copy, came.data, sizeof(copy));
	sign(copy, digits);
	ck_assert_mem_eq(copy, came.data, sizeof(copy));
}

TEST_CASE("stamp", make_directory, remove_directory);

TEST(a_reply_has_times_hops_and_what_was_asked)
{
	struct echod *echod = echod_start(STAMP);
	int fd = datagram_socket("127.0.0.1");
	uint8_t request[SIZE];
	uint64_t before, t2, t3;

	set_hops(fd, 77);
	for (uint32_t number = 5; number < 8; number++) {
		make_request(request, sizeof(request), number);
		before = ntp_now();
		send_request(echod, fd, request, sizeof(request));
		receive_datagram(fd, &came);
		t3 = get64(reply() + 4);
		t2 = get64(reply() + 16);
		ck_assert(before <= t2 && t2 < t3 && t3 <= ntp_now());
		ck_assert_uint_eq(get32(reply()), number);
		ck_assert_mem_eq(reply() + 14, request + 14, 2);
		ck_assert_uint_eq(get32(reply() + 24), number);
		ck_assert_mem_eq(reply() + 28, request + 4, 10);
		ck_assert_uint_eq(reply()[40], 77);
		ck_assert_uint_ne(reply()[13], 0); /* the multiplier */
		ck_assert_uint_eq(reply()[12] & 0x40, 0);
	}
	ck_assert_int_eq(came.hops, 76);
	close(fd);
}

/* 254 is what a request that was sent with all hops there are left may return with. */
TEST(hops_are_not_capped_at_64)
{
	struct echod *echod = echod_start(STAMP);
	int fd = datagram_socket("127.0.0.1");

	set_hops(fd, 255);
	(void)ask(echod, fd, 1);
	ck_assert_uint_eq(reply()[40], 255);
	ck_assert_int_eq(came.hops, 254);
	close(fd);
}

TEST(ipv6_is_answered_alike)
{
	struct echod *echod;
	struct address to;
	uint8_t request[SIZE];
	int fd;

	need_ipv6();
	echod = echod_start("[listener s]\naddress = *:0\nmode = stamp\n");
	to = at("::1", echod_port(echod, "udp [::]"));
	fd = datagram_socket("::1");
	set_hops(fd, 99);
	make_request(request, sizeof(request), 3);
	send_datagram(fd, &to, request, sizeof(request));
	receive_datagram(fd, &came);
	ck_assert_uint_eq(reply()[40], 99);
	ck_assert(get64(reply() + 16) < get64(reply() + 4));
	close(fd);
}

TEST(the_senders_port_may_be_862)
{
	struct echod *echod;
	struct address own = at("127.0.0.1", 862);
	int fd;

	need_own_network();
	echod = echod_start(STAMP);
	fd = new_socket(&own, SOCK_DGRAM);
	ck_assert_int_eq(bind(fd, &own.sa, own.length), 0);
	ck_assert_uint_eq(ask(echod, fd, 3), 3);
	close(fd);
}

TEST(what_is_no_request_is_counted_and_logged)
{
	struct echod *echod = echod_start(INFO STAMP);
	int fd = datagram_socket("127.0.0.1");
	uint8_t request[SIZE];

	make_request(request, sizeof(request), 1);
	send_request(echod, fd, request, 40);
	echod_wait_counter(echod, "udp_dropped_datagrams_short", 1);
	echod_wait_log(echod, "not answered: ");
	put32(request + 24, 1);
	put64(request + 28, 1);
	send_request(echod, fd, request, sizeof(request));
	echod_wait_counter(echod, "udp_dropped_datagrams_looped", 1);
	ck_assert(nothing_to_read(fd));
	ck_assert_uint_eq(echod_counter(echod, "udp_received_datagrams"), 2);
	ck_assert_uint_eq(echod_counter(echod, "udp_echoed_datagrams"), 0);
	close(fd);
}

TEST(a_list_lets_short_requests_through)
{
	struct echod *echod = echod_start(STAMP "allow = 127.0.0.0/8\n");
	int fd = datagram_socket("127.0.0.1");
	uint8_t request[SIZE];

	make_request(request, sizeof(request), 1);
	send_request(echod, fd, request, 14);
	receive_datagram(fd, &came);
	ck_assert_uint_eq(came.size, SIZE);
	send_request(echod, fd, request, 13);
	echod_wait_counter(echod, "udp_dropped_datagrams_short", 1);
	ck_assert(nothing_to_read(fd));
	close(fd);
}

#define SESSIONS STAMP "stamp_sessions = 16\n"

TEST(each_session_has_a_count_of_its_own)
{
	struct echod *echod = echod_start(SESSIONS);
	int one = datagram_socket("127.0.0.1"), other = datagram_socket("127.0.0.2");

	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(ask(echod, one, 10 + 2 * i), i);
		ck_assert_uint_eq(ask(echod, other, 20), i);
	}
	ck_assert_uint_eq(ask(echod, one, 0), 0);
	ck_assert_uint_eq(ask(echod, other, 21), 3);
	close(one);
	close(other);
}

TEST(sessions_survive_a_reload_that_keeps_their_number)
{
	struct echod *echod = echod_start(SESSIONS);
	int fd = datagram_socket("127.0.0.1");

	ck_assert_uint_eq(ask(echod, fd, 7), 0);
	echod_reload(echod, SESSIONS "udp_rate = 5000\n");
	ck_assert_uint_eq(ask(echod, fd, 8), 1);
	echod_reload(echod, STAMP "stamp_sessions = 32\n");
	ck_assert_uint_eq(ask(echod, fd, 9), 0);
	echod_reload(echod, STAMP);
	ck_assert_uint_eq(ask(echod, fd, 10), 10);
	close(fd);
}

TEST(a_full_table_begins_no_session)
{
	struct echod *echod = echod_start(INFO STAMP "stamp_sessions = 1\n");
	int fd = datagram_socket("127.0.0.1"), late = datagram_socket("127.0.0.2");
	uint8_t request[SIZE];

	ck_assert_uint_eq(ask(echod, fd, 7), 0);
	make_request(request, sizeof(request), 7);
	send_request(echod, late, request, sizeof(request));
	echod_wait_counter(echod, "udp_dropped_datagrams_sessions", 1);
	ck_assert(nothing_to_read(late));
	ck_assert_uint_eq(ask(echod, fd, 8), 1);
	close(fd);
	close(late);
}

/* What a sender of the class of service TLV wishes for the reply. */
static int class_of_reply(struct echod *echod, uint8_t dscp, const char *expected)
{
	uint8_t request[SIZE + 8];
	int fd = datagram_socket("127.0.0.1");

	set_tos(fd, 0xb9);
	make_request(request, sizeof(request), 1);
	memcpy(request + SIZE, "\x80\x04\0\x04", 4);
	request[SIZE + 4] = (uint8_t)(dscp << 2);
	send_request(echod, fd, request, sizeof(request));
	receive_datagram(fd, &came);
	ck_assert_uint_eq(came.size, SIZE + 8);
	ck_assert_mem_eq(reply() + SIZE, expected, 8);
	close(fd);
	return came.tos;
}

/* DSCP 46 and ECN 1 arrive; 10 is wished for. */
TEST(a_reply_has_the_class_that_was_asked_for_unless_refused)
{
	struct echod *echod = echod_start(STAMP);

	ck_assert_int_eq(class_of_reply(echod, 10, "\0\x04\0\x04\x2a\xe4\0"), 10 << 2);
	ck_assert_int_eq(class_of_reply(echod, 0, "\0\x04\0\x04\x02\xe4\0"), 0);
	echod_reload(echod, STAMP "stamp_dscp = received\n");
	ck_assert_int_eq(class_of_reply(echod, 10, "\0\x04\0\x04\x2a\xe5\0"), 46 << 2);
}

TEST(a_key_is_read_again_at_a_reload)
{
	struct echod *echod;
	int fd = datagram_socket("127.0.0.1");

	write_key(KEY "\n", 0600);
	echod = echod_start(keyed(INFO));
	expect_key(echod, fd, KEY, OTHER_KEY);
	write_key(OTHER_KEY, 0400);
	expect_key(echod, fd, KEY, OTHER_KEY);
	echod_reload(echod, keyed(INFO));
	expect_key(echod, fd, OTHER_KEY, KEY);
	ck_assert_uint_eq(echod_log_count(echod, KEY), 0);
	echod_reload(echod, STAMP);
	ck_assert_uint_eq(ask(echod, fd, 4), 4);
	close(fd);
}

TEST(a_bad_key_refuses_the_reload)
{
	struct echod *echod;
	int fd = datagram_socket("127.0.0.1");

	write_key(KEY, 0600);
	echod = echod_start(keyed(""));
	write_key(OTHER_KEY, 0644);
	echod_reload(echod, keyed(""));
	echod_wait_log(echod, "too open for a key: chmod 0600 it");
	ck_assert_uint_eq(echod_counter(echod, "reloads_failure"), 1);
	expect_key(echod, fd, KEY, OTHER_KEY);
	ck_assert_int_eq(unlink(key_path), 0);
	echod_reload(echod, keyed(""));
	ck_assert_uint_eq(echod_counter(echod, "reloads_failure"), 2);
	expect_key(echod, fd, KEY, OTHER_KEY);
	close(fd);
}

/* Read as root before `user` is in force, and not to be read any more after. */
TEST(a_key_that_may_not_be_read_any_more_stays)
{
	struct echod *echod;
	int fd = datagram_socket("127.0.0.1");

	if (geteuid() != 0)
		skip("only root can be another user");
	write_key(KEY, 0600);
	echod = echod_start(keyed("[server]\nuser = nobody\n"));
	expect_key(echod, fd, KEY, OTHER_KEY);
	write_key(OTHER_KEY, 0600);
	echod_reload(echod, keyed("[server]\nuser = nobody\n"));
	echod_wait_log(echod, "cannot open: Permission denied: the key in force stays");
	ck_assert_uint_eq(echod_counter(echod, "reloads_success"), 1);
	expect_key(echod, fd, KEY, OTHER_KEY);
	close(fd);
}

TEST(a_check_reads_the_key_and_a_dump_has_only_its_path)
{
	struct echod *echod;

	write_key(KEY, 0600);
	echod = finished_with(keyed(""), ARGUMENTS("-T"), 0);
	ck_assert_ptr_nonnull(strstr(echod_output(echod), key_path));
	ck_assert_ptr_null(strstr(echod_output(echod), KEY));
	echod_free(echod);
	write_key(KEY, 0640);
	echod = finished_with(keyed(""), ARGUMENTS("-t"), BAD_FILE);
	ck_assert_ptr_nonnull(strstr(echod_log(echod), ":4: stamp_key: "));
	echod_free(echod);
}
