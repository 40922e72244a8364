/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the kernel keeps about a datagram that nobody received, in words. */

#include "config.h"

#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "integration/net.h"
#include "probe/icmp_error.h"
#include "support/test.h"

#define SIZE 100

static unsigned char buffer[2000];

/* A socket connected to a port of HOST at which nothing listens. */
static int refused_socket(const char *host)
{
	struct address to = at(host, 0);
	int closed = socket(to.sa.sa_family, SOCK_DGRAM, 0);
	int fd = socket(to.sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(closed, &to.sa, to.length), 0);
	ck_assert_int_eq(getsockname(closed, &to.sa, &to.length), 0);
	ck_assert_int_eq(connect(fd, &to.sa, to.length), 0);
	close(closed);
	icmp_error_prepare(fd);
	return fd;
}

static void await_error(int fd)
{
	struct pollfd failed = {.fd = fd};

	ck_assert_int_eq(poll(&failed, 1, 10000), 1);
	ck_assert_int_ne(failed.revents & POLLERR, 0);
}

static const char *const hosts[] = {"127.0.0.1", "::1"};

TEST_EACH(a_refused_port_is_named_with_its_host, ARRAY_SIZE(hosts))
{
	struct icmp_error error;
	char text[64];
	int fd;

	if (_i == 1)
		need_ipv6();
	fd = refused_socket(hosts[_i]);
	ck_assert_int_lt(icmp_error_read(fd, buffer, sizeof(buffer), &error), 0);
	memset(buffer, 7, SIZE);
	ck_assert_int_eq(send(fd, buffer, SIZE, 0), SIZE);
	await_error(fd);
	memset(buffer, 0, SIZE);
	ck_assert_int_eq(icmp_error_read(fd, buffer, sizeof(buffer), &error), 0);
	snprintf(text, sizeof(text), "from %s: port unreachable", hosts[_i]);
	ck_assert_str_eq(error.text, text);
	ck_assert(error.remote);
	ck_assert(error.port_unreachable);
	ck_assert_uint_eq(error.quoted, SIZE);
	ck_assert_uint_eq(buffer[SIZE - 1], 7);
	ck_assert_uint_gt(error.from.length, 0);
	ck_assert_int_lt(icmp_error_read(fd, buffer, sizeof(buffer), &error), 0);
	close(fd);
}

/* Too large for the device: nobody else knows about it. */
TEST(an_error_of_our_own_kernel_is_not_remote)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_mtu = 1000};
	const int never = IP_PMTUDISC_DO;
	struct icmp_error error;
	int fd;

	need_own_network();
	fd = refused_socket("127.0.0.1");
	ck_assert_int_eq(ioctl(fd, SIOCSIFMTU, &loopback), 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never)), 0);
	ck_assert_int_lt(send(fd, buffer, 1400, 0), 0);
	await_error(fd);
	ck_assert_int_eq(icmp_error_read(fd, buffer, sizeof(buffer), &error), 0);
	ck_assert(!error.remote);
	ck_assert(!error.port_unreachable);
	close(fd);
}
