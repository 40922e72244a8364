/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The settings of streams and of the server as a whole: each one does what it says. */

#include "config.h"

#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/cpu_quota.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"
#include "integration/showing.h"

/* Everybody has left, so that limits count from 0 again. */
static void close_all(struct echod *echod, const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
	WAIT_UNTIL(echod_counter(echod, "tcp_connections") == 0);
}

static void check_max_clients(struct echod *echod, bool set)
{
	uint64_t rejected = echod_counter(echod, "tcp_rejected_max_clients");
	int fds[3];

	for (size_t i = 0; i < 3; i++) {
		fds[i] = connect_to("127.0.0.1", port_of(echod));
		if (set && i == 2)
			expect_gone(fds[i]);
		else
			expect_echo(fds[i], "in", 2);
	}
	ck_assert_uint_eq(echod_counter(echod, "tcp_rejected_max_clients") - rejected, set);
	if (set)
		ck_assert_uint_eq(echod_counter(echod, "tcp_connections_max"), 2);
	else
		ck_assert_uint_gt(echod_counter(echod, "tcp_connections_max"), 2);
	close_all(echod, fds, 3);
}

static void check_log_level(struct echod *echod, bool set)
{
	size_t opened = echod_log_count(echod, " on a opened");
	size_t closed = echod_log_count(echod, " on a closed: client, 2 bytes received, 2 sent");
	int fd = connect_to("127.0.0.1", port_of(echod));

	expect_echo(fd, "in", 2);
	close_all(echod, &fd, 1);
	ck_assert_uint_eq(echod_log_count(echod, " on a opened") - opened, set);
	WAIT_UNTIL(echod_log_count(echod, " on a closed: client, 2 bytes received, 2 sent") ==
		   closed + set);
}

TEST(log_level_error_logs_nothing_in_a_good_life)
{
	/* Each of these has something to say at another level. */
	const char *config = geteuid() == 0 ? "[server]\nlog_level = error\nmax_clients = 1048576\n"
					      "[listener a]\naddress = 127.0.0.1:0\n"
					    : "[server]\nlog_level = error\nuser = root\n"
					      "[listener a]\naddress = 127.0.0.1:0\n";
	struct echod *echod = echod_start(config);

	echod_end(echod);
	ck_assert_str_eq(echod_log(echod), "");
}

TEST(option_v_goes_before_log_level)
{
	struct echod *echod = echod_start_with(
		ECHOD(.config =
			      "[server]\nlog_level = error\n[listener a]\naddress = 127.0.0.1:0\n",
		      .arguments = ARGUMENTS("-v")));

	check_log_level(echod, true);
}

TEST(workers_is_the_number_of_threads)
{
	struct echod *three = echod_start("[server]\nworkers = 3\n"
					  "[listener a]\naddress = 127.0.0.1:0\n");
	struct echod *as_cpus = echod_start("[listener a]\naddress = 127.0.0.1:0\n");
	uint64_t quota = cpu_quota(CPU_QUOTA_GROUPS, CPU_QUOTA_ROOT), expected;
	cpu_set_t cpus;
	pid_t one;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	expected = (uint64_t)CPU_COUNT(&cpus);
	if (quota > 0 && quota < expected)
		expected = quota;
	WAIT_UNTIL(echod_workers(three, &one) == 3);
	WAIT_UNTIL(echod_workers(as_cpus, &one) == expected);
}

#define LOOPBACK "[listener a]\naddress = 127.0.0.1:0\n"

