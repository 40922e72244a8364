/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The numbers agree: what echod says it received is what it echoed and what it dropped, to the last
 * datagram, and both are what the clients counted and what the kernel counted.
 */

#include "config.h"

#include <linux/sock_diag.h>
#include <netinet/udp.h>

#include "integration/endpoint.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

/* Once nothing is on its way: WHAT came in, all of it accounted for. */
static struct udp_books settled(struct echod *echod, uint64_t arrived)
{
	struct udp_books books;

	WAIT_UNTIL(
		(books = udp_books(echod), books.received + books.kernel_drops == arrived &&
						   books.echoed + books.dropped == books.received));
	return books;
}

static uint64_t dropped_for(struct echod *echod, const char *reason)
{
	char series[64];

	snprintf(series, sizeof(series), "udp_dropped_datagrams_total{reason=\"%s\"}", reason);
	return metric_value(echod, series);
}

#define EACH 25

static void send_each(int fd, const char *host, uint16_t port)
{
	struct address to = at(host, port);

	for (int i = 0; i < EACH; i++)
		send_datagram(fd, &to, "counted", 7);
}

TEST_CASE("udp");

TEST(every_reason_to_drop_is_in_the_books)
{
	struct echod *echod = echod_start("[server]\nmetrics = 127.0.0.1:0\n"
					  "[listener echo]\naddress = 127.0.0.1:0\n"
					  "deny = 127.0.0.66\nprotocol = udp\n");
	uint16_t port = echod_port(echod, "udp 127.0.0.1");
	int plain = datagram_socket("127.0.0.1"), denied = datagram_socket("127.0.0.66");
	int guarded = datagram_socket_at("127.0.0.5", port),
	    last_hop = datagram_socket("127.0.0.1");
	struct udp_books books;

	set_hops(last_hop, 1);
	send_each(plain, "127.0.0.1", port);
	send_each(denied, "127.0.0.1", port);
	send_each(guarded, "127.0.0.1", port);
	send_each(last_hop, "127.0.0.1", port);
	books = settled(echod, 4 * EACH);
	ck_assert_uint_eq(books.echoed, EACH);
	ck_assert_uint_eq(dropped_for(echod, "denied"), EACH);
	ck_assert_uint_eq(dropped_for(echod, "guard"), EACH);
	ck_assert_uint_eq(dropped_for(echod, "ttl"), EACH);
	ck_assert_uint_eq(metric_value(echod, "received_bytes_total{protocol=\"udp\"}"),
			  4 * EACH * 7);
	ck_assert_uint_eq(metric_value(echod, "sent_bytes_total{protocol=\"udp\"}"), EACH * 7);
}

#define FLOODERS 4
#define FLOOD 40000
#define SIZE 100
#define BETWEEN_RELOADS 8000

struct flood {
	int fds[FLOODERS];
	struct address to;
	uint64_t sent;
	uint64_t received;
};

static void flood_open(struct flood *flood, const char *from, const char *to, uint16_t port)
{
	*flood = (struct flood){.to = at(to, port)};
	for (int i = 0; i < FLOODERS; i++)
		flood->fds[i] = datagram_socket(from);
}

static void take_echoes(struct flood *flood)
{
	char data[SIZE + 1];
	ssize_t size;

	for (int i = 0; i < FLOODERS; i++) {
		while ((size = recv(flood->fds[i], data, sizeof(data), MSG_DONTWAIT)) >= 0) {
			ck_assert_int_eq(size, SIZE);
			flood->received++;
		}
		ck_assert_int_eq(errno, EAGAIN);
	}
}

/* As fast as it goes, reading what has come only now and then. */
static void flood_send(struct flood *flood, unsigned count)
{
	static const char data[SIZE];

	for (unsigned i = 0; i < count; i++) {
		send_datagram(flood->fds[i % FLOODERS], &flood->to, data, SIZE);
		flood->sent++;
		if (i % 64 == 0)
			take_echoes(flood);
	}
}

