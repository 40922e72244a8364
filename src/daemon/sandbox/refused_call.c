/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See refused_call.h. The kernel sends a signal to the thread that asked, in the middle of whatever
 * it was doing: the handler calls nothing that could take a lock. Owns the count.
 */

#include "config.h"

#include "daemon/sandbox/refused_call.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/compiler.h"

static _Atomic uint64_t refused;
static _Atomic int first = -1;
static _Atomic int bell = -1;

/* The register in which the kernel would have returned its result. */
static void set_result(ucontext_t *context, long result)
{
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_RAX] = result;
#elif defined(__i386__)
	context->uc_mcontext.gregs[REG_EAX] = result;
#elif defined(__aarch64__)
	context->uc_mcontext.regs[0] = (unsigned long)result;
#elif defined(__arm__)
	context->uc_mcontext.arm_r0 = (unsigned long)result;
#elif defined(__riscv)
	context->uc_mcontext.__gregs[REG_A0] = (unsigned long)result;
#elif defined(__s390x__)
	context->uc_mcontext.gregs[2] = (unsigned long)result;
#else
	(void)context; /* no filter is made there */
	(void)result;
#endif
}

static void on_refused(int signal UNUSED, siginfo_t *info, void *context)
{
	const uint64_t one = 1;
	int none = -1;
	int error = errno;

	set_result(context, -EPERM);
	atomic_fetch_add(&refused, 1);
	(void)atomic_compare_exchange_strong(&first, &none, info->si_syscall);
	if (atomic_load(&bell) >= 0 && write(atomic_load(&bell), &one, sizeof(one)) < 0)
		errno = error; /* it is counted nevertheless */
	errno = error;
}

int refused_call_prepare(void)
{
	struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigset_t refusal;

	sigemptyset(&refusal);
	sigaddset(&refusal, SIGSYS);
	sigfillset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) < 0)
		return -1;
	errno = pthread_sigmask(SIG_UNBLOCK, &refusal, NULL); /* blocked, it would kill */
	return errno == 0 ? 0 : -1;
}

void refused_call_ring(int fd)
{
	atomic_store(&bell, fd);
}

uint64_t refused_calls(void)
{
	return atomic_load(&refused);
}

int refused_call_first(void)
{
	return atomic_load(&first);
}
