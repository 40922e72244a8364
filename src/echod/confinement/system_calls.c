/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See system_calls.h. Each list has the calls of all machines, then those of machines that still
 * have older calls, and of 32-bit ones.
 */

#include "config.h"

#include "echod/confinement/system_calls.h"

#include <sys/syscall.h>

#include "base/compiler.h"

/* clang-format off */
static const int worker[] = {
	/* clients, the most frequent first */
	SYS_recvfrom, SYS_sendto, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_recvmmsg, SYS_sendmmsg,
	SYS_recvmsg, SYS_sendmsg, SYS_ioctl, SYS_getsockopt, SYS_setsockopt, SYS_epoll_ctl,
	SYS_accept4, SYS_shutdown, SYS_close, SYS_getsockname, SYS_getpeername, SYS_read, SYS_write,
	/* the log */
	SYS_pwritev2, SYS_ppoll,
	/* clocks that the kernel does not map, and how exact they are */
	SYS_clock_gettime, SYS_gettimeofday, SYS_clock_adjtime,
	/* memory, threads and signals */
	SYS_futex, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigreturn, SYS_rt_sigpending,
	SYS_restart_syscall, SYS_sched_yield, SYS_getrandom, SYS_madvise, SYS_munmap, SYS_mremap,
	SYS_mprotect, SYS_brk, SYS_set_robust_list, SYS_rseq, SYS_membarrier, SYS_exit,
	SYS_exit_group, SYS_getpid, SYS_gettid, SYS_tgkill, SYS_sched_getaffinity,
#ifdef SYS_open
	SYS_epoll_wait, SYS_poll,
#endif
#ifdef SYS_clock_gettime64
	SYS_recvmmsg_time64, SYS_ppoll_time64, SYS_clock_gettime64, SYS_clock_adjtime64,
	SYS_futex_time64, SYS_mmap2,
#else
	SYS_mmap,
#endif
#ifdef SYS_sigreturn
	SYS_sigreturn,
#endif
#ifdef SYS_socketcall
	SYS_socketcall,
#endif
};
/* clang-format on */

const struct call_list worker_calls = {worker, ARRAY_SIZE(worker)};

static const int vain_worker[] = {
	SYS_openat,
#ifdef SYS_open
	SYS_open,
#endif
};

const struct call_list vain_worker_calls = {vain_worker, ARRAY_SIZE(vain_worker)};

/* clang-format off */
static const int control[] = {
	/* configuration, keys, the files of UNIX sockets */
	SYS_openat, SYS_statx, SYS_fstat, SYS_lseek, SYS_fcntl, SYS_flock, SYS_umask, SYS_unlinkat,
	SYS_nanosleep, SYS_clock_nanosleep,
	/* a reload opens sockets */
	SYS_socket, SYS_bind, SYS_listen, SYS_connect,
	/* metrics, and checks of settings */
	SYS_geteuid, SYS_getuid, SYS_getegid, SYS_getgid, SYS_getrusage, SYS_sysinfo, SYS_prlimit64,
#ifdef SYS_open
	SYS_open, SYS_stat, SYS_lstat, SYS_unlink,
#endif
#ifdef SYS_clock_gettime64
	SYS_fstat64, SYS_fstatat64, SYS_lstat64, SYS_stat64, SYS__llseek, SYS_fcntl64,
	SYS_clock_nanosleep_time64, SYS_geteuid32, SYS_getuid32, SYS_getegid32, SYS_getgid32,
#else
	SYS_newfstatat,
#endif
};
/* clang-format on */

const struct call_list control_calls = {control, ARRAY_SIZE(control)};