/* What the kernel had no room for in our own sockets. */
static uint64_t own_drops(const struct flood *flood)
{
	uint64_t drops = 0;

	for (int i = 0; i < FLOODERS; i++) {
		uint32_t values[SK_MEMINFO_VARS];
		socklen_t size = sizeof(values);

		ck_assert_int_eq(getsockopt(flood->fds[i], SOL_SOCKET, SO_MEMINFO, values, &size),
				 0);
		drops += values[SK_MEMINFO_DROPS];
	}
	return drops;
}

static void flood_close(struct flood *flood)
{
	for (int i = 0; i < FLOODERS; i++)
		close(flood->fds[i]);
}

/* In order of the columns of /proc/net/snmp. */
struct kernel_udp {
	unsigned long long in, no_ports, in_errors, out, no_receive_room, no_send_room;
};

static struct kernel_udp kernel_udp(void)
{
	struct kernel_udp udp = {0};
	unsigned long long *columns[] = {&udp.in,  &udp.no_ports,	 &udp.in_errors,
					 &udp.out, &udp.no_receive_room, &udp.no_send_room};
	FILE *file = fopen("/proc/thread-self/net/snmp", "re");
	char line[1024];
	bool named = false;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *at = line + strlen("Udp: ");

		/* The first such line has the names of the columns. */
		if (strncmp(line, "Udp: ", strlen("Udp: ")) != 0 || !named) {
			named |= strncmp(line, "Udp: ", strlen("Udp: ")) == 0;
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
			*columns[i] = strtoull(at, &at, 10);
	}
	fclose(file);
	return udp;
}

static void expect_agreement(struct echod *echod, struct flood *flood)
{
	struct udp_books books = settled(echod, flood->sent);
	struct kernel_udp kernel;

	WAIT_UNTIL((take_echoes(flood), flood->received + own_drops(flood) == books.echoed));
	kernel = kernel_udp();
	/* Replies that leave as one train are one there; on their way in all are counted again. */
	ck_assert_uint_gt(kernel.out, flood->sent);
	ck_assert_uint_le(kernel.out, flood->sent + books.echoed);
	ck_assert_uint_eq(kernel.in, flood->received + books.received);
	ck_assert_uint_eq(kernel.no_receive_room, own_drops(flood) + books.kernel_drops);
	ck_assert_uint_eq(kernel.no_ports, 0);
	ck_assert_uint_eq(kernel.no_send_room, 0);
}

static const char two[] = "[server]\nmetrics = 127.0.0.1:0\nworkers = 2\n"
			  "[listener a]\naddress = 127.0.0.1:0\nprotocol = udp\n"
			  "[listener b]\naddress = 127.0.0.2:0\nprotocol = udp\n";
static const char one[] = "[server]\nmetrics = 127.0.0.1:0\nworkers = 2\n"
			  "[listener a]\naddress = 127.0.0.1:0\nprotocol = udp\n";

TEST(client_echod_and_kernel_agree_after_a_flood_with_reloads)
{
	struct echod *echod;
	struct flood flood;

	need_own_network();
	echod = echod_start(two);
	flood_open(&flood, "127.0.0.1", "127.0.0.1", echod_port(echod, "udp 127.0.0.1"));
	for (unsigned sent = 0; sent < FLOOD; sent += BETWEEN_RELOADS) {
		flood_send(&flood, BETWEEN_RELOADS);
		echod_write_config(echod, sent / BETWEEN_RELOADS % 2 == 0 ? one : two);
		echod_signal(echod, SIGHUP);
	}
	WAIT_UNTIL(metric_value(echod, "reloads_total{result=\"success\"}") >= 1);
	ck_assert_uint_eq(flood.sent, FLOOD);
	expect_agreement(echod, &flood);
	flood_close(&flood);
}

