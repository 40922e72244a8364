/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echod behind a load balancer that the tests play: headers of the PROXY protocol in front of what
 * clients send, whom the log and the metrics then name, reloads and stops in between.
 */

#include "config.h"

#include <netinet/tcp.h>

#include "integration/endpoint.h"
#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

#define SERVER "[server]\nmetrics = 127.0.0.1:0\nlog_level = info\n"
#define ECHO "[listener echo]\naddress = 127.0.0.1:0\n"
#define PROXIED ECHO "proxy_from = 127.0.0.1 127.0.0.5\n"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4 "PROXY TCP4 192.0.2.67 192.0.2.2 123 5678\r\n"
#define V2_TCP6                                                                                    \
	SIGNATURE "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"                           \
		  "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\x7b\x16\x2e"
#define V2_LOCAL SIGNATURE "\x20\x11\0\x0c\xc0\0\2\x43\xc0\0\2\2\0\x7b\x16\x2e"

#define SEND(fd, literal) send_all(fd, literal, sizeof(literal) - 1)

static uint64_t rejected(struct echod *echod, const char *reason)
{
	char series[64];

	(void)snprintf(series, sizeof(series), "tcp_rejected_total{reason=\"%s\"}", reason);
	return metric_value(echod, series);
}

/* A connection from 127.0.0.1 that sends a header and a message, which comes back. */
static int proxied(struct echod *echod, const char *header, size_t size)
{
	int fd = connect_to("127.0.0.1", port_of(echod));

	send_all(fd, header, size);
	expect_echo(fd, "hello", 5);
	return fd;
}

TEST_CASE("served");

TEST(the_log_names_the_source_and_the_proxy)
{
	static const struct {
		const char *header;
		size_t size;
		const char *client; /* in front of the port of the proxy */
	} clients[] = {
		{TCP4, sizeof(TCP4) - 1, "info: tcp 192.0.2.67:123 via 127.0.0.1:"},
		{V2_TCP6, sizeof(V2_TCP6) - 1, "info: tcp [2001:db8::1]:123 via 127.0.0.1:"},
		{V2_LOCAL, sizeof(V2_LOCAL) - 1, "info: tcp 127.0.0.1:"},
	};
	struct echod *echod = echod_start(SERVER PROXIED);

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		int fd = proxied(echod, clients[i].header, clients[i].size);
		char line[160];

		(void)snprintf(line, sizeof(line), "%s%u on echo ", clients[i].client,
			       port_bound_to(fd));
		ck_assert_uint_eq(echod_log_count(echod, strcat(line, "opened\n")), 1);
		close(fd);
		line[strlen(line) - strlen("opened\n")] = '\0';
		echod_wait_log(echod, strcat(line, "closed: client, 5 bytes received, 5 sent, "));
	}
	ck_assert_uint_eq(metric_value(echod, "tcp_accepted_total"), 3);
	ck_assert_uint_eq(metric_value(echod, "received_bytes_total{protocol=\"tcp\"}"), 15);
	ck_assert_uint_eq(metric_value(echod, "sent_bytes_total{protocol=\"tcp\"}"), 15);
	echod_stop(echod);
}

TEST(until_the_header_is_whole_a_connection_is_a_client_and_nothing_else)
{
	struct echod *echod =
		echod_start("[server]\nmetrics = 127.0.0.1:0\nmax_clients = 2\n" PROXIED
			    "greeting = hi\nmax_clients_per_ip = 1\n");
	int fds[2] = {connect_to("127.0.0.1", port_of(echod)),
		      connect_to("127.0.0.1", port_of(echod))};
	int late;

	SEND(fds[0], "PROXY TCP4 192.0.2.67 ");
	WAIT_UNTIL(metric_value(echod, "tcp_headers_pending") == 2);
	ck_assert_uint_eq(metric_value(echod, "tcp_connections"), 2);
	ck_assert_uint_eq(metric_value(echod, "tcp_accepted_total"), 0);
	late = connect_to("127.0.0.1", port_of(echod));
	expect_gone(late);
	ck_assert_uint_eq(rejected(echod, "max_clients"), 1);
	ck_assert(nothing_to_read(fds[0]));
	SEND(fds[0], "192.0.2.2 123 5678\r\n");
	expect_text(fds[0], "hi");
	ck_assert_uint_eq(metric_value(echod, "tcp_headers_pending"), 1);
	ck_assert_uint_eq(metric_value(echod, "tcp_connections"), 2);
	ck_assert_uint_eq(metric_value(echod, "tcp_accepted_total"), 1);
	SEND(fds[1], TCP4); /* one too many of that source */
	expect_gone(fds[1]);
	ck_assert_uint_eq(rejected(echod, "per_ip"), 1);
	expect_echo(fds[0], "x", 1);
	close(fds[0]);
	close(fds[1]);
	close(late);
	WAIT_UNTIL(metric_value(echod, "tcp_connections") == 0);
	ck_assert_uint_eq(metric_value(echod, "tcp_headers_pending"), 0);
	echod_stop(echod);
}

