/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The echo for programs on this host: stream and datagram sockets, and their files' life. */

#include "config.h"

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

#define UNIXGRAM_MOST 65535

static const char both[] = "[listener local]\n"
			   "address = unix:@DIR@/stream\n"
			   "address = unixgram:@DIR@/datagram\n";

static struct address stream_of(const struct echod *echod)
{
	return at(echod_path(echod, "stream"), 0);
}

static int connect_stream(const struct echod *echod)
{
	return connect_to(stream_of(echod).un.sun_path, 0);
}

/* A datagram socket with a name of its own in the directory of ECHOD. */
static int named_socket(const struct echod *echod, const char *name)
{
	int fd = datagram_socket(echod_path(echod, name)), room = 1024 * 1024;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	return fd;
}

static void expect_local_echo(const struct echod *echod, int fd, const void *data, size_t size)
{
	expect_datagram_echo(fd, echod_path(echod, "datagram"), 0, data, size);
}

TEST_CASE("bytes");

TEST(streams_and_datagrams_come_back)
{
	struct echod *echod = echod_start(both);
	int stream = connect_stream(echod), datagram = named_socket(echod, "me");
	static char data[512 * 1024];

	fill(data, sizeof(data), 1);
	pump(stream, stream, data, sizeof(data), sizeof(data));
	expect_local_echo(echod, datagram, "", 0);
	expect_local_echo(echod, datagram, data, 1);
	expect_local_echo(echod, datagram, data, UNIXGRAM_MOST);
	/* Streams count as tcp, datagrams as udp. */
	echod_wait_counter(echod, "tcp_accepted", 1);
	echod_wait_counter(echod, "sent_bytes_tcp", sizeof(data));
	echod_wait_counter(echod, "udp_echoed_datagrams", 3);
	echod_wait_counter(echod, "sent_bytes_udp", 1 + UNIXGRAM_MOST);
	close(stream);
	close(datagram);
}

TEST(an_urgent_byte_comes_back_in_its_place)
{
	struct echod *echod = echod_start(both);
	int fd = connect_stream(echod);

	send_all(fd, "ab", 2);
	if (send(fd, "U", 1, MSG_OOB) < 0 && errno == EOPNOTSUPP)
		skip("this kernel has no urgent bytes on UNIX sockets");
	send_all(fd, "cd", 2);
	expect_text(fd, "abUcd");
	close(fd);
}

TEST(a_sender_with_an_abstract_name_is_answered)
{
	struct echod *echod = echod_start(both);
	struct address to = at(echod_path(echod, "datagram"), 0);
	int fd = new_socket(&to, SOCK_DGRAM);

	/* Without a path the kernel chooses a name. */
	ck_assert_int_eq(bind(fd, &to.sa, sizeof(to.un.sun_family)), 0);
	expect_local_echo(echod, fd, "abstract", 8);
	close(fd);
}

TEST(a_sender_without_a_name_is_counted)
{
	struct echod *echod = echod_start(both);
	struct address to = at(echod_path(echod, "datagram"), 0);
	int fd = new_socket(&to, SOCK_DGRAM);

	send_datagram(fd, &to, "nobody", 6);
	echod_wait_counter(echod, "udp_received_datagrams", 1);
	echod_wait_counter(echod, "udp_dropped_datagrams_guard", 1);
	echod_wait_counter(echod, "received_bytes_udp", 6);
	close(fd);
}

TEST(a_datagram_too_long_is_dropped_and_counted)
{
	struct echod *echod = echod_start(both);
	struct address to = at(echod_path(echod, "datagram"), 0);
	int fd = named_socket(echod, "me");
	static char data[UNIXGRAM_MOST + 1];

	send_datagram(fd, &to, data, sizeof(data));
	echod_wait_counter(echod, "udp_received_datagrams", 1);
	echod_wait_counter(echod, "udp_dropped_datagrams_guard", 1);
	ck_assert(nothing_to_read(fd));
	expect_local_echo(echod, fd, data, UNIXGRAM_MOST);
	close(fd);
}

/* The queue of DEAF takes no more answers, yet those to OTHER in the same batch arrive. */
static void mix(struct echod *echod, int deaf, int other)
{
	struct address to = at(echod_path(echod, "datagram"), 0);
	static struct datagram came;

	echod_pause(echod);
	for (int i = 0; i < 3; i++) {
		send_datagram(deaf, &to, "deaf", 4);
		send_datagram(other, &to, &i, sizeof(i));
	}
	echod_signal(echod, SIGCONT);
	for (int i = 0; i < 3; i++) {
		receive_datagram(other, &came);
		ck_assert_mem_eq(came.data, &i, sizeof(i));
	}
}

TEST(a_sender_that_never_reads_delays_nobody)
{
	struct echod *echod = echod_start(both);
	struct address to = at(echod_path(echod, "datagram"), 0);
	int deaf = named_socket(echod, "deaf"), other = named_socket(echod, "other");
	uint64_t sent = 0;

	while (echod_counter(echod, "udp_dropped_datagrams_send") == 0) {
		send_datagram(deaf, &to, "x", 1);
		sent++;
		echod_wait_counter(echod, "udp_received_datagrams", sent);
	}
	mix(echod, deaf, other);
	WAIT_UNTIL(echod_counter(echod, "udp_echoed_datagrams") +
			   echod_counter(echod, "udp_dropped_datagrams_send") ==
		   sent + 6);
	close(deaf);
	close(other);
}

