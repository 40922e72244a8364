/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Sockets that a service manager hands over: served as they are, refused by name, left as found. */

#include "config.h"

#include <sys/resource.h>

#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

static void expect_stream_echo(const char *host, uint16_t port)
{
	int fd = connect_to(host, port);

	expect_echo(fd, "handed over", 11);
	close(fd);
}

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
	expect_stream_echo("127.0.0.1", tcp);
	expect_datagram_echo(fd, "127.0.0.1", udp, "handed over", 11);
	close(fd);
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
	expect_stream_echo("127.0.0.1", port_bound_to(handover.fds[0]));
	expect_stream_echo("::1", port_bound_to(handover.fds[0]));
}

/* It has what its socket had before anybody set anything on that. */
TEST(the_connection_that_waited_loses_no_urgent_byte)
{
	struct handover handover = {.fds = {listening_socket("127.0.0.1")}, .count = 1};
	int fd = connect_to("127.0.0.1", port_bound_to(handover.fds[0]));

	send_all(fd, "ab", 2);
	ck_assert_int_eq(send(fd, "U", 1, MSG_OOB), 1);
	send_all(fd, "cd", 2);
	start_with(&handover, "");
	expect_text(fd, "abUcd");
	close(fd);
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
	expect_stream_echo("127.0.0.1", address_port(&own));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	ck_assert_int_eq(connect(fd, &own.sa, own.length), 0);
	expect_echo(fd, "many paths", 10);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	expect_end(fd);
	close(fd);
}

TEST(handed_unix_sockets_keep_their_files)
{
	char stream[108], datagram[108], own[108];
	struct handover handover = {.count = 2};
	struct echod *echod;
	int fd;

	snprintf(stream, sizeof(stream), "%s/stream", test_directory());
	snprintf(datagram, sizeof(datagram), "%s/datagram", test_directory());
	snprintf(own, sizeof(own), "%s/own", test_directory());
	handover.fds[0] = listening_socket(stream);
	handover.fds[1] = bound_socket(datagram, SOCK_DGRAM);
	echod = start_with(&handover, "");
	expect_stream_echo(stream, 0);
	fd = datagram_socket(own);
	expect_datagram_echo(fd, datagram, 0, "handed over", 11);
	close(fd);
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
	struct echod *echod = start_with(&handover, "[defaults]\ngreeting = default\n"
						    "[listener first]\naddress = 127.0.0.1:0\n"
						    "greeting = first\n"
						    "[listener second]\naddress = 127.0.0.2:0\n"
						    "greeting = second\n");
	static const char *const greetings[] = {"second", "default", "first"};
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(greetings); i++) {
		fd = connect_to("127.0.0.1", port_bound_to(handover.fds[i]));
		expect_text(fd, greetings[i]);
		expect_echo(fd, "echo", 4);
		close(fd);
	}
	echod_stop(echod);
}

TEST(settings_by_name_follow_a_reload)
{
	struct handover handover = {
		.fds = {listening_socket("127.0.0.1")}, .count = 1, .names = "named"};
	struct echod *echod = start_with(&handover, "[listener named]\naddress = *:0\n");
	int fd;

	expect_stream_echo("127.0.0.1", port_bound_to(handover.fds[0]));
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

	expect_stream_echo("127.0.0.2", echod_port(echod, "tcp 127.0.0.2"));
	ck_assert_uint_eq(echod_port(echod, "tcp 127.0.0.1"), 0);
}

static void expect_refusal(int fd, const char *why)
{
	struct handover handover = {
		.fds = {listening_socket("127.0.0.1"), fd}, .count = 2, .names = "good:strange"};
	struct echod_setup setup = {.config = "", .prepare = hand_over, .arg = &handover};
	struct echod *echod = echod_spawn(&setup);
	char start[128];

	ck_assert_int_eq(echod_wait(echod), 1);
	snprintf(start, sizeof(start), "handed descriptor 4 (\"strange\") %s", why);
	ck_assert_msg(echod_log_count(echod, start) == 1, "not logged: %s", start);
	ck_assert_uint_eq(echod_log_count(echod, "listening on"), 0);
	echod_free(echod);
	close(handover.fds[0]);
}

TEST_CASE("refused");

