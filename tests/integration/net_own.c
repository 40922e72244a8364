/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The part of net.h that makes a network of our own, and asks about the host's. */

#include "config.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "integration/harness.h"
#include "integration/net.h"

static bool write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	bool written = file != NULL && fputs(text, file) >= 0;

	return file != NULL && fclose(file) == 0 && written;
}

static bool raise_loopback(void)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool raised = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;

	if (fd >= 0)
		close(fd);
	return raised;
}

/* For anyone else than root, and for a root that is one in name only, as in a container. */
static bool unshare_as_user(unsigned uid, unsigned gid)
{
	char map[64];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!write_text("/proc/self/uid_map", map) || !write_text("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_text("/proc/self/gid_map", map);
}

bool own_network(void)
{
	unsigned uid = geteuid(), gid = getegid();
	int before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	bool have = unshare(CLONE_NEWNET) == 0 && raise_loopback();

	if (!have)
		have = unshare_as_user(uid, gid) && raise_loopback();
	if (!have && before >= 0)
		(void)setns(before,
			    CLONE_NEWNET); /* where we can get it, back to one with loopback */
	if (before >= 0)
		close(before);
	return have;
}

static void add_address4(const struct address *address)
{
	static unsigned alias;
	struct ifreq request = {.ifr_addr.sa_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "lo:%u", ++alias);
	memcpy(&request.ifr_addr, &address->in4, sizeof(address->in4));
	ck_assert_int_eq(ioctl(fd, SIOCSIFADDR, &request), 0);
	close(fd);
}

static bool is_there(const struct address *address)
{
	int fd = socket(address->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool result = fd >= 0 && bind(fd, &address->sa, address->length) == 0;

	if (fd >= 0)
		close(fd);
	return result;
}

bool has_ipv6(void)
{
	struct address loopback = at("::1", 0);

	return is_there(&loopback);
}

/* struct in6_ifreq of linux/ipv6.h, which musl's headers exclude. */
struct address6_request {
	struct in6_addr address;
	uint32_t prefix;
	int interface;
};

static void add_address6(const struct address *address)
{
	struct address6_request request = {.address = address->in6.sin6_addr,
					   .prefix = 128,
					   .interface = (int)if_nametoindex("lo")};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(ioctl(fd, SIOCSIFADDR, &request), 0);
	close(fd);
	/* The kernel checks for a moment that no other host has it. */
	WAIT_UNTIL(is_there(address));
}

void add_address(const char *host)
{
	struct address address = at(host, 0);

	if (address.sa.sa_family == AF_INET)
		add_address4(&address);
	else
		add_address6(&address);
}

void need_own_network(void)
{
	if (!own_network())
		skip("may not have a network of its own");
}

void need_ipv6(void)
{
	if (!has_ipv6())
		skip("this host has no IPv6");
}

const char *loopback_of(int family)
{
	if (family == 0)
		return "127.0.0.1";
	need_ipv6();
	return "::1";
}
