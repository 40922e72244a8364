/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sockets handed over as a service manager does: each case runs in a child that has only the
 * descriptors it is handed, at 3 and above, and the variables that name them.
 */

#include "config.h"

#include <sys/syscall.h>
#include <sys/un.h>

#include "daemon/activation.h"
#include "support/test.h"

/* What a child saw, sent through a pipe. */
struct outcome {
	int status;
	size_t count;
	struct handed_socket sockets[4];
	int descriptor_flags[4];
	int status_flags[4];
	bool present;
	bool variables_gone;
	bool still_open[4];
	struct reason reason;
};

struct handover {
	int fds[4]; /* become 3, 4 ... ; -1 leaves a gap */
	size_t count;
	const char *pid;       /* NULL: the child's own */
	const char *announced; /* LISTEN_FDS; NULL: COUNT */
	const char *names;     /* NULL: not set */
};

static void set_variables(const struct handover *handover)
{
	char pid[16];
	char announced[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(announced, sizeof(announced), "%zu", handover->count);
	setenv("LISTEN_PID", handover->pid ? handover->pid : pid, 1);
	setenv("LISTEN_FDS", handover->announced ? handover->announced : announced, 1);
	if (handover->names)
		setenv("LISTEN_FDNAMES", handover->names, 1);
}

static void take(struct outcome *outcome)
{
	struct handed_socket *sockets;

	outcome->present = activation_present();
	outcome->status = activation_take(&sockets, &outcome->count, &outcome->reason);
	for (size_t i = 0; i < outcome->count; i++) {
		outcome->sockets[i] = sockets[i];
		outcome->descriptor_flags[i] = fcntl(sockets[i].fd, F_GETFD);
		outcome->status_flags[i] = fcntl(sockets[i].fd, F_GETFL);
	}
	for (int i = 0; i < 4; i++)
		outcome->still_open[i] = fcntl(3 + i, F_GETFD) >= 0;
	outcome->variables_gone =
		!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES");
	free(sockets);
}

/* In the child: moves everything out of the way of 3 and up, then hands over. */
static void be_activated(const struct handover *handover, int report, struct outcome *outcome)
{
	int high[4];

	report = fcntl(report, F_DUPFD, 100);
	for (size_t i = 0; i < handover->count; i++)
		high[i] = handover->fds[i] < 0 ? -1 : fcntl(handover->fds[i], F_DUPFD, 100);
	syscall(SYS_close_range, 3U, 99U, 0U);
	for (size_t i = 0; i < handover->count; i++) {
		if (high[i] >= 0)
			dup2(high[i], 3 + (int)i);
	}
	syscall(SYS_close_range, 101U, ~0U, 0U);
	set_variables(handover);
	take(outcome);
	exit(write(report, outcome, sizeof(*outcome)) != sizeof(*outcome));
}

static struct outcome hand_over(const struct handover *handover)
{
	struct outcome outcome = {0};
	int status;
	int ends[2];
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		be_activated(handover, ends[1], &outcome);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child failed");
	ck_assert_int_eq((int)read(ends[0], &outcome, sizeof(outcome)), (int)sizeof(outcome));
	return outcome;
}

static int socket_on(int family, int type)
{
	struct sockaddr_storage any = {.ss_family = (sa_family_t)family};
	socklen_t length =
		family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	int fd = socket(family, type, 0);

	ck_assert_int_ge(fd, 0);
	if (family == AF_UNIX)
		length = sizeof(sa_family_t);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, length), 0);
	return fd;
}

static int table(int family)
{
	int fd = socket_on(family, SOCK_STREAM);

	ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

TEST(streams_and_datagrams_of_every_family_are_taken)
{
	struct handover handover = {
		.fds = {table(AF_INET), socket_on(AF_INET, SOCK_DGRAM), table(AF_UNIX),
			socket_on(AF_UNIX, SOCK_DGRAM)},
		.count = 4,
		.names = "echo:echo:local:other.name-1",
	};
	struct outcome outcome = hand_over(&handover);

	ck_assert_msg(outcome.status == 0, "%s", outcome.reason.text);
	ck_assert(outcome.present);
	ck_assert_uint_eq(outcome.count, 4);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(outcome.sockets[i].fd, 3 + i);
		ck_assert_int_eq(outcome.sockets[i].kind, i % 2 ? HANDED_DATAGRAM : HANDED_STREAM);
		ck_assert_int_eq(outcome.sockets[i].address.sa.sa_family,
				 i < 2 ? AF_INET : AF_UNIX);
		ck_assert_int_eq(outcome.descriptor_flags[i], FD_CLOEXEC);
		ck_assert(outcome.status_flags[i] & O_NONBLOCK);
	}
	ck_assert_str_eq(outcome.sockets[0].name, "echo");
	ck_assert_str_eq(outcome.sockets[2].name, "local");
	ck_assert_str_eq(outcome.sockets[3].name, "other.name-1");
	ck_assert_uint_ne(address_port(&outcome.sockets[0].address), 0);
	ck_assert(outcome.variables_gone);
}

TEST(an_ipv6_socket_is_taken)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct handover handover = {.fds = {fd}, .count = 1};
	struct outcome outcome;

	if (fd < 0)
		skip("this host has no IPv6");
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	outcome = hand_over(&handover);
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_int_eq(outcome.sockets[0].address.sa.sa_family, AF_INET6);
}