TEST(the_limiter_is_in_the_books_under_overload)
{
	struct echod *echod;
	struct flood flood;

	need_own_network();
	add_address("192.0.2.7");
	echod = echod_start("[server]\nmetrics = 127.0.0.1:0\n"
			    "[listener a]\naddress = *:0\nprotocol = udp\nudp_rate = 500\n");
	flood_open(&flood, "192.0.2.7", "127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	flood_send(&flood, FLOOD);
	expect_agreement(echod, &flood);
	ck_assert_uint_gt(dropped_for(echod, "rate"), 0);
	flood_close(&flood);
}

/* Nothing is read while the process is stopped, so that the kernel must drop. */
TEST(kernel_drops_stay_in_the_books_when_their_listener_goes)
{
	struct echod *echod;
	struct flood flood;
	struct udp_books books;

	need_own_network();
	echod = echod_start(two);
	flood_open(&flood, "127.0.0.1", "127.0.0.2", echod_port(echod, "udp 127.0.0.2"));
	echod_pause(echod);
	flood_send(&flood, FLOOD);
	echod_signal(echod, SIGCONT);
	expect_agreement(echod, &flood);
	books = udp_books(echod);
	ck_assert_uint_gt(books.kernel_drops, 0);
	echod_reload(echod, one);
	ck_assert_uint_eq(udp_books(echod).kernel_drops, books.kernel_drops);
	expect_agreement(echod, &flood);
	flood_close(&flood);
}

#define SEGMENT 100
#define TRAIN (20 * SEGMENT + 1) /* and a shorter last one */

TEST(each_datagram_of_a_train_is_counted)
{
	struct echod *echod = echod_start(two);
	struct address to = at("127.0.0.1", echod_port(echod, "udp 127.0.0.1"));
	int fd = datagram_socket("127.0.0.1"), segment = SEGMENT;
	char data[TRAIN] = {0};
	struct udp_books books;

	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		skip("this kernel has no UDP_SEGMENT");
	for (int i = 0; i < EACH; i++)
		send_datagram(fd, &to, data, TRAIN);
	books = settled(echod, EACH * 21);
	ck_assert_uint_eq(books.echoed, EACH * 21);
	ck_assert_uint_eq(metric_value(echod, "received_bytes_total{protocol=\"udp\"}"),
			  EACH * TRAIN);
	ck_assert_uint_eq(metric_value(echod, "sent_bytes_total{protocol=\"udp\"}"), EACH * TRAIN);
}

static void exchange(uint16_t port, size_t size)
{
	char *data = malloc(size);
	int fd = connect_to("127.0.0.1", port);

	fill(data, size, (uint32_t)size);
	pump(fd, fd, data, size, 8192);
	close(fd);
	free(data);
}

TEST_CASE("tcp");

TEST(tcp_clients_and_echod_agree_on_connections_and_bytes)
{
	struct echod *echod = echod_start("[server]\nmetrics = 127.0.0.1:0\n"
					  "[listener echo]\naddress = 127.0.0.1:0\n"
					  "deny = 127.0.0.66\n");
	uint16_t port = port_of(echod);
	uint64_t bytes = 0;
	int denied;

	for (size_t size = 1; size < 3000000; size = size * 7 + 1) {
		exchange(port, size);
		bytes += size;
	}
	denied = connect_from("127.0.0.66", "127.0.0.1", port);
	expect_gone(denied);
	close(denied);
	WAIT_UNTIL(metric_value(echod, "tcp_connections") == 0);
	ck_assert_uint_eq(metric_value(echod, "received_bytes_total{protocol=\"tcp\"}"), bytes);
	ck_assert_uint_eq(metric_value(echod, "sent_bytes_total{protocol=\"tcp\"}"), bytes);
	ck_assert_uint_eq(metric_value(echod, "tcp_closed_total{reason=\"client\"}"),
			  metric_value(echod, "tcp_accepted_total"));
	ck_assert_uint_eq(metric_value(echod, "tcp_rejected_total{reason=\"denied\"}"), 1);
}
