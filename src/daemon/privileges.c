/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Drops root: groups, user, capabilities and the means to regain them. Names a step that fails, and
 * verifies the result. Owns nothing; control calls it once, after its sockets are open and before
 * the first thread is started, because no_new_privs and capabilities are per thread.
 */

#include "config.h"

#include "daemon/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/log.h"

/* The kernel's capability sets, two words each. Two calls do not justify libcap. */
struct capabilities {
	struct __user_cap_header_struct header;
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
};

static int drop_capabilities(void)
{
	struct capabilities none = {.header.version = _LINUX_CAPABILITY_VERSION_3};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_capset, &none.header, none.sets);
}

static bool has_capabilities(void)
{
	struct capabilities held = {.header.version = _LINUX_CAPABILITY_VERSION_3};

	if (syscall(SYS_capget, &held.header, held.sets) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(held.sets); i++) {
		if (held.sets[i].permitted | held.sets[i].effective | held.sets[i].inheritable)
			return true;
	}
	return false;
}

/* The name of the step that failed, with its errno; NULL on success. */
static const char *become(const struct passwd *who)
{
	if (setgroups(0, NULL) < 0)
		return "setgroups";
	if (setresgid(who->pw_gid, who->pw_gid, who->pw_gid) < 0)
		return "setresgid";
	if (setresuid(who->pw_uid, who->pw_uid, who->pw_uid) < 0)
		return "setresuid";
	if (drop_capabilities() < 0)
		return "capset";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return "no_new_privs";
	return NULL;
}

static bool is_for_good(const struct passwd *who)
{
	uid_t real, effective, saved;
	gid_t real_group, effective_group, saved_group;

	if (getresuid(&real, &effective, &saved) < 0 ||
	    getresgid(&real_group, &effective_group, &saved_group) < 0)
		return false;
	return real == who->pw_uid && effective == who->pw_uid && saved == who->pw_uid &&
	       real_group == who->pw_gid && effective_group == who->pw_gid &&
	       saved_group == who->pw_gid;
}

static bool can_regain_root(void)
{
	return setresuid(0, 0, 0) == 0 || errno != EPERM || seteuid(0) == 0 || errno != EPERM;
}

/* The name of a privilege that remains, or NULL. */
static const char *find_leftover(const struct passwd *who)
{
	if (!is_for_good(who))
		return "another user or group id";
	if (getgroups(0, NULL) != 0)
		return "supplementary groups";
	if (has_capabilities())
		return "capabilities";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return "the right to gain privileges by execve";
	if (can_regain_root())
		return "a way back to root";
	return NULL;
}

static int drop_to(const struct passwd *who, struct reason *reason)
{
	const char *failed = become(who);
	const char *leftover;

	if (failed)
		return reason_set(reason,
				  "cannot become user \"%s\": %s: %s; it takes root with "
				  "CAP_SETUID and CAP_SETGID",
				  who->pw_name, failed, strerror(errno));
	leftover = find_leftover(who);
	if (leftover)
		return reason_set(reason,
				  "became user \"%s\" but kept %s: not safe to go on; remove "
				  "user from [server] and let the service manager change it",
				  who->pw_name, leftover);
	return 0;
}

static void warn_not_root(const char *user)
{
	const struct passwd *who = getpwnam(user);

	if (!who || who->pw_uid != geteuid())
		log_warning("cannot become user \"%s\": not started as root; going on as uid %lu",
			    user, (unsigned long)geteuid());
}

int privileges_drop(const char *user, struct reason *reason)
{
	const struct passwd *who;

	if (*user == '\0') {
		if (geteuid() == 0)
			log_notice("running as root: set user in [server] to an unprivileged one");
		return 0;
	}
	if (geteuid() != 0) {
		warn_not_root(user);
		return 0;
	}
	errno = 0;
	who = getpwnam(user);
	if (!who)
		return reason_set(reason,
				  "cannot become user \"%s\": %s; create it, or name another "
				  "with user in [server]",
				  user, errno ? strerror(errno) : "no such user");
	if (who->pw_uid == 0)
		return reason_set(reason,
				  "cannot become user \"%s\": that is root, who gives up "
				  "nothing; name an unprivileged user, or none",
				  user);
	return drop_to(who, reason);
}
