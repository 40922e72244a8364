/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Sockets that a service manager hands over: served as they are, refused by name, left as found. */

#include "config.h"

#include <netinet/udp.h>
#include <sys/resource.h>

#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

TEST_CASE("served");

TEST(handed_sockets_are_served_and_no_others)
{
	struct handover handover = {
		.fds = {listening_socket("127.0.0.1"), bound_socket("127.0.0.1", SOCK_DGRAM)},
		.count = 2};
	struct echod *echod = start_with(&handover, "[listener one]\naddress = 127.0.0.1:0\n"
						    "[listener two]\naddress = 127.0.0.2:0\n");
	uint16_t tcp = port_bound_to(handover.fds[0]), udp = port_bound_to(handover.fds[1]);
	int fd = datagram_socket("127.0.0.1");

	ck_assert_uint_eq(echod_log_count(echod, "listening on"), 2);
	ck_assert_uint_eq(echod_port(echod, "tcp 127.0.0.1"), tcp);
	ck_assert_uint_eq(echod_port(echod, "udp 127.0.0.1"), udp);
	ck_assert_uint_eq(echod_log_count(echod, "not opened: one, two\n"), 1);
	expect_stream("127.0.0.1", tcp);
	expect_datagram_echo(fd, "127.0.0.1", udp, "handed over", 11);
}

TEST(a_dual_stack_stream_socket_judges_ipv4_as_ipv4)
{
	struct handover handover = {.count = 1};
	struct echod *echod;
	int fd;

	need_ipv6();
	handover.fds[0] = listening_socket("::");
	echod = start_with(&handover, "[defaults]\ndeny = 127.0.0.9\n");
	fd = connect_from("127.0.0.9", "127.0.0.1", port_bound_to(handover.fds[0]));
	expect_gone(fd);
	close(fd);
	echod_wait_counter(echod, "tcp_rejected_denied", 1);
	expect_stream("127.0.0.1", port_bound_to(handover.fds[0]));
	expect_stream("::1", port_bound_to(handover.fds[0]));
}

/* It has what its socket had before anybody set anything on that. */
static const char *const waited[][2] = {
	{"127.0.0.1", "127.0.0.1"}, {"0.0.0.0", "127.0.0.5"}, {"::", "127.0.0.5"}, {"::", "::1"}};

/* They came before the kernel was asked to report where such datagrams were sent to. */
TEST_EACH(datagrams_that_waited_are_answered, ARRAY_SIZE(waited))
{
	struct handover handover = {.count = 1};
	const char *host = waited[_i][1];
	static struct datagram came;
	struct address to;
	int fd;

	if (waited[_i][0][0] == ':')
		need_ipv6();
	handover.fds[0] = bound_socket(waited[_i][0], SOCK_DGRAM);
	to = at(host, port_bound_to(handover.fds[0]));
	fd = datagram_socket(strchr(host, ':') != NULL ? "::1" : "127.0.0.1");
	for (int i = 0; i < 3; i++)
		send_datagram(fd, &to, &i, sizeof(i));
	start_with(&handover, "");
	for (int i = 0; i < 3; i++) {
		receive_datagram(fd, &came);
		ck_assert_mem_eq(came.data, &i, sizeof(i));
		ck_assert(address_equal(&came.from, &to));
	}
}

/* Timestamping= of a unit: one more message to find room for, beside those of both families. */
TEST(a_train_to_a_dual_stack_socket_with_times_comes_back)
{
	struct handover handover = {.count = 1};
	static struct datagram came;
	int fd, on = 1, segment = 100;
	static char train[1000];
	struct address to;

	need_ipv6();
	handover.fds[0] = bound_socket("::", SOCK_DGRAM);
	ck_assert_int_eq(setsockopt(handover.fds[0], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)),
			 0);
	start_with(&handover, "");
	to = at("127.0.0.1", port_bound_to(handover.fds[0]));
	fd = datagram_socket("127.0.0.1");
	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		skip("this kernel has no UDP_SEGMENT");
	send_datagram(fd, &to, train, sizeof(train));
	for (size_t got = 0; got < sizeof(train); got += came.size) {
		receive_datagram(fd, &came);
		ck_assert_uint_eq(came.size, (size_t)segment);
	}
}

