/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the kernel keeps about a datagram that nobody received, in words. */

#include "config.h"

#include <time.h>
/* which this one needs: */
#include <linux/errqueue.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "base/ancillary.h"
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

struct report {
	uint8_t origin, type, code;
	int error;
	uint32_t info;
	const char *text;
};

#define V4 SO_EE_ORIGIN_ICMP
#define V6 SO_EE_ORIGIN_ICMP6

static const struct report reports[] = {
	{V4, 3, 0, EHOSTUNREACH, 0, "network unreachable"},
	{V4, 3, 1, EHOSTUNREACH, 0, "host unreachable"},
	{V4, 3, 2, ENOPROTOOPT, 0, "protocol unreachable"},
	{V4, 3, 3, ECONNREFUSED, 0, "port unreachable"},
	{V4, 3, 4, EMSGSIZE, 1280, "fragmentation needed, MTU 1280"},
	{V4, 3, 9, ENETUNREACH, 0, "network prohibited"},
	{V4, 3, 10, EHOSTUNREACH, 0, "host prohibited"},
	{V4, 3, 13, EHOSTUNREACH, 0, "administratively prohibited"},
	{V4, 11, 0, EHOSTUNREACH, 0, "time to live exceeded"},
	{V4, 11, 1, EHOSTUNREACH, 0, "fragments missing"},
	{V4, 12, 1, EPROTO, 0, "ICMP type 12, code 1"},
	{V6, 1, 0, ENETUNREACH, 0, "no route"},
	{V6, 1, 1, EACCES, 0, "administratively prohibited"},
	{V6, 1, 2, EHOSTUNREACH, 0, "beyond scope of source"},
	{V6, 1, 3, EHOSTUNREACH, 0, "address unreachable"},
	{V6, 1, 4, ECONNREFUSED, 0, "port unreachable"},
	{V6, 1, 5, EACCES, 0, "source address failed policy"},
	{V6, 1, 6, EACCES, 0, "reject route"},
	{V6, 2, 0, EMSGSIZE, 1300, "packet too big, MTU 1300"},
	{V6, 3, 0, EHOSTUNREACH, 0, "hop limit exceeded"},
	{V6, 3, 1, EHOSTUNREACH, 0, "fragments missing"},
	{V6, 4, 2, EPROTO, 0, "ICMP type 4, code 2"},
};

static const struct report *reported; /* in place of what the kernel has */

ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);

/* Between other control messages; from a router that the kernel has no address of. */
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	struct {
		struct sock_extended_err error;
		struct sockaddr router;
	} report = {.router.sa_family = AF_UNSPEC};
	struct cmsghdr *control = CMSG_FIRSTHDR(message);

	if (!reported)
		return __real_recvmsg(fd, message, flags);
	report.error = (struct sock_extended_err){.ee_origin = reported->origin,
						  .ee_type = reported->type,
						  .ee_code = reported->code,
						  .ee_errno = (uint32_t)reported->error,
						  .ee_info = reported->info};
	memset(message->msg_control, 0, message->msg_controllen);
	*control = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL};
	control = ancillary_next(message, control);
	*control =
		(struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(report)),
				 .cmsg_level = reported->origin == V4 ? IPPROTO_IP : IPPROTO_IPV6,
				 .cmsg_type = reported->origin == V4 ? IP_RECVERR : IPV6_RECVERR};
	memcpy(CMSG_DATA(control), &report, sizeof(report));
	control = ancillary_next(message, control);
	*control = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
				    .cmsg_level = IPPROTO_IPV6,
				    .cmsg_type = IPV6_HOPLIMIT};
	return 0;
}

TEST_EACH(each_error_has_a_name, ARRAY_SIZE(reports))
{
	struct icmp_error error;
	char text[80];

	reported = &reports[_i];
	ck_assert_int_eq(icmp_error_read(-1, buffer, sizeof(buffer), &error), 0);
	snprintf(text, sizeof(text), "from a router: %s", reported->text);
	ck_assert_str_eq(error.text, text);
	ck_assert(error.remote);
	ck_assert_int_eq(error.port_unreachable, reported->error == ECONNREFUSED);
	ck_assert_int_eq(error.too_large, reported->error == EMSGSIZE);
	ck_assert_uint_eq(error.mtu, reported->info);
	ck_assert_uint_eq(error.from.length, 0);
	ck_assert_uint_eq(error.quoted, 0);
	reported = NULL;
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
