/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What can be done with files in the directories of the list, and with all others. */

#include "config.h"

#include <sys/un.h>

#include "daemon/sandbox/file_access.h"
#include "unit/confined_thread.h"

static char readable[256], sockets[256], elsewhere[256];
static int listener;
static struct sockaddr_in served;

static void make(char *path, const char *name)
{
	char file[300];
	int fd;

	(void)snprintf(path, 256, "%s.XXXXXX", test_path(name));
	ck_assert_ptr_nonnull(mkdtemp(path));
	(void)snprintf(file, sizeof(file), "%s/file", path);
	fd = open(file, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void set_up(void)
{
	socklen_t length = sizeof(served);

	make(readable, "readable");
	make(sockets, "sockets");
	make(elsewhere, "elsewhere");
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	served = (struct sockaddr_in){.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&served, length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&served, &length), 0);
}

static void tear_down(void)
{
	close(listener);
}

static void limit(void)
{
	const struct file_access list[] = {{readable, MAY_READ},
					   {sockets, MAY_KEEP_SOCKETS},
					   {"/there/is/no/such/directory", MAY_READ}};

	if (file_access_limit(list, ARRAY_SIZE(list)) == 0)
		return;
	ck_assert_msg(errno == ENOSYS || errno == EOPNOTSUPP, "%s", strerror(errno));
	skip("the kernel has no Landlock");
}

/* 0 or an errno. */
static int try_open(const char *directory, const char *name, int flags)
{
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static struct sockaddr_un socket_in(const char *directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
	return address;
}

static int try_bind(const char *directory)
{
	struct sockaddr_un address = socket_in(directory);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;

	close(fd);
	return result;
}

static int try_unlink(const char *directory, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return unlink(path) < 0 ? errno : 0;
}

static void *use_files(void *arg UNUSED)
{
	limit();
	ck_assert_int_eq(try_open(readable, "file", O_RDONLY), 0);
	ck_assert_int_eq(try_open(readable, ".", O_RDONLY | O_DIRECTORY), 0);
	ck_assert_int_eq(try_open(readable, "file", O_WRONLY), EACCES);
	ck_assert_int_eq(try_open(readable, "new", O_RDONLY | O_CREAT), EACCES);
	ck_assert_int_eq(try_unlink(readable, "file"), EACCES);
	ck_assert_int_eq(try_bind(readable), EACCES);

	ck_assert_int_eq(try_bind(sockets), 0);
	ck_assert_int_eq(try_unlink(sockets, "s"), 0);
	ck_assert_int_eq(try_open(sockets, ".", O_RDONLY | O_DIRECTORY), 0);
	ck_assert_int_eq(try_open(sockets, "file", O_RDONLY), EACCES);

	ck_assert_int_eq(try_open(elsewhere, "file", O_RDONLY), EACCES);
	ck_assert_int_eq(try_open(elsewhere, ".", O_RDONLY | O_DIRECTORY), EACCES);
	ck_assert_int_eq(try_bind(elsewhere), EACCES);
	return NULL;
}

static int landlock_version(void)
{
	return (int)syscall(444, NULL, 0, 1);
}

static void *use_network(void *arg UNUSED)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in any = {.sin_family = AF_INET};

	limit();
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&served, sizeof(served)), -1);
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	close(fd);
	return NULL;
}

static void *signal_parent(void *arg UNUSED)
{
	limit();
	ck_assert_int_eq(kill(getppid(), 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(kill(getpid(), 0), 0);
	return NULL;
}

TEST_CASE("file_access", set_up, tear_down);

TEST(only_listed_directories_can_be_used_as_they_are_listed)
{
	in_thread(use_files);
	ck_assert_int_eq(try_open(elsewhere, "file", O_RDONLY), 0);
}

TEST(no_connection_is_made_but_sockets_can_be_bound)
{
	if (landlock_version() < 4)
		skip("the kernel's Landlock does not know TCP");
	in_thread(use_network);
}

TEST(other_processes_get_no_signal)
{
	if (landlock_version() < 6)
		skip("the kernel's Landlock does not know signals");
	in_thread(signal_parent);
}
