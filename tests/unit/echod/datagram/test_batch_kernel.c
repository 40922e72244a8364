/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Batches through real sockets: what the other end gets. */

#include "config.h"

#include "echod/datagram/batch.h"

#include <net/if.h>
#include <sys/ioctl.h>

#include "echod/datagram/sending.h"
#include "integration/harness.h"
#include "integration/net.h"

static struct udp_batch *batch;
static char data[DATAGRAM_MAX];

static void set_up(void)
{
	batch = udp_batch_new();
	ck_assert_ptr_nonnull(batch);
	fill(data, sizeof(data), 7);
}

static void tear_down(void)
{
	udp_batch_free(batch);
}

TEST_CASE("kernel", set_up, tear_down);

TEST(a_batch_is_what_waited_in_order)
{
	static const size_t sizes[] = {1, 0, 65507, 64, 1472};
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		ck_assert_int_eq(send(ends[0], data, sizes[i], 0), (ssize_t)sizes[i]);
	ck_assert_int_eq(udp_batch_receive(batch, ends[1], true, BATCH_SIZE), ARRAY_SIZE(sizes));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ck_assert_uint_eq(batch->in[i].msg_len, sizes[i]);
		ck_assert_mem_eq(batch->payload[i], data, sizes[i]);
	}
	ck_assert_int_eq(udp_batch_receive(batch, ends[1], true, BATCH_SIZE), 0);
}

TEST(nothing_comes_from_an_error)
{
	ck_assert_int_eq(udp_batch_receive(batch, -1, true, BATCH_SIZE), -1);
	ck_assert_int_eq(errno, EBADF);
}

TEST(a_batch_is_as_large_as_it_says)
{
	int server = datagram_socket("127.0.0.1"), client = datagram_socket("127.0.0.1");
	struct address to = {.length = sizeof(to.un)};
	unsigned total = 0, largest = 0;

	ck_assert_int_eq(getsockname(server, &to.sa, &to.length), 0);
	for (int i = 0; i < BATCH_SIZE + 10; i++)
		send_datagram(client, &to, data, 8);
	WAIT_UNTIL((total += (unsigned)udp_batch_receive(batch, server, true, BATCH_SIZE)) >=
		   BATCH_SIZE);
	largest = total;
	ck_assert_uint_eq(largest, BATCH_SIZE);
	WAIT_UNTIL((total += (unsigned)udp_batch_receive(batch, server, true, BATCH_SIZE)) ==
		   BATCH_SIZE + 10);
}

TEST_EACH(a_reply_has_the_whole_address_of_its_peer, 2)
{
	static const char *const hosts[] = {"127.0.0.1", "::1"};
	struct address to = {.length = sizeof(to.un)};
	struct datagram came;
	int server, client;

	if (_i == 1)
		need_ipv6();
	server = datagram_socket(hosts[_i]);
	client = datagram_socket(hosts[_i]);
	ck_assert_int_eq(getsockname(server, &to.sa, &to.length), 0);
	send_datagram(client, &to, "hello", 5);
	WAIT_UNTIL(udp_batch_receive(batch, server, false, BATCH_SIZE) == 1);
	(void)udp_batch_reply(batch, 0, 5, (struct udp_reply){.datagrams = 1});
	ck_assert_uint_eq(udp_batch_send(batch, server, false).datagrams, 1);
	receive_datagram(client, &came);
	ck_assert_uint_eq(came.size, 5);
	ck_assert_mem_eq(came.data, "hello", 5);
	close(server);
	close(client);
}

/* Sends SIZE bytes as a train over loopback, and expects datagrams of SEGMENT bytes. */
static void expect_train(size_t size, unsigned segment)
{
	int server = datagram_socket("127.0.0.1"), client = datagram_socket("127.0.0.1");
	struct address to = {.length = sizeof(to.un)};
	unsigned datagrams = (unsigned)((size + segment - 1) / segment);
	struct udp_notes notes;
	struct datagram *came = malloc(sizeof(*came));
	struct msghdr *message;
	struct udp_sent sent;

	ck_assert_int_eq(udp_control_enable(server, AF_INET), 0);
	ck_assert_int_eq(getsockname(server, &to.sa, &to.length), 0);
	send_datagram(client, &to, "?", 1);
	WAIT_UNTIL(udp_batch_receive(batch, server, true, BATCH_SIZE) == 1);
	udp_control_read(&batch->in[0].msg_hdr, &notes);
	memcpy(batch->payload[0], data, size);
	message = udp_batch_reply(batch, 0, size,
				  (struct udp_reply){.segment = segment, .datagrams = datagrams});
	udp_control_write(message, &batch->out_control[0], &notes,
			  &(struct udp_answer){true, 33, -1, segment});
	sent = udp_batch_send(batch, server, false);
	ck_assert_uint_eq(sent.datagrams, datagrams);
	ck_assert_uint_eq(sent.bytes, size);
	ck_assert_uint_eq(sent.dropped, 0);
	for (size_t at_byte = 0; at_byte < size; at_byte += came->size) {
		receive_datagram(client, came);
		ck_assert_uint_eq(came->size, size - at_byte < segment ? size - at_byte : segment);
		ck_assert_mem_eq(came->data, data + at_byte, came->size);
		ck_assert_int_eq(came->hops, 33);
		ck_assert(address_equal(&came->from, &to));
	}
	free(came);
	close(server);
	close(client);
}

TEST(trains_arrive_as_the_datagrams_they_were)
{
	expect_train(250, 100);
	expect_train(64 * 1000, 1000);
	expect_train(300, 1); /* more than the kernel cuts in one call */
	expect_train(1003, 3);
}

TEST(trains_larger_than_the_path_takes_arrive_as_the_datagrams_they_were)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_mtu = 1500};
	int fd;

	need_own_network();
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(ioctl(fd, SIOCSIFMTU, &loopback), 0);
	close(fd);
	expect_train(5000, 2000);
	expect_train(60000, 1400);
}