static void write_quota(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

/* Control groups of our own, whichever version this host has: half a CPU. */
static bool pretend_quota(void)
{
	if (!own_network() || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/sys/fs/cgroup", "tmpfs", 0, NULL) < 0)
		return false;
	write_quota("/sys/fs/cgroup/cpu.max", "50000 100000\n");
	ck_assert_int_eq(mkdir("/sys/fs/cgroup/cpu", 0755), 0);
	write_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
	write_quota("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	return true;
}

TEST_EACH(a_cpu_quota_limits_the_workers_that_nobody_asked_for, 2)
{
	bool asked = _i == 1;
	struct echod *echod;
	cpu_set_t cpus;
	pid_t one;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	if (CPU_COUNT(&cpus) < 2 || !pretend_quota())
		skip("one CPU, or may not mount control groups of its own");
	echod = echod_start(asked ? "[server]\nworkers = 2\n" LOOPBACK : LOOPBACK);
	ck_assert_uint_eq(echod_log_count(echod, ": 1 worker for "), !asked);
	WAIT_UNTIL(echod_workers(echod, &one) == (asked ? 2 : 1));
}

static void expect_status(const struct echod *echod, const char *name, const char *value)
{
	ck_assert_str_eq(process_status(echod_pid(echod), name), value);
}

static void expect_ids(const struct echod *echod, const char *name, unsigned id)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\t%u\t%u\t%u\t%u\n", id, id, id, id);
	expect_status(echod, name, wanted);
}

TEST(user_gives_up_root_and_all_that_belongs_to_it)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct echod *echod;
	const char *groups;

	if (geteuid() != 0 || nobody == NULL)
		skip("this takes root, and a user nobody");
	echod = echod_start("[server]\nuser = nobody\n[listener a]\naddress = 127.0.0.1:0\n");
	expect_ids(echod, "Uid:", nobody->pw_uid);
	expect_ids(echod, "Gid:", nobody->pw_gid);
	groups = process_status(echod_pid(echod), "Groups:");
	ck_assert_uint_eq(strspn(groups, "\t \n"), strlen(groups));
	expect_status(echod, "CapPrm:", "\t0000000000000000\n");
	expect_status(echod, "CapEff:", "\t0000000000000000\n");
	expect_status(echod, "NoNewPrivs:", "\t1\n");
	expect_stream("127.0.0.1", port_of(echod));
}

static void check_per_ip(struct echod *echod, bool set)
{
	uint64_t rejected = echod_counter(echod, "tcp_rejected_per_ip");
	int fds[3] = {connect_to("127.0.0.1", port_of(echod))};

	expect_echo(fds[0], "in", 2);
	fds[1] = connect_to("127.0.0.1", port_of(echod));
	if (set)
		expect_gone(fds[1]);
	else
		expect_echo(fds[1], "in", 2);
	fds[2] = connect_from("127.0.0.2", "127.0.0.1", port_of(echod));
	expect_echo(fds[2], "in", 2);
	ck_assert_uint_eq(echod_counter(echod, "tcp_rejected_per_ip") - rejected, set);
	close_all(echod, fds, 3);
}

static void expect_in_time(int64_t took, int64_t timeout)
{
	ck_assert_int_ge(took, timeout - 10);
	ck_assert_int_le(took, timeout + patience_ms() / 4); /* also where a machine stalls */
}

static void check_idle(struct echod *echod, bool set)
{
	uint64_t closed = echod_counter(echod, "tcp_closed_idle");
	int64_t since = now_ms();
	int fd = connect_to("127.0.0.1", port_of(echod));

	if (set) {
		expect_end(fd);
		expect_in_time(now_ms() - since, 200);
		expect_counted(echod, "tcp_closed_idle", closed, 1);
	} else { /* one that is to be closed sends nothing before: it might be too late */
		expect_echo(fd, "x", 1);
	}
	close(fd);
}

/* Reads a byte now and then, sends whatever can be sent; false when the connection is gone. */
static bool drip(int fd)
{
	static char data[65536];
	char byte;

	while (send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
	return recv(fd, &byte, 1, MSG_DONTWAIT) > 0;
}

static void check_stall(struct echod *echod, bool set)
{
	uint64_t closed = echod_counter(echod, "tcp_closed_stall");
	int64_t since = now_ms();
	int fd = connect_to("127.0.0.1", port_of(echod));

	if (set) {
		WAIT_UNTIL((drip(fd), echod_counter(echod, "tcp_closed_stall") == closed + 1));
		ck_assert_int_ge(now_ms() - since, 290);
		expect_gone(fd);
	}
	close(fd);
}

static void check_greeting(struct echod *echod, bool set)
{
	int fd = connect_to("127.0.0.1", port_of(echod));

	if (set) {
		char came[5];

		recv_exact(fd, came, sizeof(came));
		ck_assert_mem_eq(came, "h\0i\r\n", sizeof(came));
	}
	expect_echo(fd, "x", 1);
	ck_assert(nothing_to_read(fd));
	close(fd);
}

static void check_prefix(struct echod *echod, bool set)
{
	int fd = connect_to("127.0.0.1", port_of(echod));

	send_all(fd, "one", 3);
	expect_text(fd, set ? "Received: one" : "one");
	send_all(fd, "two", 3);
	expect_text(fd, set ? "Received: two" : "two");
	shutdown(fd, SHUT_WR);
	expect_end(fd);
	close(fd);
}

static void check_reply_once(struct echod *echod, bool set)
{
	uint64_t replied = echod_counter(echod, "tcp_closed_replied");
	int fd = connect_to("127.0.0.1", port_of(echod));

	expect_echo(fd, "once", 4);
	if (set) {
		expect_end(fd);
		close(fd);
		expect_counted(echod, "tcp_closed_replied", replied, 1);
	} else {
		expect_echo(fd, "twice", 5);
		close(fd);
	}
}

static const struct shown_setting shown[] = {
	{"max_clients = 2", check_max_clients, .server = true},
	{"log_level = info", check_log_level, .server = true},
	{"max_clients_per_ip = 1", .check = check_per_ip},
	{"idle_timeout = 200ms", .check = check_idle},
	{"stall_timeout = 300ms", .check = check_stall},
	{"greeting = h\\x00i\\r\\n", .check = check_greeting},
	{"prefix = Received:\\x20", .check = check_prefix},
	{"reply_once = yes", .check = check_reply_once},
};

TEST_EACH(each_setting_takes_effect_at_start_and_on_reload, ARRAY_SIZE(shown))
{
	show_setting(&shown[_i]);
}
