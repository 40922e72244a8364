/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Giving up root for good, tried in children and looked at from inside. Most of it needs root to
 * begin with and says so where it is skipped.
 */

#include "config.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "daemon/log.h"
#include "daemon/privileges.h"
#include "support/test.h"

#define NOBODY "nobody"

/* What a child found, and what it logged. */
struct outcome {
	int status;
	struct reason reason;
	char log[512];
};

typedef int probe(struct reason *reason);

/* Runs PROBE in a child, its standard error in a pipe. */
static struct outcome in_child(probe *run)
{
	struct outcome outcome = {0};
	int results[2], log[2], status;
	void (*end)(int);
	pid_t pid;

	ck_assert_int_eq(pipe(results), 0);
	ck_assert_int_eq(pipe2(log, O_NONBLOCK), 0);
	pid = fork();
	if (pid == 0) {
		dup2(log[1], STDERR_FILENO);
		log_open();
		outcome.status = run(&outcome.reason);
		/* What sanitizers and coverage do at exit takes the rights that are gone. */
		end = geteuid() == 0 ? exit : _exit;
		end(write(results[1], &outcome, sizeof(outcome)) != sizeof(outcome));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child failed");
	ck_assert_int_eq((int)read(results[0], &outcome, sizeof(outcome)), (int)sizeof(outcome));
	status = (int)read(log[0], outcome.log, sizeof(outcome.log) - 1);
	outcome.log[status > 0 ? status : 0] = '\0';
	return outcome;
}

static bool is_all_of(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	return getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0 && r == uid &&
	       e == uid && s == uid && rg == gid && eg == gid && sg == gid;
}

static bool is_without_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		if (sets[i].permitted || sets[i].effective || sets[i].inheritable)
			return false;
	}
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_BIND_SERVICE, 0, 0) == 0;
}

/* Returns the number of the first thing that is still there; 0 when all are gone. */
static int find_what_is_left(struct reason *reason)
{
	struct passwd who = *getpwnam(NOBODY);

	if (privileges_drop(NOBODY, reason) < 0)
		return 1;
	if (!is_all_of(who.pw_uid, who.pw_gid))
		return 2;
	if (getgroups(0, NULL) != 0)
		return 3;
	if (!is_without_capabilities())
		return 4;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 5;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0)
		return 6;
	return 0;
}

/* As a service manager may leave it: groups, and capabilities that survive a change of user. */
static int find_what_is_left_of_more(struct reason *reason)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	gid_t groups[] = {0, 1, 2};

	if (setgroups(ARRAY_SIZE(groups), groups) < 0 || syscall(SYS_capget, &header, sets) < 0)
		return 10;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		sets[i].inheritable = sets[i].permitted;
	if (syscall(SYS_capset, &header, sets) < 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) < 0)
		return 11;
	return find_what_is_left(reason);
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip("only root can give up root");
}

static int drop_to_unknown(struct reason *reason)
{
	return privileges_drop("no-such-user-here", reason);
}

static int drop_to_root(struct reason *reason)
{
	return privileges_drop("root", reason);
}

static int stay(struct reason *reason)
{
	uid_t before = geteuid();

	return privileges_drop("", reason) < 0 || geteuid() != before;
}

/* ThreadSanitizer's own keeps what capset takes from ours alone: glibc then aborts in setresuid. */
static bool has_other_threads(void)
{
	struct stat tasks;

	return stat("/proc/self/task", &tasks) < 0 || tasks.st_nlink > 3;
}

/* Root without CAP_SETUID, as in a container. */
static int drop_without_setuid(struct reason *reason)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

	sets[0].permitted = sets[0].effective = 1U << CAP_SETGID;
	if (syscall(SYS_capset, &header, sets) < 0)
		return 10;
	return privileges_drop(NOBODY, reason);
}

static int become_nobody_then(const char *user, struct reason *reason)
{
	struct passwd who = *getpwnam(NOBODY);

	if (geteuid() == 0 && setresuid(who.pw_uid, who.pw_uid, who.pw_uid) < 0)
		return 10;
	return privileges_drop(user, reason);
}

static int ask_for_another(struct reason *reason)
{
	return become_nobody_then("daemon", reason);
}

static int ask_for_none(struct reason *reason)
{
	return become_nobody_then("", reason);
}

static int ask_for_own(struct reason *reason)
{
	const struct passwd *self = geteuid() == 0 ? getpwnam(NOBODY) : getpwuid(geteuid());
	char name[64];

	snprintf(name, sizeof(name), "%s", self ? self->pw_name : "");
	return become_nobody_then(name, reason);
}

static void expect(probe *run, int status, const char *reason, const char *log)
{
	struct outcome outcome = in_child(run);

	ck_assert_msg(outcome.status == status, "%d: %s", outcome.status, outcome.reason.text);
	ck_assert_ptr_nonnull(strstr(outcome.reason.text, reason));
	ck_assert_ptr_nonnull(strstr(outcome.log, log));
	if (*log == '\0')
		ck_assert_str_eq(outcome.log, "");
	else
		ck_assert_ptr_eq(strchr(outcome.log, '\n') + 1, outcome.log + strlen(outcome.log));
}

TEST_CASE("as root", need_root);

TEST(nothing_of_root_is_left)
{
	expect(find_what_is_left, 0, "", "");
}

TEST(capabilities_made_to_stay_are_gone_too)
{
	expect(find_what_is_left_of_more, 0, "", "");
}

TEST(an_unknown_user_and_root_are_refused_by_name)
{
	expect(drop_to_unknown, -1, "\"no-such-user-here\": no such user", "");
	expect(drop_to_root, -1, "\"root\": that is root", "");
}

TEST(root_that_stays_root_logs_it_once)
{
	expect(stay, 0, "", "notice: running as root: set user in [server]");
}

TEST(the_step_that_failed_is_named_with_what_would_help)
{
	if (has_other_threads())
		skip("ThreadSanitizer has threads of its own");
	expect(drop_without_setuid, -1, "user \"nobody\": setresuid: ", "");
	expect(drop_without_setuid, -1, "CAP_SETUID", "");
}

TEST_CASE("as anyone");

TEST(any_other_user_goes_on_with_one_warning)
{
	expect(ask_for_another, 0, "", "warning: cannot become user \"daemon\"");
}

TEST(a_process_of_that_user_already_logs_nothing)
{
	expect(ask_for_own, 0, "", "");
	expect(ask_for_none, 0, "", "");
}
