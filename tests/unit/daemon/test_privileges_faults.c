/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Giving up root on a kernel that refuses a step, or reports success without doing it. The module
 * is compiled in here, on top of a kernel of the test's own, so that no user changes.
 */

#include "config.h"

#include "daemon/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "daemon/log.h"
#include "support/test.h"
#include "unit/log_lines.h"

#define ECHO_UID 700
#define ECHO_GID 701

static struct {
	const char *refuses; /* the call that fails */
	int error;	     /* ... with this */
	uid_t caller;	     /* of the process */
	struct passwd user;  /* known to the directory; no name: none is */
	uid_t uids[3];	     /* what we become */
	gid_t gids[3];
	int groups;
	uint32_t capabilities[3];
	int no_new_privs;
	const char *regains;  /* the call that makes us root again */
	const char *puts_off; /* the one that would, another time */
} kernel;

static int refused(const char *call)
{
	if (!kernel.refuses || strcmp(kernel.refuses, call) != 0)
		return 0;
	errno = kernel.error;
	return -1;
}

static uid_t fake_geteuid(void)
{
	return kernel.caller;
}

static struct passwd *fake_getpwnam(const char *name)
{
	if (refused("getpwnam") < 0)
		return NULL;
	return kernel.user.pw_name && strcmp(kernel.user.pw_name, name) == 0 ? &kernel.user : NULL;
}

static int fake_setgroups(size_t count, const gid_t *groups)
{
	ck_assert_uint_eq(count, 0);
	ck_assert_ptr_null(groups);
	return refused("setgroups");
}

static int fake_setresgid(gid_t real, gid_t effective, gid_t saved)
{
	ck_assert(real == ECHO_GID && effective == ECHO_GID && saved == ECHO_GID);
	return refused("setresgid");
}

static int regain(const char *call)
{
	if (kernel.regains && strcmp(kernel.regains, call) == 0)
		return 0;
	errno = kernel.puts_off && strcmp(kernel.puts_off, call) == 0 ? EAGAIN : EPERM;
	return -1;
}

static int fake_setresuid(uid_t real, uid_t effective, uid_t saved)
{
	if (real == 0)
		return regain("setresuid");
	ck_assert(real == ECHO_UID && effective == ECHO_UID && saved == ECHO_UID);
	return refused("setresuid");
}

static int fake_seteuid(uid_t effective)
{
	ck_assert_uint_eq(effective, 0);
	return regain("seteuid");
}

static int fake_getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
	*real = kernel.uids[0];
	*effective = kernel.uids[1];
	*saved = kernel.uids[2];
	return refused("getresuid");
}

static int fake_getresgid(gid_t *real, gid_t *effective, gid_t *saved)
{
	*real = kernel.gids[0];
	*effective = kernel.gids[1];
	*saved = kernel.gids[2];
	return refused("getresgid");
}

static int fake_getgroups(int size, gid_t *groups)
{
	ck_assert(size == 0 && groups == NULL);
	return refused("getgroups") < 0 ? -1 : kernel.groups;
}

static int fake_prctl(int option, ...)
{
	if (option == PR_GET_NO_NEW_PRIVS)
		return kernel.no_new_privs;
	return refused(option == PR_CAP_AMBIENT ? "ambient" : "no_new_privs");
}

static long fake_syscall(long number, ...)
{
	struct __user_cap_data_struct *sets;
	va_list args;

	if (number == SYS_capset)
		return refused("capset");
	ck_assert_int_eq(number, SYS_capget);
	va_start(args, number);
	(void)va_arg(args, void *);
	sets = va_arg(args, struct __user_cap_data_struct *);
	va_end(args);
	sets[1].permitted = kernel.capabilities[0];
	sets[1].effective = kernel.capabilities[1];
	sets[1].inheritable = kernel.capabilities[2];
	return refused("capget");
}

#define geteuid fake_geteuid
#define getpwnam fake_getpwnam
#define setgroups fake_setgroups
#define setresgid fake_setresgid
#define setresuid fake_setresuid
#define seteuid fake_seteuid
#define getresuid fake_getresuid
#define getresgid fake_getresgid
#define getgroups fake_getgroups
#define prctl fake_prctl
#define syscall fake_syscall
#include "daemon/privileges.c" /* NOLINT(bugprone-suspicious-include) */
#undef syscall

static struct reason reason;

