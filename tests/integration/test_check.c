/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Checking a file (-t) and showing what it comes to (-T). What echod does when no file is named:
 * port 7, and the file at the default place once there is one; in a network and with files of its
 * own, as far as that is permitted.
 */

#include "config.h"

#include <sched.h>
#include <sys/mount.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

TEST(a_check_of_the_file_opens_no_socket)
{
	char config[128], ok[512];
	struct echod *echod;
	uint16_t port;
	int other = occupy(SOCK_STREAM, &port);

	snprintf(config, sizeof(config), "[listener a]\naddress = 127.0.0.1:%d unix:@DIR@/s\n",
		 port);
	echod = finished_with(config, ARGUMENTS("-t"), 0);
	snprintf(ok, sizeof(ok), "%s: ok\n", echod_path(echod, "echod.conf"));
	ck_assert_str_eq(echod_output(echod), ok);
	ck_assert_str_eq(echod_log(echod), "");
	ck_assert_int_ne(access(echod_path(echod, "s"), F_OK), 0);
	echod_free(echod);
	close(other);
}

TEST(a_check_prints_every_error_with_its_line)
{
	struct echod *echod = finished_with("[server]\nworkers = none\n\n[listener a]\n"
					    "address = nowhere:7\nudp_rate = -1\n",
					    ARGUMENTS("--test"), BAD_FILE);
	const char *log = echod_log(echod);

	ck_assert_uint_eq(lines(log), 3);
	ck_assert_ptr_nonnull(strstr(log, "echod.conf:2: workers: "));
	ck_assert_ptr_nonnull(strstr(log, "echod.conf:5: address: "));
	ck_assert_ptr_nonnull(strstr(log, "echod.conf:6: udp_rate: "));
	ck_assert_str_eq(echod_output(echod), "");
	echod_free(echod);
}

static void fill_the_disk(void *arg UNUSED)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	if (full < 0 || dup2(full, STDOUT_FILENO) < 0)
		_exit(FAILURE + USAGE);
}

TEST(what_cannot_be_written_is_no_success)
{
	static const char *const options[] = {"-t", "-T", "-V", "-h"};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct echod_setup setup = {
			.config = "", .arguments = ARGUMENTS(options[i]), .prepare = fill_the_disk};
		struct echod *echod = finished(&setup, FAILURE);

		expect_one_line(echod, "cannot write to standard output", "");
		echod_free(echod);
	}
}

static const char everything_set[] =
	"[server]\nworkers = 3\nlog_level = debug\nmax_clients = 77\ndrain_timeout = 1500ms\n"
	"busy_poll = 100us\nmetrics = 127.0.0.1:9107\n"
	"[defaults]\nallow = 192.0.2.0/24\nidle_timeout = 90\nprefix = a\\x20\\\\b\n"
	"[listener one]\naddress = *:7 [::1]:8\naddress = unix:/run/x\nprotocol = udp tcp\n"
	"deny = 192.0.2.1\ndeny = 2001:db8::/32\nmax_clients_per_ip = 4\nproxy_from = 10.0.0.5\n"
	"proxy_from = ::1\nstall_timeout = 0\n"
	"greeting = hi\\r\\n\nreply_once = ON\nudp_rate = 4294967295\nudp_guard = 0\n"
	"udp_ttl_guard = False\n"
	"[listener two]\naddress = localhost:9\nprotocol = udp\nallow = ::1\n";

static void expect_dump_to_read_back(const char *config, const char *const *expected)
{
	struct echod *first = finished_with(config, ARGUMENTS("-T"), 0);
	struct echod *second = finished_with(echod_output(first), ARGUMENTS("--dump"), 0);

	for (; *expected != NULL; expected++)
		ck_assert_msg(strstr(echod_output(first), *expected) != NULL, "no '%s' in %s",
			      *expected, echod_output(first));
	ck_assert_str_eq(echod_output(first), echod_output(second));
	ck_assert_str_eq(echod_log(second), "");
	echod_free(first);
	echod_free(second);
}

