/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a configuration leaves a started echod, and what happens where the kernel offers less: with
 * `auto` echod goes on, with `kill` it does not start.
 */

#include "config.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "echod/confinement/confinement.h"
#include "unit/config_text.h"
#include "unit/confined_thread.h"
#include "unit/faults.h"
#include "unit/log_lines.h"

static struct config *config;
static char conf[256], linked[256], run[256], elsewhere[256];

static void use(const char *sandbox)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "[server]\nsandbox = %s\n[listener a]\naddress = unix:%s/s\n", sandbox, run);
	config = load_good(text);
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? errno : 0;
}

static void make_directory(char *path, const char *name)
{
	(void)snprintf(path, 240, "%s.XXXXXX", test_path(name));
	ck_assert_ptr_nonnull(mkdtemp(path));
}

/* LINKED is a file elsewhere that stands for CONF. */
static void set_up(void)
{
	char directory[240];

	make_directory(run, "run");
	make_directory(elsewhere, "elsewhere");
	make_directory(directory, "conf");
	(void)snprintf(conf, sizeof(conf), "%s/echod.conf", directory);
	ck_assert_int_eq(try_open(conf, O_WRONLY | O_CREAT), 0);
	make_directory(directory, "link");
	(void)snprintf(linked, sizeof(linked), "%s/echod.conf", directory);
	ck_assert_int_eq(symlink(conf, linked), 0);
	log_lines_begin(LEVEL_INFO);
}

static void tear_down(void)
{
	log_lines_end();
	config_release(config);
}

static void *use_files(void *arg UNUSED)
{
	struct reason reason;

	ck_assert_int_eq(confine_files(config, linked, &reason), 0);
	if (strstr(log_lines(), "no Landlock"))
		skip("the kernel has no Landlock");
	ck_assert_int_eq(try_open(conf, O_RDONLY), 0);
	ck_assert_int_eq(try_open(linked, O_RDONLY), 0);
	ck_assert_int_eq(try_open(conf, O_WRONLY), EACCES);
	ck_assert_int_eq(try_open("/etc/passwd", O_RDONLY), 0);
	ck_assert_int_eq(try_open(run, O_RDONLY | O_DIRECTORY), 0);
	ck_assert_int_eq(try_open(elsewhere, O_RDONLY | O_DIRECTORY), EACCES);
	ck_assert_int_eq(try_open("/proc/self/mem", O_RDONLY), EACCES);
	return NULL;
}

static void need_filter(void)
{
	uint32_t trap = SECCOMP_RET_TRAP;

	if (instrumented())
		skip("a sanitizer or gcov makes calls of its own");
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &trap) < 0)
		skip("the kernel does not filter system calls");
}

static void *filter_worker(void *arg UNUSED)
{
	struct reason reason;

	ck_assert_int_eq(confine_worker(SANDBOX_AUTO, &reason), 0);
	ck_assert_int_eq(try_open("/dev/null", O_RDONLY), EPERM);
	ck_assert_int_eq(socket(AF_INET, SOCK_STREAM, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	return NULL;
}

static void *filter_control(void *arg UNUSED)
{
	struct reason reason;
	int fd;

	ck_assert_int_eq(confine_control(SANDBOX_AUTO, -1, &reason), 0);
	ck_assert_int_eq(try_open("/dev/null", O_RDONLY), 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(setsid(), -1);
	ck_assert_int_eq(errno, EPERM);
	return NULL;
}

static void *confine_without_memory(void *arg UNUSED)
{
	struct reason reason;
	unsigned failures = 0;

	for (;; failures++) {
		int result;

		fault_after(failures, MEMORY, ENOMEM);
		result = confine_files(config, conf, &reason);
		if (!fault_over())
			break;
		ck_assert_int_eq(result, -1);
		ck_assert_str_eq(reason.text, "sandbox = kill: Landlock: Cannot allocate memory");
		ck_assert_int_eq(fault_blocks(), 0);
	}
	ck_assert_uint_ge(failures, 6);
	return NULL;
}

TEST_CASE("confinement", set_up, tear_down);

TEST(only_the_directories_of_the_configuration_are_left)
{
	use("auto");
	in_thread(use_files);
	ck_assert_int_eq(try_open(elsewhere, O_RDONLY | O_DIRECTORY), 0);
}

TEST(a_worker_only_serves)
{
	need_filter();
	in_thread(filter_worker);
}

TEST(control_also_reloads_and_writes_about_the_first_refusal_once)
{
	char expected[128];

	need_filter();
	confinement_report();
	ck_assert_str_eq(log_lines(), "");
	in_thread(filter_control);
	(void)snprintf(expected, sizeof(expected),
		       "<4>sandbox: system call %d was refused: please report it; "
		       "sandbox = no allows it for now\n",
		       SYS_setsid);
	confinement_report();
	ck_assert_str_eq(log_lines(), expected);
	confinement_report();
	ck_assert_str_eq(log_lines(), "");
}

TEST(no_means_no)
{
	struct reason reason;

	use("no");
	ck_assert_int_eq(confine_files(config, conf, &reason), 0);
	ck_assert_int_eq(confine_worker(SANDBOX_NO, &reason), 0);
	ck_assert_int_eq(confine_control(SANDBOX_NO, -1, &reason), 0);
	ck_assert_int_eq(try_open(elsewhere, O_RDONLY | O_DIRECTORY), 0);
	ck_assert_int_ge(getsid(0), 0);
}

TEST(a_kernel_without_it_is_no_hindrance)
{
	struct reason reason;

	use("auto");
	fault_next("landlock", ENOSYS);
	ck_assert_int_eq(confine_files(config, conf, &reason), 0);
	ck_assert(fault_over());
	ck_assert_str_eq(log_lines(), "<6>sandbox: this kernel has no Landlock\n");
	fault_next("seccomp", EACCES);
	ck_assert_int_eq(confine_worker(SANDBOX_AUTO, &reason), 0);
	ck_assert(fault_over());
	ck_assert_str_eq(log_lines(), "<4>sandbox: not confined by seccomp: Permission denied\n");
}

TEST(kill_accepts_no_less)
{
	struct reason reason;

	use("kill");
	fault_next("landlock", ENOSYS);
	ck_assert_int_eq(confine_files(config, conf, &reason), -1);
	ck_assert(fault_over());
	ck_assert_str_eq(reason.text, "sandbox = kill: Landlock: Function not implemented");
	fault_next("seccomp", ENOSYS);
	ck_assert_int_eq(confine_control(SANDBOX_KILL, -1, &reason), -1);
	ck_assert(fault_over());
	ck_assert_str_eq(reason.text, "sandbox = kill: seccomp: Function not implemented");
}

TEST(without_memory_it_fails_as_a_whole)
{
	use("kill");
	in_thread(confine_without_memory);
}
