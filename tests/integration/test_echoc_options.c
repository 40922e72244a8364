/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What the options of the target do to packets: their class and TTL, where they come from, and the
 * PROXY header that a connection begins with.
 */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"
#include "probe/proxy_greeting.h"

#define TCP_SIZE 64

/* 127.0.0.1:PORT or [::1]:PORT; static. */
static const char *target_at(const char *host, uint16_t port)
{
	static char text[64];
	struct address address = at(host, port);
	char formatted[ADDRESS_TEXT_MAX];

	snprintf(text, sizeof(text), "%s", address_format(&address, formatted));
	return text;
}

TEST_EACH(datagrams_leave_with_the_class_and_the_hops_that_were_asked_for, 2)
{
	const char *host = loopback_of(_i);
	int server = datagram_socket(host);
	static struct datagram datagram;
	struct echoc echoc = echoc_start(ECHOC_ARGS("ping", "-u", "--json", "-c", "1", "-W", "20s",
						    "-Q", "af21+ect0", "--ttl", "17",
						    target_at(host, port_bound_to(server))));

	receive_datagram(server, &datagram);
	ck_assert_int_eq(datagram.tos, 18 << 2 | 2);
	ck_assert_int_eq(datagram.hops, 17);
	send_datagram(server, &datagram.from, datagram.data, datagram.size);
	echoc_finish(&echoc, NULL, 0);
	ck_assert_int_eq(echoc.status, 0);
	ck_assert_double_eq(json_get(echoc.output, "start", "tos"), 18 << 2 | 2);
	ck_assert_double_eq(json_get(echoc.output, "start", "ttl"), 17);
	close(server);
}

TEST(packets_leave_as_the_kernel_does_it_without_options)
{
	int server = datagram_socket("127.0.0.1");
	static struct datagram datagram;
	struct echoc echoc = echoc_start(
		ECHOC_ARGS("ping", "-u", "--json", "-c", "1", "-W", "20s", target_of(server)));

	receive_datagram(server, &datagram);
	ck_assert_int_eq(datagram.tos, 0);
	send_datagram(server, &datagram.from, datagram.data, datagram.size);
	echoc_finish(&echoc, NULL, 0);
	ck_assert(json_is(echoc.output, "start", "ttl", "null"));
	ck_assert(json_is(echoc.output, "start", "interface", "null"));
	ck_assert(json_is(echoc.output, "start", "proxy", "null"));
	close(server);
}

/* 127.0.0.2, and the port of a socket of 127.0.0.1 that nobody has there. */
static const char *free_source(int *holder, int type)
{
	static char text[64];
	struct address any = at("127.0.0.1", 0);

	*holder = new_socket(&any, type);
	ck_assert_int_eq(bind(*holder, &any.sa, any.length), 0);
	snprintf(text, sizeof(text), "127.0.0.2:%u", port_bound_to(*holder));
	return text;
}

TEST_EACH(a_source_port_is_the_only_one, 2)
{
	bool is_udp = _i == 1;
	int holder;
	const char *source = free_source(&holder, is_udp ? SOCK_DGRAM : SOCK_STREAM);
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", is_udp ? "-u" : "-t", "--json", "-c", "2",
						  "-i", "10ms", "-W", "20s", "-I", source,
						  FAULTY(.datagram = is_udp)));
	char quoted[80];

	ck_assert_int_eq(echoc.status, 0);
	snprintf(quoted, sizeof(quoted), "\"%s\"", source);
	ck_assert(json_is(echoc.output, "start", "source", quoted));
	close(holder);
}

/* The port was in use until a moment ago. */
TEST(a_lost_connection_is_re_established_from_its_port)
{
	int holder;
	const char *source = free_source(&holder, SOCK_STREAM);
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		"ping", "-c", "3", "-i", "300ms", "-W", "20s", "-I", source,
		FAULTY(.fault = FAULT_CLOSE, .at = 2, .offset = TCP_SIZE, .size = TCP_SIZE)));

	ck_assert_ptr_nonnull(strstr(echoc.output, "reconnect"));
	ck_assert_ptr_null(strstr(echoc.errors, "cannot connect"));
	close(holder);
}