TEST(sockets_that_share_their_address_are_told_apart)
{
	struct handover handover = {
		.fds = {socket_on(AF_INET, SOCK_DGRAM), socket_on(AF_INET, SOCK_DGRAM)},
		.count = 2};
	struct outcome outcome;
	int yes = 1;

	ck_assert_int_eq(setsockopt(handover.fds[1], SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)),
			 0);
	outcome = hand_over(&handover);
	ck_assert(!outcome.sockets[0].shares_address);
	ck_assert(outcome.sockets[1].shares_address);
}

TEST(sockets_without_a_name_are_unknown)
{
	struct handover handover = {.fds = {table(AF_INET), table(AF_INET)}, .count = 2};

	ck_assert_str_eq(hand_over(&handover).sockets[1].name, "unknown");
	handover.names = "one";
	ck_assert_str_eq(hand_over(&handover).sockets[0].name, "one");
	ck_assert_str_eq(hand_over(&handover).sockets[1].name, "unknown");
	handover.names = ":two";
	ck_assert_str_eq(hand_over(&handover).sockets[0].name, "unknown");
	ck_assert_str_eq(hand_over(&handover).sockets[1].name, "two");
}

TEST(a_name_longer_than_any_is_cut)
{
	char names[600];
	struct handover handover = {.fds = {table(AF_INET)}, .count = 1, .names = names};

	memset(names, 'n', sizeof(names) - 1);
	names[sizeof(names) - 1] = '\0';
	ck_assert_uint_eq(strlen(hand_over(&handover).sockets[0].name), HANDED_NAME_MAX);
}

static const char *const others[] = {"1", "", "x", "-1", "99999999999"};

TEST_EACH(sockets_meant_for_another_process_are_not_ours, ARRAY_SIZE(others))
{
	struct handover handover = {.fds = {table(AF_INET)}, .count = 1};
	struct outcome outcome;

	handover.pid = others[_i];
	outcome = hand_over(&handover);
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_uint_eq(outcome.count, 0);
	ck_assert(!outcome.present);
	ck_assert(outcome.variables_gone);
	ck_assert(outcome.still_open[0]);
}

TEST(no_sockets_is_no_activation)
{
	struct handover handover = {.announced = "0"};
	struct outcome outcome = hand_over(&handover);

	ck_assert_int_eq(outcome.status, 0);
	ck_assert(!outcome.present);
	ck_assert_uint_eq(outcome.count, 0);
}

static const char *const bad[] = {"", "x", "1x", " 1", "+1", "-1", "1025", "4294967297"};

TEST_EACH(a_number_that_is_none_is_refused, ARRAY_SIZE(bad))
{
	struct handover handover = {.fds = {table(AF_INET)}, .count = 1};
	struct outcome outcome;

	handover.announced = bad[_i];
	outcome = hand_over(&handover);
	ck_assert_msg(outcome.status == -1, "\"%s\" was taken", bad[_i]);
	ck_assert_uint_eq(outcome.count, 0);
	ck_assert_ptr_nonnull(strstr(outcome.reason.text, "LISTEN_FDS: "));
	ck_assert(outcome.variables_gone);
}

/* FD comes second, after a good one; the message names it, what it is, and what is accepted. */
static void assert_refused(int fd, const char *why)
{
	struct handover handover = {.fds = {table(AF_INET), fd}, .count = 2, .names = "good:odd"};
	struct outcome outcome = hand_over(&handover);
	char start[128];

	snprintf(start, sizeof(start), "handed descriptor 4 (\"odd\") %s", why);
	ck_assert_int_eq(outcome.status, -1);
	ck_assert_uint_eq(outcome.count, 0);
	ck_assert_msg(strncmp(outcome.reason.text, start, strlen(start)) == 0, "%s",
		      outcome.reason.text);
	ck_assert_ptr_nonnull(strstr(outcome.reason.text, "echod takes listening stream sockets"));
	ck_assert(!outcome.still_open[0] && !outcome.still_open[1]);
}

TEST(a_descriptor_of_a_wrong_kind_is_refused_by_name)
{
	int pair[2], udp = socket_on(AF_INET, SOCK_DGRAM);
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(9)};

	assert_refused(-1, "is not open");
	assert_refused(open("/dev/null", O_RDWR), "is not a socket");
	assert_refused(socket_on(AF_INET, SOCK_STREAM), "is a stream socket that does not listen");
	assert_refused(socket_on(AF_UNIX, SOCK_SEQPACKET), "is a socket of another type");
	assert_refused(socket(AF_NETLINK, SOCK_DGRAM, 0), "is a socket of another family");
	assert_refused(socket(AF_INET, SOCK_DGRAM, 0), "is not bound to an address");
	assert_refused(socket(AF_UNIX, SOCK_DGRAM, 0), "is not bound to an address");
	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(udp, (struct sockaddr *)&peer, sizeof(peer)), 0);
	assert_refused(udp, "is a connected socket");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_refused(pair[0], "is a stream socket that does not listen");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_refused(pair[0], "is a connected socket");
}

TEST(an_unbound_ipv6_socket_is_refused)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0)
		skip("this host has no IPv6");
	assert_refused(fd, "is not bound to an address");
}

TEST(without_variables_nothing_is_taken)
{
	struct handed_socket *sockets;
	struct reason reason;
	size_t count;

	ck_assert(!activation_present());
	ck_assert_int_eq(activation_take(&sockets, &count, &reason), 0);
	ck_assert_ptr_null(sockets);
	ck_assert_uint_eq(count, 0);
}