static void set_up(void)
{
	static char name[] = "echo";

	memset(&kernel, 0, sizeof(kernel));
	kernel.error = EPERM;
	kernel.user = (struct passwd){.pw_name = name, .pw_uid = ECHO_UID, .pw_gid = ECHO_GID};
	for (size_t i = 0; i < ARRAY_SIZE(kernel.uids); i++) {
		kernel.uids[i] = ECHO_UID;
		kernel.gids[i] = ECHO_GID;
	}
	kernel.no_new_privs = 1;
	log_lines_begin(LEVEL_NOTICE);
}

static void expect_refused(const char *what)
{
	ck_assert_int_eq(privileges_drop("echo", &reason), -1);
	ck_assert_msg(strstr(reason.text, what) != NULL, "%s", reason.text);
}

static void expect_kept(const char *what)
{
	expect_refused(what);
	expect_refused("became user \"echo\" but kept ");
}

TEST_CASE("privileges_faults", set_up, log_lines_end);

TEST(a_kernel_that_obeys_is_enough)
{
	ck_assert_msg(privileges_drop("echo", &reason) == 0, "%s", reason.text);
	ck_assert_str_eq(log_lines(), "");
}

static const char *const steps[][2] = {
	{"setgroups", "setgroups"}, {"setresgid", "setresgid"}, {"setresuid", "setresuid"},
	{"ambient", "capset"},	    {"capset", "capset"},	{"no_new_privs", "no_new_privs"},
};

TEST_EACH(a_step_that_is_refused_is_named, ARRAY_SIZE(steps))
{
	char expected[128];

	kernel.refuses = steps[_i][0];
	(void)snprintf(expected, sizeof(expected),
		       "cannot become user \"echo\": %s: Operation not permitted; ", steps[_i][1]);
	expect_refused(expected);
	ck_assert_ptr_eq(strstr(reason.text, expected), reason.text);
}

TEST(any_id_that_stays_is_found)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel.uids); i++) {
		kernel.uids[i] = 0;
		expect_kept("another user or group id");
		kernel.uids[i] = ECHO_UID;
		kernel.gids[i] = 0;
		expect_kept("another user or group id");
		kernel.gids[i] = ECHO_GID;
	}
	kernel.refuses = "getresuid";
	expect_kept("another user or group id");
	kernel.refuses = "getresgid";
	expect_kept("another user or group id");
}

TEST(rights_that_stay_are_found)
{
	kernel.groups = 1;
	expect_kept("supplementary groups");
	kernel.groups = 0;
	kernel.refuses = "getgroups";
	expect_kept("supplementary groups");
	kernel.refuses = "capget";
	expect_kept("capabilities");
	kernel.refuses = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(kernel.capabilities); i++) {
		kernel.capabilities[i] = 1;
		expect_kept("capabilities");
		kernel.capabilities[i] = 0;
	}
	kernel.no_new_privs = 0;
	expect_kept("the right to gain privileges by execve");
}

TEST(a_way_back_to_root_is_found)
{
	kernel.regains = "setresuid";
	expect_kept("a way back to root");
	kernel.regains = "seteuid";
	expect_kept("a way back to root");
	kernel.regains = NULL;
	kernel.puts_off = "setresuid";
	expect_kept("a way back to root");
	kernel.puts_off = "seteuid";
	expect_kept("a way back to root");
}

TEST(an_unknown_user_and_root_are_refused)
{
	kernel.user.pw_name = NULL;
	expect_refused("cannot become user \"echo\": no such user; ");
	kernel.refuses = "getpwnam";
	kernel.error = EIO;
	expect_refused("\"echo\": Input/output error; ");
	kernel.refuses = NULL;
	kernel.user.pw_name = (char[]){"echo"};
	kernel.user.pw_uid = 0;
	expect_refused("that is root");
}

TEST(another_user_than_root_goes_on_with_a_warning_unless_it_is_that_user)
{
	kernel.caller = ECHO_UID;
	kernel.refuses = "setgroups"; /* must not be tried */
	ck_assert_int_eq(privileges_drop("echo", &reason), 0);
	ck_assert_int_eq(privileges_drop("", &reason), 0);
	ck_assert_str_eq(log_lines(), "");
	kernel.caller = 1234;
	ck_assert_int_eq(privileges_drop("echo", &reason), 0);
	ck_assert_ptr_nonnull(strstr(log_lines(), "not started as root; going on as uid 1234"));
	kernel.user.pw_name = NULL;
	ck_assert_int_eq(privileges_drop("echo", &reason), 0);
	ck_assert_ptr_nonnull(strstr(log_lines(), "cannot become user \"echo\""));
}

TEST(root_without_a_user_to_become_is_logged)
{
	ck_assert_int_eq(privileges_drop("", &reason), 0);
	ck_assert_ptr_nonnull(strstr(log_lines(), "running as root"));
}