TEST(the_connection_that_waited_loses_no_urgent_byte)
{
	struct handover handover = {.fds = {listening_socket("127.0.0.1")}, .count = 1};
	int fd = connect_to("127.0.0.1", port_bound_to(handover.fds[0]));

	send_all(fd, "ab", 2);
	ck_assert_int_eq(send(fd, "U", 1, MSG_OOB), 1);
	send_all(fd, "cd", 2);
	start_with(&handover, "");
	expect_text(fd, "abUcd");
}

TEST(a_multipath_listener_serves_both_kinds_of_clients)
{
	struct address own = at("127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	struct handover handover = {.fds = {fd}, .count = 1};

	if (fd < 0)
		skip("this kernel has no Multipath TCP");
	ck_assert_int_eq(bind(fd, &own.sa, own.length), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	own = at("127.0.0.1", port_bound_to(fd));
	start_with(&handover, "");
	expect_stream("127.0.0.1", address_port(&own));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	ck_assert_int_eq(connect(fd, &own.sa, own.length), 0);
	expect_echo(fd, "many paths", 10);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	expect_end(fd);
}

TEST(handed_unix_sockets_keep_their_files)
{
	const char *stream = test_path("stream"), *datagram = test_path("datagram");
	struct handover handover = {.count = 2};
	struct echod *echod;

	handover.fds[0] = listening_socket(stream);
	handover.fds[1] = bound_socket(datagram, SOCK_DGRAM);
	echod = start_with(&handover, "");
	expect_stream(stream, 0);
	expect_datagram_echo(datagram_socket(test_path("own")), datagram, 0, "handed over", 11);
	echod_stop(echod);
	ck_assert_int_eq(access(stream, F_OK), 0);
	ck_assert_int_eq(access(datagram, F_OK), 0);
}

TEST(names_choose_the_settings)
{
	struct handover handover = {.fds = {listening_socket("127.0.0.1"),
					    listening_socket("127.0.0.1"),
					    listening_socket("127.0.0.1")},
				    .count = 3,
				    .names = "second:strange:first"};
	static const char *const greetings[] = {"second", "default", "first"};
	int fd;

	start_with(&handover, "[defaults]\ngreeting = default\n"
			      "[listener first]\naddress = 127.0.0.1:0\n"
			      "greeting = first\n"
			      "[listener second]\naddress = 127.0.0.2:0\n"
			      "greeting = second\n");
	for (size_t i = 0; i < ARRAY_SIZE(greetings); i++) {
		fd = connect_to("127.0.0.1", port_bound_to(handover.fds[i]));
		expect_text(fd, greetings[i]);
		expect_echo(fd, "echo", 4);
		close(fd);
	}
}

TEST(settings_by_name_follow_a_reload)
{
	struct handover handover = {
		.fds = {listening_socket("127.0.0.1")}, .count = 1, .names = "named"};
	struct echod *echod = start_with(&handover, "[listener named]\naddress = *:0\n");
	int fd;

	expect_stream("127.0.0.1", port_bound_to(handover.fds[0]));
	echod_reload(echod, "[listener named]\naddress = *:0\ngreeting = changed\n");
	fd = connect_to("127.0.0.1", port_bound_to(handover.fds[0]));
	expect_text(fd, "changed");
	close(fd);
	ck_assert_uint_eq(echod_log_count(echod, "listening on"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "are not opened"), 1);
	echod_reload(echod,
		     "[listener named]\naddress = *:0\n[listener new]\naddress = 127.0.0.2:0\n");
	ck_assert_uint_eq(echod_log_count(echod, "of listener new are not opened"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "are not opened"), 2);
}

TEST(descriptors_for_another_process_are_not_ours)
{
	struct handover handover = {.fds = {listening_socket("127.0.0.1")}, .count = 1, .pid = "1"};
	struct echod *echod = start_with(&handover, "[listener own]\naddress = 127.0.0.2:0\n");

	expect_stream("127.0.0.2", echod_port(echod, "tcp 127.0.0.2"));
	ck_assert_uint_eq(echod_port(echod, "tcp 127.0.0.1"), 0);
}

static void expect_refusal(int fd, const char *why)
{
	struct handover handover = {
		.fds = {listening_socket("127.0.0.1"), fd}, .count = 2, .names = "good:strange"};
	struct echod *echod =
		finished(ECHOD(.config = "", .prepare = hand_over, .arg = &handover), FAILURE);
	char start[128];

	snprintf(start, sizeof(start), "handed descriptor 4 (\"strange\") %s", why);
	ck_assert_msg(echod_log_count(echod, start) == 1, "not logged: %s", start);
	ck_assert_uint_eq(echod_log_count(echod, "listening on"), 0);
	echod_free(echod);
	close(handover.fds[0]);
}

TEST_CASE("refused");

TEST(what_cannot_be_served_is_refused_by_name)
{
	expect_refusal(bound_socket("127.0.0.1", SOCK_STREAM),
		       "is a stream socket that does not listen");
	expect_refusal(socket(AF_NETLINK, SOCK_RAW, 0), "is a socket of another family");
}

#define QUEUED 8
#define TRIES 5

/* After this many failed attempts to accept, the next one takes some time. */
#define ATTEMPTS 3

static void limit_descriptors(struct echod *echod, rlim_t count)
{
	struct rlimit limit;

	ck_assert_int_eq(prlimit(echod_pid(echod), RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
	ck_assert_int_eq(prlimit(echod_pid(echod), RLIMIT_NOFILE, &limit, NULL), 0);
}

/*
 * Clients that no descriptor is left for wait in the queue, and must stay there over the stop,
 * when descriptors are there again and nothing but echod's own will keeps it from accepting them.
 * Returns false if they were accepted, which may be the last attempt before it heard of the stop.
 */
static bool queue_is_left(struct handover *handover, const char *config)
{
	struct echod *echod = start_with(handover, config);
	int clients[QUEUED], last;
	bool left;

	limit_descriptors(echod, (rlim_t)echod_descriptors(echod));
	for (int i = 0; i < QUEUED; i++)
		clients[i] = connect_to("127.0.0.1", port_bound_to(handover->fds[0]));
	WAIT_UNTIL(echod_counter(echod, "tcp_accept_errors") >= ATTEMPTS);
	limit_descriptors(echod, RLIM_INFINITY);
	echod_stop(echod);
	last = clients[QUEUED - 1];
	left = nothing_to_read(last);

	echod = start_with(handover, config);
	if (left)
		expect_echo(last, "last", 4);
	for (int i = 0; i < QUEUED; i++)
		close(clients[i]);
	echod_stop(echod);
	return left;
}

TEST_CASE("manager");

TEST(the_queue_is_left_for_the_next_instance)
{
	struct handover handover = {.fds = {listening_socket("127.0.0.1")}, .count = 1};
	bool left = false;

	for (int i = 0; i < TRIES && !left; i++)
		left = queue_is_left(&handover, "[server]\nworkers = 1\n");
	ck_assert(left);
}

struct activator {
	const char *option;
	char address[64];
	const char *config;
};

/* Runs in the child: becomes systemd-socket-activate, which becomes echod at the first message. */
static void become_activator(void *arg)
{
	const struct activator *activator = arg;

	execlp("systemd-socket-activate", "systemd-socket-activate", activator->option,
	       "--setenv=NOTIFY_SOCKET", "-l", activator->address, getenv("ECHOD"), "-c",
	       activator->config, (char *)NULL);
}

/* At a port that is free, in a network of its own. */
static struct echod *spawn_activated(struct activator *activator, uint16_t *port)
{
	struct echod *echod;
	FILE *empty;
	int fd;

	if (!installed("systemd-socket-activate") || !own_network())
		skip("no systemd-socket-activate, or no network of our own here");
	fd = bound_socket("127.0.0.1", SOCK_STREAM);
	*port = port_bound_to(fd);
	close(fd);
	snprintf(activator->address, sizeof(activator->address), "127.0.0.1:%d", *port);
	activator->config = test_path("empty");
	empty = fopen(activator->config, "w");
	ck_assert_ptr_nonnull(empty);
	fclose(empty);
	echod = echod_spawn(ECHOD(.prepare = become_activator, .arg = activator));
	echod_wait_log(echod, "Listening on");
	return echod;
}

TEST(systemd_socket_activate_hands_over_tcp)
{
	struct activator activator = {.option = "--fdname=echo"};
	uint16_t port;
	struct echod *echod = spawn_activated(&activator, &port);

	expect_stream("127.0.0.1", port);
	echod_wait_log(echod, "listening on tcp 127.0.0.1:");
}

TEST(systemd_socket_activate_hands_over_udp)
{
	struct activator activator = {.option = "--datagram"};
	uint16_t port;
	int fd;

	spawn_activated(&activator, &port);
	fd = datagram_socket("127.0.0.1");
	expect_datagram_echo(fd, "127.0.0.1", port, "first", 5);
	expect_datagram_echo(fd, "127.0.0.1", port, "second", 6);
}