static void strict_umask(void *arg UNUSED)
{
	umask(077);
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	ck_assert_int_eq(lstat(path, &status), 0);
	ck_assert(S_ISSOCK(status.st_mode));
	return status.st_mode & 0777;
}

TEST_CASE("files");

TEST(everybody_may_connect_whatever_the_umask)
{
	struct echod_setup setup = {.config = both, .prepare = strict_umask};
	struct echod *echod = echod_start_with(&setup);

	ck_assert_int_eq(mode_of(echod_path(echod, "stream")), 0666);
	ck_assert_int_eq(mode_of(echod_path(echod, "datagram")), 0666);
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

/* A place of this test's own that outlives each echod. */
static const char *place(const char *name)
{
	static char paths[8][108];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", test_directory(), name);
	return path;
}

static const char *config_for(const char *stream, const char *datagram)
{
	static char text[512];

	snprintf(text, sizeof(text), "[listener local]\naddress = unix:%s\naddress = unixgram:%s\n",
		 stream, datagram);
	return text;
}

TEST(files_are_gone_after_the_stop)
{
	const char *stream = place("a"), *datagram = place("b");
	struct echod *echod = echod_start(config_for(stream, datagram));

	ck_assert(exists(stream) && exists(datagram));
	echod_stop(echod);
	ck_assert(!exists(stream) && !exists(datagram));
}

TEST(stale_files_are_replaced)
{
	const char *stream = place("a"), *datagram = place("b");
	struct echod *echod = echod_start(config_for(stream, datagram));
	int fd;

	/* As after a crash. */
	echod_signal(echod, SIGKILL);
	echod_wait(echod);
	echod_free(echod);
	ck_assert(exists(stream) && exists(datagram));
	echod = echod_start(config_for(stream, datagram));
	fd = connect_to(stream, 0);
	expect_echo(fd, "again", 5);
	close(fd);
	echod_stop(echod);
	ck_assert(!exists(stream) && !exists(datagram));
}

/* Starts an echod that must fail, and returns once it did. */
static void expect_refusal(const char *config, const char *why)
{
	struct echod_setup setup = {.config = config};
	struct echod *echod = echod_spawn(&setup);

	ck_assert_int_eq(echod_wait(echod), 1);
	ck_assert_uint_eq(echod_log_count(echod, why), 1);
	ck_assert_uint_eq(echod_log_count(echod, "listening on"), 0);
	echod_free(echod);
}

TEST(a_live_socket_is_not_taken_over)
{
	const char *stream = place("a"), *datagram = place("b");
	int fd, own;

	echod_start(config_for(stream, datagram));
	fd = connect_to(stream, 0);
	expect_refusal(config_for(stream, place("c")), stream);
	expect_refusal(config_for(place("c"), datagram), datagram);
	expect_echo(fd, "still there", 11);
	close(fd);
	fd = connect_to(stream, 0);
	expect_echo(fd, "and found", 9);
	close(fd);
	own = datagram_socket(place("me"));
	expect_datagram_echo(own, datagram, 0, "too", 3);
	close(own);
	/* What did open before the refusal is taken back. */
	ck_assert(!exists(place("c")));
}

TEST(a_file_that_is_no_socket_is_not_touched)
{
	const char *path = place("precious");
	FILE *file = fopen(path, "w");
	struct stat status;

	ck_assert_ptr_nonnull(file);
	fputs("data", file);
	fclose(file);
	expect_refusal(config_for(path, place("b")), path);
	expect_refusal(config_for(place("a"), path), path);
	ck_assert_int_eq(lstat(path, &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	ck_assert_int_eq((int)status.st_size, 4);
	ck_assert(!exists(place("a")));
	ck_assert(!exists(place("b")));
}

/* A successor may have put its own socket there by now. */
TEST(the_stop_leaves_a_file_that_is_not_its_own)
{
	struct echod *echod = echod_start(both);
	struct address address = stream_of(echod);
	int fd = new_socket(&address, SOCK_STREAM);

	ck_assert_int_eq(unlink(address.un.sun_path), 0);
	ck_assert_int_eq(bind(fd, &address.sa, address.length), 0);
	echod_signal(echod, SIGTERM);
	ck_assert_int_eq(echod_wait(echod), 0);
	ck_assert(exists(address.un.sun_path));
	ck_assert(!exists(echod_path(echod, "datagram")));
	close(fd);
	echod_free(echod);
}

TEST(a_reload_makes_a_deleted_file_again)
{
	struct echod *echod = echod_start(both);
	int fd = connect_stream(echod), own;

	expect_echo(fd, "before", 6);
	ck_assert_int_eq(unlink(echod_path(echod, "stream")), 0);
	ck_assert_int_eq(unlink(echod_path(echod, "datagram")), 0);
	echod_reload(echod, both);
	ck_assert_uint_eq(echod_log_count(echod, "opening it again"), 2);
	ck_assert_uint_eq(echod_log_count(echod, "listening on"), 4);
	ck_assert_uint_eq(echod_log_count(echod, "stopped serving"), 0);
	expect_echo(fd, "and after", 9);
	close(fd);
	fd = connect_stream(echod);
	expect_echo(fd, "new", 3);
	close(fd);
	own = named_socket(echod, "me");
	expect_local_echo(echod, own, "new", 3);
	close(own);
	echod_signal(echod, SIGTERM);
	ck_assert_int_eq(echod_wait(echod), 0);
	ck_assert(!exists(echod_path(echod, "stream")));
	ck_assert(!exists(echod_path(echod, "datagram")));
	echod_free(echod);
}
