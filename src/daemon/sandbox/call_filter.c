/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See call_filter.h. Owns nothing: the kernel copies the program. */

#include "config.h"

#include "daemon/sandbox/call_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/sandbox/refused_call.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define MACHINE AUDIT_ARCH_I386
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARMEL__)
#define MACHINE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define MACHINE AUDIT_ARCH_S390X
#endif

#ifdef MACHINE

#define LOAD(field)                                                                                \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

#define HEAD_SIZE 4
#define SIZE_MAX_OF_FILTER (HEAD_SIZE + 2 * CALLS_MAX + 1)

static size_t add_calls(struct sock_filter *filter, size_t size, const struct call_list *list,
			uint32_t action)
{
	for (size_t i = 0; i < list->count; i++) {
		filter[size++] = (struct sock_filter)UNLESS((uint32_t)list->calls[i], 1);
		filter[size++] = (struct sock_filter)RETURN(action);
	}
	return size;
}

/* The numbers mean something else for another machine's calls, which the kernel may also serve. */
static size_t write_filter(struct sock_filter *filter, const struct call_list *allowed,
			   const struct call_list *vain, bool kill)
{
	const struct sock_filter head[HEAD_SIZE] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
	};
	size_t size = 0;

	for (; size < HEAD_SIZE; size++)
		filter[size] = head[size];
	size = add_calls(filter, size, allowed, SECCOMP_RET_ALLOW);
	size = add_calls(filter, size, vain, SECCOMP_RET_ERRNO | EPERM);
	filter[size++] =
		(struct sock_filter)RETURN(kill ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_TRAP);
	return size;
}

int call_filter_apply(const struct call_list *allowed, const struct call_list *vain, bool kill)
{
	struct sock_filter filter[SIZE_MAX_OF_FILTER];
	struct sock_fprog program = {.filter = filter};

	if (allowed->count + vain->count > CALLS_MAX) {
		errno = E2BIG;
		return -1;
	}
	program.len = (unsigned short)write_filter(filter, allowed, vain, kill);
	if (refused_call_prepare() < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	/* Without that flag some kernels give up on speculation, which costs more than the list. */
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			    &program);
}

#else

int call_filter_apply(const struct call_list *allowed, const struct call_list *vain, bool kill)
{
	(void)allowed;
	(void)vain;
	(void)kill;
	errno = ENOSYS;
	return -1;
}

#endif