static const struct {
	const char *source;
	const char *message;
} bad_sources[] = {
	{"192.0.2.1", "not an address of this host"},
	{"192.0.2.1:4711", "not an address of this host"},
	{"nonsense0", "source nonsense0: neither ADDRESS[:PORT] nor an interface of this host"},
	{"localhost", "source localhost: neither"},
	{"127.0.0.1:65536", "neither"},
};

TEST_EACH(a_source_that_cannot_be_is_explained, ARRAY_SIZE(bad_sources))
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "-c", "1", "-I", bad_sources[_i].source, "127.0.0.1:9"));

	EXPECT_ERRORS(&echoc, 2, bad_sources[_i].message);
}

TEST_EACH(a_source_port_that_is_taken_is_explained, 2)
{
	bool is_udp = _i == 1;
	uint16_t port;
	int taken = occupy(is_udp ? SOCK_DGRAM : SOCK_STREAM, &port);
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", is_udp ? "-u" : "-t", "-c", "1", "-I",
				     target_at("127.0.0.1", port), FAULTY(.datagram = is_udp)));

	EXPECT_ERRORS(&echoc, 2, "another socket has the source port");
	close(taken);
}

TEST(several_connections_do_not_share_a_port)
{
	int holder;
	const char *source = free_source(&holder, SOCK_STREAM);
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("bench", "-c", "3", "-d", "100ms", "-I", source, FAULTY(.offset = 0)));

	EXPECT_ERRORS(&echoc, 2, "3 connections cannot share source port");
	close(holder);
}

TEST(an_interface_is_one_to_send_from)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "-u", "--json", "-c", "1", "-W", "20s",
						  "-I", "lo", FAULTY(.datagram = true)));

	if (strstr(echoc.errors, "Operation not permitted"))
		skip("binding to an interface is not permitted");
	ck_assert_int_eq(echoc.status, 0);
	ck_assert(json_is(echoc.output, "start", "interface", "\"lo\""));
}

TEST_EACH(echod_reads_the_header, 4)
{
	const char *host = loopback_of(_i % 2);
	const char *version = _i < 2 ? "v1" : "v2";
	bool is_v6 = _i % 2 == 1;
	char config[160], line[128];
	struct echod *echod;
	struct echoc echoc;

	snprintf(config, sizeof(config),
		 "[server]\nlog_level = info\n[listener echo]\naddress = %s:0\nproxy_from = %s\n",
		 is_v6 ? "[::1]" : host, host);
	echod = echod_start(config);
	echoc = echoc_run(ECHOC_ARGS(
		"ping", "--json", "-c", "2", "-i", "10ms", "-W", "20s", "--proxy", version,
		target_at(host, echod_port(echod, is_v6 ? "tcp [::1]" : "tcp 127.0.0.1"))));
	ck_assert_int_eq(echoc.status, 0);
	snprintf(line, sizeof(line), "\"%s\"", version);
	ck_assert(json_is(echoc.output, "start", "proxy", line));
	ck_assert_double_eq(sum_of(&echoc, "received"), 2);
	echod_wait_log(echod, is_v6 ? " via [::1]:" : " via 127.0.0.1:");
	echod_stop(echod);
}

/* Accepts one, takes its header, echoes a probe and closes. */
static void serve_once(int listener)
{
	unsigned char header[PROXY_GREETING_MAX], expected[PROXY_GREETING_MAX];
	char probe[TCP_SIZE];
	struct address own = {.length = sizeof(own.in6)}, peer = own;
	int fd = accept(listener, &peer.sa, &peer.length);
	size_t size;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(getsockname(fd, &own.sa, &own.length), 0);
	size = proxy_greeting_write(PROXY_GREETING_V2, &peer, &own, expected);
	recv_exact(fd, header, size);
	ck_assert_mem_eq(header, expected, size);
	recv_exact(fd, probe, sizeof(probe));
	send_all(fd, probe, sizeof(probe));
	close(fd);
}

TEST(each_connection_begins_with_a_header)
{
	uint16_t port;
	int listener = occupy(SOCK_STREAM, &port);
	struct echoc echoc = echoc_start(ECHOC_ARGS("ping", "-c", "2", "-i", "20ms", "-W", "20s",
						    "--proxy", "v2", target_at("127.0.0.1", port)));

	serve_once(listener);
	serve_once(listener);
	echoc_finish(&echoc, NULL, 0);
	ck_assert_ptr_nonnull(strstr(echoc.output, "1 reconnect\n"));
	close(listener);
}