/* In pieces of any size: the header, messages behind it, the end. */
TEST(no_byte_is_lost_or_added_whatever_the_segments)
{
	static const size_t pieces[] = {1, 7, 42, 43, 44, 45, 1000, 100000};
	static char data[200000], whole[sizeof(TCP4) - 1 + sizeof(data)], came[sizeof(data)];
	struct echod *echod = echod_start(PROXIED);
	size_t head = sizeof(TCP4) - 1;
	int at_once = 1;

	fill(data, sizeof(data), 1);
	memcpy(whole, TCP4, head);
	memcpy(whole + head, data, sizeof(data));
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		size_t size = pieces[i] < 1000 ? 2000 : sizeof(whole);
		int fd = connect_to("127.0.0.1", port_of(echod));

		ck_assert_int_eq(setsockopt(fd, SOL_TCP, TCP_NODELAY, &at_once, sizeof(at_once)),
				 0);
		for (size_t sent = 0; sent < size; sent += pieces[i])
			send_all(fd, whole + sent,
				 size - sent < pieces[i] ? size - sent : pieces[i]);
		ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		recv_exact(fd, came, size - head);
		ck_assert_mem_eq(came, data, size - head);
		expect_end(fd);
		close(fd);
	}
}

/* Urgent data is no other than the rest, in the header as behind it. */
TEST(an_urgent_byte_is_a_byte)
{
	struct echod *echod = echod_start(PROXIED);
	int fd = connect_to("127.0.0.1", port_of(echod));

	SEND(fd, "PROXY TCP4 192.0.2.67 192.0.2.");
	ck_assert_int_eq(send(fd, "2", 1, MSG_OOB), 1);
	SEND(fd, " 123 5678\r\n");
	SEND(fd, "ab");
	ck_assert_int_eq(send(fd, "U", 1, MSG_OOB), 1);
	SEND(fd, "cd");
	expect_text(fd, "abUcd");
	close(fd);
}

TEST(an_exercise_is_replied_to_once)
{
	struct echod *echod =
		echod_start(PROXIED "greeting = hi\\n\nprefix = >\nreply_once = yes\n");
	int fd = connect_to("127.0.0.1", port_of(echod));

	SEND(fd, TCP4 "hello");
	expect_text(fd, "hi\n>hello");
	expect_end(fd);
	close(fd);
}

TEST(datagrams_need_no_header)
{
	struct echod *echod = echod_start(PROXIED);
	int fd = datagram_socket("127.0.0.9");

	expect_datagram_echo(fd, "127.0.0.1", echod_port(echod, "udp 127.0.0.1"), TCP4 "hello",
			     sizeof(TCP4) + 4);
	close(fd);
}

TEST(handed_listeners_expect_headers_too)
{
	struct handover handover = {.fds = {listening_socket("127.0.0.1")}, .count = 1};
	int early = connect_to("127.0.0.1", port_bound_to(handover.fds[0]));
	struct echod *echod;
	int fd;

	SEND(early, TCP4 "early");
	echod = start_with(&handover, "[defaults]\nproxy_from = 127.0.0.1\n");
	expect_text(early, "early");
	fd = connect_to("127.0.0.1", port_bound_to(handover.fds[0]));
	SEND(fd, "hello");
	expect_gone(fd);
	echod_wait_counter(echod, "tcp_rejected_proxy", 1);
	close(fd);
	close(early);
}

TEST(unix_clients_speak_for_themselves)
{
	struct echod *echod = echod_start("[listener echo]\naddress = 127.0.0.1:0 unix:@DIR@/s\n"
					  "proxy_from = 127.0.0.1\n");
	int fd = connect_to(echod_path(echod, "s"), 0);

	expect_echo(fd, TCP4, sizeof(TCP4) - 1);
	close(fd);
	ck_assert_uint_eq(echod_log_count(echod, "warning"), 0);
}

TEST(where_only_unix_sockets_are_served_the_key_warns)
{
	struct echod *echod = echod_start("[listener echo]\naddress = unix:@DIR@/s\n"
					  "proxy_from = 127.0.0.1\n");

	ck_assert_uint_eq(echod_log_count(echod, "proxy_from has no effect: [listener echo] serves "
						 "no TCP\n"),
			  1);
}

TEST_CASE("refused");