TEST(what_cannot_be_served_is_refused_by_name)
{
	int ends[2], server = listening_socket("127.0.0.1");
	struct address to = at("127.0.0.1", port_bound_to(server));
	int datagram = bound_socket("127.0.0.1", SOCK_DGRAM);

	ck_assert_int_eq(pipe(ends), 0);
	expect_refusal(ends[0], "is not a socket");
	expect_refusal(bound_socket("127.0.0.1", SOCK_STREAM),
		       "is a stream socket that does not listen");
	expect_refusal(connect_to("127.0.0.1", port_bound_to(server)),
		       "is a stream socket that does not listen");
	ck_assert_int_eq(connect(datagram, &to.sa, to.length), 0);
	expect_refusal(datagram, "is a connected socket");
	expect_refusal(socket(AF_UNIX, SOCK_SEQPACKET, 0), "is a socket of another type");
	expect_refusal(socket(AF_NETLINK, SOCK_RAW, 0), "is a socket of another family");
}

TEST(addresses_on_the_command_line_are_bad_usage)
{
	static const char *const arguments[] = {"-l", "127.0.0.1:0", NULL};
	struct handover handover = {.fds = {listening_socket("127.0.0.1")}, .count = 1};
	struct echod_setup setup = {
		.config = "", .arguments = arguments, .prepare = hand_over, .arg = &handover};
	struct echod *echod = echod_spawn(&setup);

	ck_assert_int_eq(echod_wait(echod), 2);
	ck_assert_uint_eq(echod_log_count(echod, "LISTEN_FDS"), 1);
	echod_free(echod);
}

#define QUEUED 8
#define TRIES 5

/* So many attempts to accept in vain that it is some time until the next one. */
#define ATTEMPTS 3

static void limit_descriptors(struct echod *echod, rlim_t count)
{
	struct rlimit limit;

	ck_assert_int_eq(prlimit(echod_pid(echod), RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = count < limit.rlim_max ? count : limit.rlim_max;
	ck_assert_int_eq(prlimit(echod_pid(echod), RLIMIT_NOFILE, &limit, NULL), 0);
}

/*
 * Clients that no descriptor is left for wait in the queue, and shall stay there over the stop,
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
	char config[108];
};

/* Runs in the child: becomes systemd-socket-activate, which becomes echod at the first message. */
static void become_activator(void *arg)
{
	const struct activator *activator = arg;

	execlp("systemd-socket-activate", "systemd-socket-activate", activator->option,
	       "--setenv=NOTIFY_SOCKET", "-l", activator->address, getenv("ECHOD"), "-c",
	       activator->config, (char *)NULL);
}

/* A port for others to bind to, in a network that is ours. */
static uint16_t free_port(void)
{
	int fd = bound_socket("127.0.0.1", SOCK_STREAM);
	uint16_t port = port_bound_to(fd);

	close(fd);
	return port;
}

static struct echod *spawn_activated(struct activator *activator, uint16_t port)
{
	struct echod_setup setup = {.prepare = become_activator, .arg = activator};
	struct echod *echod;
	FILE *empty;

	snprintf(activator->address, sizeof(activator->address), "127.0.0.1:%d", port);
	snprintf(activator->config, sizeof(activator->config), "%s/empty", test_directory());
	empty = fopen(activator->config, "w");
	ck_assert_ptr_nonnull(empty);
	fclose(empty);
	echod = echod_spawn(&setup);
	echod_wait_log(echod, "Listening on");
	return echod;
}

TEST(systemd_socket_activate_hands_over_tcp)
{
	struct activator activator = {.option = "--fdname=echo"};
	struct echod *echod;
	uint16_t port;

	if (!installed("systemd-socket-activate") || !own_network())
		skip("no systemd-socket-activate, or no network of our own here");
	port = free_port();
	echod = spawn_activated(&activator, port);
	expect_stream_echo("127.0.0.1", port);
	echod_wait_log(echod, "listening on tcp 127.0.0.1:");
}

TEST(systemd_socket_activate_hands_over_udp)
{
	struct activator activator = {.option = "--datagram"};
	uint16_t port;
	int fd;

	if (!installed("systemd-socket-activate") || !own_network())
		skip("no systemd-socket-activate, or no network of our own here");
	port = free_port();
	spawn_activated(&activator, port);
	fd = datagram_socket("127.0.0.1");
	expect_datagram_echo(fd, "127.0.0.1", port, "first", 5);
	expect_datagram_echo(fd, "127.0.0.1", port, "second", 6);
	close(fd);
}
