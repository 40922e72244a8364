/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Starting, and not starting: what is said then, the exit status, and that nothing is left behind.
 */

#include "config.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

/* Ends badly for its file, with one line about it. */
static void expect_bad_file(const char *config, const char *const *arguments, const char *what)
{
	expect_one_line(finished_with(config, arguments, BAD_FILE), what, "");
}

static void expect_bad_usage(const char *const *arguments, const char *what)
{
	struct echod *echod = finished_with(NULL, arguments, USAGE);
	const char *log = echod_log(echod);

	ck_assert_msg(strncmp(log, "echod: ", 7) == 0 && strstr(log, what) != NULL,
		      "not '%s', but: %s", what, log);
	ck_assert_ptr_nonnull(strstr(log, "usage: echod"));
	ck_assert_str_eq(echod_output(echod), "");
}

TEST(version_and_help_go_to_standard_output)
{
	struct echod *version = finished_with(NULL, ARGUMENTS("-V"), 0);
	struct echod *help = finished_with(NULL, ARGUMENTS("--help"), 0);

	ck_assert_str_eq(echod_output(version), "echod " PACKAGE_VERSION "\n");
	ck_assert_str_eq(echod_log(version), "");
	ck_assert_ptr_nonnull(strstr(echod_output(help), "--listen"));
	ck_assert_str_eq(echod_log(help), "");
}

TEST(bad_command_lines_are_refused_with_a_reason)
{
	expect_bad_usage(ARGUMENTS("--nonsense"), "--nonsense");
	expect_bad_usage(ARGUMENTS("-t", "-T"), "-t and -T");
	expect_bad_usage(ARGUMENTS("stray"), "'stray'");
	expect_bad_usage(ARGUMENTS("-c"), "-c");
	expect_bad_usage(ARGUMENTS("-l", "[fe80::1%nosuch0]:7"), "nosuch0");
}

static void pretend_activation(void *arg UNUSED)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
}

TEST(addresses_beside_handed_sockets_are_bad_usage)
{
	struct echod *echod = finished(
		ECHOD(.arguments = ARGUMENTS("-l", "127.0.0.1:0"), .prepare = pretend_activation),
		USAGE);

	ck_assert_ptr_nonnull(strstr(echod_log(echod), "LISTEN_FDS"));
}

TEST(what_is_no_good_file_is_refused)
{
	expect_bad_file(NULL, ARGUMENTS("-c", "@DIR@/none"), "/none: not found");
	expect_bad_file(NULL, ARGUMENTS("-t", "-c", "@DIR@/none"), "/none: not found");
	expect_bad_file("\177ELF\2\1\1\n", NULL, "echod.conf:1: ");
	expect_bad_file("[listener a]\naddress = [fe80::1%nosuch0]:7\n", NULL, "nosuch0");
}

/* Out of every set that a program started as root gets its capabilities from. */
static void lose_capability(void *arg)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	const int *capability = arg;
	uint32_t others = ~(UINT32_C(1) << *capability);

	if (geteuid() != 0)
		return;
	if (prctl(PR_CAPBSET_DROP, *capability) < 0 || syscall(SYS_capget, &header, sets) < 0)
		_exit(EXIT_FAILURE);
	sets[0].inheritable &= others;
	if (syscall(SYS_capset, &header, sets) < 0)
		_exit(EXIT_FAILURE);
}

static void make_unreadable(void *arg UNUSED)
{
	int capabilities[] = {CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH};
	char path[64] = "/proc/self/fd/2", directory[512] = {0}, *slash;

	/* The log stands in the directory of this echod. */
	if (readlink(path, directory, sizeof(directory) - 16) < 0)
		_exit(EXIT_FAILURE);
	slash = strrchr(directory, '/');
	memcpy(slash + 1, "echod.conf", sizeof("echod.conf"));
	if (chmod(directory, 0) < 0)
		_exit(EXIT_FAILURE);
	lose_capability(&capabilities[0]);
	lose_capability(&capabilities[1]);
}

TEST(a_file_that_may_not_be_read_is_refused)
{
	struct echod *echod = finished(ECHOD(.config = "", .prepare = make_unreadable), BAD_FILE);

	expect_one_line(echod, "echod.conf: cannot open: Permission denied", "able to read");
}

TEST(a_port_that_is_not_permitted_is_named)
{
	int capability = CAP_NET_BIND_SERVICE;
	struct echod *echod;

	if (system_number("/proc/sys/net/ipv4/ip_unprivileged_port_start", 1024) <= 7)
		skip("port 7 needs no permission here");
	echod = finished(ECHOD(.arguments = ARGUMENTS("-l", "127.0.0.1:7"),
			       .prepare = lose_capability, .arg = &capability),
			 NOT_PERMITTED);
	expect_one_line(echod, "tcp 127.0.0.1:7: ", "CAP_NET_BIND_SERVICE");
}