TEST(a_dump_shows_every_key_and_reads_back_the_same)
{
	expect_dump_to_read_back(
		everything_set,
		ARGUMENTS("workers = 3\n", "log_level = debug\n", "user", "max_clients = 77\n",
			  "drain_timeout = 1500ms\n", "busy_poll = 100us\n",
			  "metrics = 127.0.0.1:9107\n",
			  "[listener one]\naddress = *:7 [::1]:8 unix:/run/x\n",
			  "protocol = tcp udp\n", "allow = 192.0.2.0/24\n",
			  "deny = 192.0.2.1 2001:db8::/32\n", "max_clients_per_ip = 4\n",
			  "proxy_from = 10.0.0.5 ::1\n", "idle_timeout = 90s\n",
			  "stall_timeout = 0\n", "greeting = hi\\r\\n\n", "prefix = a",
			  "reply_once = yes\n", "udp_rate = 4294967295\n", "udp_guard = no\n",
			  "udp_ttl_guard = no\n", "[listener two]\n"));
}

TEST(an_empty_file_means_the_defaults)
{
	expect_dump_to_read_back("", ARGUMENTS("workers = auto\n", "max_clients = auto\n",
					       "[listener echo]\naddress = *:7\n",
					       "protocol = tcp udp\n", "idle_timeout = 1h\n",
					       "stall_timeout = 2m\n", "udp_rate = 1000\n"));
}

static const char default_file[] = SYSCONFDIR "/echod.conf";

/*
 * An empty directory in place of the one with the default file, for this process and its children.
 */
static void begin_with_nothing(void)
{
	if (geteuid() != 0 || !own_network() || unshare(CLONE_NEWNS) < 0)
		skip("this takes root, and a network and files of its own");
	if (access(SYSCONFDIR, F_OK) < 0)
		skip("there is no " SYSCONFDIR);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("echod-test", SYSCONFDIR, "tmpfs", 0, NULL) < 0)
		skip("mount: %s", strerror(errno));
}

static void write_default_file(const char *text)
{
	FILE *file = fopen(default_file, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static void reload(struct echod *echod)
{
	size_t ready = echod_notified_count(echod, "READY=1");

	echod_signal(echod, SIGHUP);
	WAIT_UNTIL(echod_notified_count(echod, "READY=1") > ready);
}

static void expect_echo_at(const char *host, uint16_t port)
{
	int stream = connect_to(host, port), datagrams = datagram_socket(host);

	expect_echo(stream, "x", 1);
	expect_datagram_echo(datagrams, host, port, "x", 1);
	close(stream);
	close(datagrams);
}

TEST(without_a_file_port_7_is_served)
{
	struct echod_setup setup = {.config = NULL};

	begin_with_nothing();
	echod_start_with(&setup);
	expect_echo_at("127.0.0.1", 7);
	expect_echo_at("127.0.0.5", 7);
	if (has_ipv6())
		expect_echo_at("::1", 7);
}

TEST(a_file_that_comes_is_read_and_then_must_stay)
{
	struct echod_setup setup = {.config = NULL};
	struct echod *echod;

	begin_with_nothing();
	echod = echod_start_with(&setup);
	reload(echod);
	expect_echo_at("127.0.0.1", 7);
	write_default_file("[listener a]\naddress = 127.0.0.2:8\n");
	reload(echod);
	expect_echo_at("127.0.0.2", 8);
	ck_assert_int_lt(try_connect("127.0.0.1", 7), 0);
	ck_assert_int_eq(unlink(default_file), 0);
	reload(echod);
	ck_assert_uint_eq(echod_log_count(echod, "reload failed"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "not found: create it"), 1);
	expect_echo_at("127.0.0.2", 8);
}

TEST(a_bad_file_at_the_default_place_is_refused)
{
	struct echod_setup setup = {.config = NULL};
	struct echod *echod;

	begin_with_nothing();
	write_default_file("[listener]\n");
	echod = echod_spawn(&setup);
	ck_assert_int_eq(echod_wait(echod), 6);
	ck_assert_uint_eq(echod_log_count(echod, "echod.conf:1: a listener needs a name"), 1);
	echod_free(echod);
}
