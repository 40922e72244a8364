/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A thread makes the calls of its list; any other is refused and counted, or ends the process. */

#include "config.h"

#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "daemon/sandbox/call_filter.h"
#include "daemon/sandbox/refused_call.h"
#include "unit/confined_thread.h"

static int calls[CALLS_MAX + 1];
static const int vain_calls[] = {SYS_setsid};
static struct call_list allowed = {.calls = calls};
static const struct call_list vain = {vain_calls, ARRAY_SIZE(vain_calls)};
static int bell;

/* All that the C library and a sanitizer need to end a thread, but not getppid. */
static void set_up(void)
{
	static const int more[] = {SYS_exit,   SYS_exit_group, SYS_futex,	   SYS_munmap,
				   SYS_tgkill, SYS_madvise,    SYS_write,	   SYS_rt_sigreturn,
				   SYS_clone3, SYS_rseq,       SYS_set_robust_list};

	allowed.count = 0;
	for (int call = 0; call < CALLS_MAX - 16; call++) {
		if (call != SYS_getppid && call != SYS_setsid)
			calls[allowed.count++] = call;
	}
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		calls[allowed.count++] = more[i];
	bell = eventfd(0, EFD_NONBLOCK);
	refused_call_ring(bell);
}

static void tear_down(void)
{
	refused_call_ring(-1);
	close(bell);
}

/* Whether the kernel can do it: if not, nothing is refused. */
static void apply(bool kill)
{
	if (call_filter_apply(&allowed, &vain, kill) < 0 && errno == ENOSYS)
		skip("neither the kernel nor the machine filters system calls");
}

static void expect_refusal(void)
{
	errno = 0;
	ck_assert_int_eq((int)syscall(SYS_getppid), -1);
	ck_assert_int_eq(errno, EPERM);
}

static void *filtered(void *arg UNUSED)
{
	pid_t own = getpid();

	apply(false);
	expect_refusal();
	expect_refusal();
	ck_assert_int_eq((int)syscall(SYS_getpid), own);
	ck_assert_int_eq((int)syscall(SYS_setsid), -1); /* in vain, which does not count */
	ck_assert_int_eq(errno, EPERM);
	return NULL;
}

static void *ask_for_parent(void *arg UNUSED)
{
	expect_refusal();
	return NULL;
}

static void *filtered_parent(void *arg UNUSED)
{
	pthread_t child;

	apply(false);
	ck_assert_int_eq(pthread_create(&child, NULL, ask_for_parent, NULL), 0);
	pthread_join(child, NULL);
	return NULL;
}

static void *filtered_while_signals_are_blocked(void *arg UNUSED)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	apply(false);
	expect_refusal();
	return NULL;
}

TEST_CASE("call_filter", set_up, tear_down);

TEST(a_call_that_is_not_listed_is_refused_and_counted)
{
	uint64_t rings;

	ck_assert_int_eq(refused_call_first(), -1);
	in_thread(filtered);
	ck_assert_uint_eq(refused_calls(), 2);
	ck_assert_int_eq(refused_call_first(), SYS_getppid);
	ck_assert_int_eq((int)read(bell, &rings, sizeof(rings)), sizeof(rings));
	ck_assert_uint_eq(rings, 2);
}

TEST(without_a_bell_it_is_counted_as_well)
{
	refused_call_ring(-1);
	in_thread(filtered);
	ck_assert_uint_eq(refused_calls(), 2);
}

TEST(other_threads_keep_theirs)
{
	in_thread(filtered);
	ck_assert_int_eq((int)syscall(SYS_getppid), getppid());
	ck_assert_uint_eq(refused_calls(), 2);
}

TEST(a_thread_that_it_starts_inherits_the_list)
{
	in_thread(filtered_parent);
	ck_assert_uint_eq(refused_calls(), 1);
}

TEST(blocked_signals_do_not_turn_a_refusal_into_a_death)
{
	in_thread(filtered_while_signals_are_blocked);
	ck_assert_uint_eq(refused_calls(), 1);
}

TEST(a_strict_list_ends_the_process)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (call_filter_apply(&allowed, &vain, true) < 0)
			_exit(errno == ENOSYS ? 77 : 1);
		(void)syscall(SYS_getppid);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip("neither the kernel nor the machine filters system calls");
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSYS);
}

TEST(a_list_that_is_too_long_is_none)
{
	allowed.count = CALLS_MAX;
	ck_assert_int_eq(call_filter_apply(&allowed, &vain, true), -1);
	ck_assert(errno == E2BIG || errno == ENOSYS);
	ck_assert_int_eq((int)syscall(SYS_getppid), getppid());
}