TEST(a_user_that_it_may_not_become_is_named)
{
	int capability = CAP_SETUID;
	struct echod *echod;

	if (geteuid() != 0)
		skip("only root can be refused to become somebody else");
	echod = finished(ECHOD(.config = "[server]\nuser = nobody\n[listener a]\naddress = "
					 "127.0.0.1:0 unix:@DIR@/s unixgram:@DIR@/d\n",
			       .prepare = lose_capability, .arg = &capability),
			 NOT_PERMITTED);
	expect_one_line(echod, "cannot become user \"nobody\"", "CAP_SETUID");
	ck_assert_int_ne(access(echod_path(echod, "s"), F_OK), 0);
	ck_assert_int_ne(access(echod_path(echod, "d"), F_OK), 0);
}

static void expect_in_use(const char *what, const char *host, uint16_t port)
{
	char address[64];
	struct echod *echod;

	snprintf(address, sizeof(address), "%s:%d", host, port);
	echod = finished_with(NULL, ARGUMENTS("-l", address), FAILURE);
	expect_one_line(echod, what, "another program has it");
	ck_assert_ptr_nonnull(strstr(echod_log(echod), "Address already in use"));
}

TEST_EACH(a_port_in_use_is_named, 2)
{
	static const char *const what[][2] = {
		{"cannot listen on tcp 127.0.0.1:", "cannot listen on tcp 0.0.0.0:"},
		{"cannot listen on udp 127.0.0.1:", "cannot listen on udp 0.0.0.0:"}};
	uint16_t port;

	/* Where that is possible: elsewhere some program may have the number for TCP. */
	(void)own_network();
	occupy(_i == 0 ? SOCK_STREAM : SOCK_DGRAM, &port);
	expect_in_use(what[_i][0], "127.0.0.1", port);
	expect_in_use(what[_i][1], "*", port);
}

TEST(a_second_daemon_cannot_share_the_address)
{
	struct echod *first = echod_start("[listener a]\naddress = 127.0.0.1:0\n");
	uint16_t port = echod_port(first, "tcp 127.0.0.1");
	int fd;

	expect_in_use("cannot listen on tcp 127.0.0.1:", "127.0.0.1", port);
	expect_in_use("cannot listen on tcp 0.0.0.0:", "", port);
	fd = connect_to("127.0.0.1", port);
	expect_echo(fd, "still", 5);
	close(fd);
	echod_stop(first);
}

TEST(a_connection_in_time_wait_is_nobody)
{
	char address[32];
	struct echod *first;
	uint16_t port;
	int fd;

	/* Where that is possible: elsewhere another program may take the number between the two. */
	(void)own_network();
	first = echod_start("[listener a]\naddress = 127.0.0.1:0\n");
	port = echod_port(first, "tcp 127.0.0.1");
	fd = connect_to("127.0.0.1", port);
	snprintf(address, sizeof(address), "127.0.0.1:%d", port);
	expect_echo(fd, "x", 1);
	echod_stop(first); /* closes first, so its side of the connection lingers */
	expect_end(fd);
	close(fd);
	echod_start_with(ECHOD(.arguments = ARGUMENTS("-l", address)));
}

TEST(an_address_of_no_interface_is_named)
{
	struct echod *echod = finished_with(NULL, ARGUMENTS("-l", "192.0.2.77:7007"), FAILURE);

	expect_one_line(echod, "tcp 192.0.2.77:7007: ", "no interface of this host");
}

/* As in a bare chroot; nothing else is opened for both. */
static void hide_dev_null(void)
{
	static const size_t flags = offsetof(struct seccomp_data, args[2]) +
				    (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, O_ACCMODE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, O_RDWR, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOENT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(rules), .filter = rules};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(EXIT_FAILURE);
}

static void close_standard_descriptors(void *arg)
{
	const bool *hide = arg;

	if (*hide)
		hide_dev_null();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
}

TEST_EACH(no_socket_becomes_a_standard_descriptor, 2)
{
	bool hide = _i == 1;
	struct echod *echod =
		echod_start_with(ECHOD(.config = "[listener a]\naddress = unix:@DIR@/s\n",
				       .prepare = close_standard_descriptors, .arg = &hide));

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		char path[64], what[64] = "";

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)echod_pid(echod), fd);
		ck_assert_int_gt(readlink(path, what, sizeof(what) - 1), 0);
		ck_assert_str_eq(what, hide ? "/" : "/dev/null");
	}
}