TEST(others_than_proxies_are_refused_whatever_they_send)
{
	struct echod *echod = echod_start(SERVER PROXIED "allow = 127.0.0.9\n");
	int fd = connect_from("127.0.0.9", "127.0.0.1", port_of(echod));
	char line[128];

	(void)snprintf(line, sizeof(line),
		       "info: tcp 127.0.0.9:%u on echo refused: proxy: not in proxy_from\n",
		       port_bound_to(fd));
	expect_gone(fd);
	echod_wait_log(echod, line);
	ck_assert_uint_eq(rejected(echod, "proxy"), 1);
	ck_assert_uint_eq(metric_value(echod, "tcp_connections"), 0);
	close(fd);
	echod_stop(echod);
}

/* An operator sees it at the default level, once in a while. */
TEST(what_is_no_header_is_a_reset_and_a_notice)
{
	struct echod *echod = echod_start(PROXIED "greeting = hi\n");
	int fds[3];

	for (int i = 0; i < 3; i++) {
		fds[i] = connect_to("127.0.0.1", port_of(echod));
		SEND(fds[i], "hello");
		ck_assert_int_eq(recv(fds[i], &(char){0}, 1, 0), -1);
		ck_assert_int_eq(errno, ECONNRESET);
		close(fds[i]);
	}
	ck_assert_uint_eq(echod_counter(echod, "tcp_rejected_proxy"), 3);
	ck_assert_uint_eq(echod_log_count(echod, "on echo refused: proxy: no PROXY header: does "
						 "the load balancer send one? (proxy_from)\n"),
			  1);
	ck_assert_uint_eq(echod_log_count(echod, "notice: tcp 127.0.0.1:"), 1);
}

TEST(lists_are_for_the_source)
{
	struct echod *echod = echod_start(SERVER PROXIED "allow = 192.0.2.0/24\n"
							 "deny = 192.0.2.67\n");
	int fd = connect_to("127.0.0.1", port_of(echod));
	char line[128];

	(void)snprintf(line, sizeof(line),
		       "info: tcp 192.0.2.67:123 via 127.0.0.1:%u on echo refused: denied\n",
		       port_bound_to(fd));
	SEND(fd, TCP4 "hello");
	expect_gone(fd);
	echod_wait_log(echod, line);
	ck_assert_uint_eq(rejected(echod, "denied"), 1);
	close(fd);
	fd = connect_to("127.0.0.1", port_of(echod));
	SEND(fd, "PROXY TCP6 ::ffff:192.0.2.66 ::1 1 2\r\n");
	expect_echo(fd, "hello", 5);
	close(fd);
	close(proxied(echod, V2_LOCAL, sizeof(V2_LOCAL) - 1));
	echod_stop(echod);
}

TEST_CASE("changes");

TEST(a_reload_changes_it_for_new_connections)
{
	struct echod *echod = echod_start(ECHO);
	int plain = connect_to("127.0.0.1", port_of(echod)), waiting, fd;

	expect_echo(plain, "before", 6);
	echod_reload(echod, PROXIED);
	expect_echo(plain, "after", 5);
	fd = proxied(echod, TCP4, sizeof(TCP4) - 1);
	waiting = connect_to("127.0.0.1", port_of(echod));
	SEND(waiting, "PROXY TCP4 192.0.2.67 ");
	echod_wait_counter(echod, "tcp_headers_pending", 1);
	echod_reload(echod, ECHO);
	SEND(waiting, "192.0.2.2 123 5678\r\n");
	expect_echo(waiting, "hello", 5);
	expect_echo(fd, "still", 5);
	close(fd);
	fd = connect_to("127.0.0.1", port_of(echod));
	expect_echo(fd, TCP4, sizeof(TCP4) - 1);
	close(fd);
	close(plain);
	close(waiting);
}

TEST(a_stop_does_not_wait_for_headers)
{
	struct echod *echod = echod_start("[server]\ndrain_timeout = 10m\n" PROXIED);
	int fds[2] = {connect_to("127.0.0.1", port_of(echod)),
		      connect_to("127.0.0.1", port_of(echod))};

	SEND(fds[0], "PROXY ");
	echod_wait_counter(echod, "tcp_headers_pending", 2);
	echod_signal(echod, SIGTERM);
	ck_assert_int_eq(echod_wait(echod), 0);
	expect_gone(fds[0]);
	expect_gone(fds[1]);
	close(fds[0]);
	close(fds[1]);
	echod_free(echod);
}

/* Both arrived while it could not look. */
TEST(what_came_before_a_stop_is_echoed)
{
	struct echod *echod = echod_start("[server]\nworkers = 1\n" PROXIED);
	int fd = connect_to("127.0.0.1", port_of(echod));

	echod_wait_counter(echod, "tcp_headers_pending", 1);
	echod_pause(echod);
	SEND(fd, TCP4 "hello");
	echod_signal(echod, SIGTERM);
	echod_signal(echod, SIGCONT);
	expect_text(fd, "hello");
	expect_end(fd);
	close(fd);
	ck_assert_int_eq(echod_wait(echod), 0);
	echod_free(echod);
}
