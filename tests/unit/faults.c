/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See faults.h. */

#include "config.h"

#include "unit/faults.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ini.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"
#include "support/libc.h"

static _Thread_local struct fault {
	const char *name;
	unsigned skip;
	unsigned times; /* 0: none, or no more */
	int error;
	bool happened;
	bool watching;
	long blocks;
} fault;

static bool handed_on; /* to the first thread that is created */
static atomic_bool happened_elsewhere;

void fault_after(unsigned skip, const char *name, int error)
{
	fault.name = name;
	fault.skip = skip;
	fault.times = 1;
	fault.error = error;
	fault.happened = false;
	atomic_store(&happened_elsewhere, false);
	fault.watching = true;
	fault.blocks = 0;
}

void fault_next(const char *name, int error)
{
	fault_after(0, name, error);
}

void fault_next_times(unsigned times, const char *name, int error)
{
	fault_after(0, name, error);
	fault.times = times;
}

bool fault_over(void)
{
	fault.times = 0;
	fault.watching = false;
	return fault.happened || atomic_load(&happened_elsewhere);
}

void fault_hand_on(void)
{
	handed_on = true;
}

long fault_blocks(void)
{
	return fault.blocks;
}

int fault_lowest_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

/* Whether this call of NAME is the one. */
static bool due(const char *name)
{
	if (fault.times == 0 || strcmp(fault.name, name) != 0)
		return false;
	if (fault.skip > 0) {
		fault.skip--;
		return false;
	}
	fault.times--;
	fault.happened = true;
	if (handed_on)
		atomic_store(&happened_elsewhere, true);
	errno = fault.error;
	return true;
}

/* Each stands in front of the function of that name; the last line is for the semicolon. */
#define FAULTY_AS(title, type, failed, name, parameters, arguments)                                \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		return due(title) ? (failed) : __real_##name arguments;                            \
	}                                                                                          \
	type __wrap_##name parameters
#define FAULTY(name, parameters, arguments) FAULTY_AS(#name, int, -1, name, parameters, arguments)
#define FAULTY_SIZE(name, parameters, arguments)                                                   \
	FAULTY_AS(#name, ssize_t, -1, name, parameters, arguments)

static void *counted(void *memory)
{
	fault.blocks += memory && fault.watching;
	return memory;
}

#define ALLOCATES(name, parameters, arguments)                                                     \
	void *__real_##name parameters;                                                            \
	void *__wrap_##name parameters;                                                            \
	void *__wrap_##name parameters                                                             \
	{                                                                                          \
		return due(MEMORY) ? NULL : counted(__real_##name arguments);                      \
	}                                                                                          \
	void *__wrap_##name parameters

ALLOCATES(malloc, (size_t size), (size));
ALLOCATES(calloc, (size_t count, size_t size), (count, size));
ALLOCATES(aligned_alloc, (size_t alignment, size_t size), (alignment, size));

void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	void *grown = due(MEMORY) ? NULL : __real_reallocarray(memory, count, size);

	return memory ? grown : counted(grown);
}

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	fault.blocks -= memory && fault.watching;
	__real_free(memory);
}

/* asprintf and vasprintf, also as the compiler fortifies them. */
int __real_vasprintf(char **text, const char *format, va_list args);
int __wrap_vasprintf(char **text, const char *format, va_list args) PRINTF_LIKE(2, 0);
int __wrap_asprintf(char **text, const char *format, ...) PRINTF_LIKE(2, 3);
int __wrap___vasprintf_chk(char **text, int flag, const char *format, va_list args)
	PRINTF_LIKE(3, 0);
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...) PRINTF_LIKE(3, 4);

int __wrap_vasprintf(char **text, const char *format, va_list args)
{
	int length = due(MEMORY) ? -1 : __real_vasprintf(text, format, args);

	fault.blocks += length >= 0 && fault.watching;
	return length;
}

int __wrap___vasprintf_chk(char **text, int flag UNUSED, const char *format, va_list args)
{
	return __wrap_vasprintf(text, format, args);
}

int __wrap_asprintf(char **text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = __wrap_vasprintf(text, format, args);
	va_end(args);
	return length;
}

int __wrap___asprintf_chk(char **text, int flag UNUSED, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = __wrap_vasprintf(text, format, args);
	va_end(args);
	return length;
}

static bool timers_spared;

void fault_spare_timers(void)
{
	timers_spared = true;
}

int __real_event_add(struct event *event, const struct timeval *timeout);
int __wrap_event_add(struct event *event, const struct timeval *timeout);
int __wrap_event_add(struct event *event, const struct timeval *timeout)
{
	bool spared = timeout && timers_spared;

	return !spared && due(MEMORY) ? -1 : __real_event_add(event, timeout);
}

/* What else takes memory. */
FAULTY_AS(MEMORY, void *, MAP_FAILED, mmap,
	  (void *at, size_t size, int protection, int flags, int fd, off_t offset),
	  (at, size, protection, flags, fd, offset));
FAULTY_AS(MEMORY, struct event_base *, NULL, event_base_new, (void), ());
FAULTY_AS(MEMORY, struct event_base *, NULL, event_base_new_with_config,
	  (const struct event_config *config), (config));
FAULTY_AS(MEMORY, struct event_config *, NULL, event_config_new, (void), ());

FAULTY(socket, (int family, int type, int protocol), (family, type, protocol));
FAULTY(connect, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length));
FAULTY(bind, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length));
FAULTY(listen, (int fd, int backlog), (fd, backlog));
FAULTY(getsockname, (int fd, struct sockaddr *address, socklen_t *length), (fd, address, length));
FAULTY(getsockopt, (int fd, int level, int option, void *value, socklen_t *length),
       (fd, level, option, value, length));
FAULTY(setsockopt, (int fd, int level, int option, const void *value, socklen_t length),
       (fd, level, option, value, length));
FAULTY(shutdown, (int fd, int how), (fd, how));
FAULTY(recvmmsg,
       (int fd, struct mmsghdr *messages, unsigned count, libc_flags flags,
	struct timespec *timeout),
       (fd, messages, count, flags, timeout));
FAULTY(sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, libc_flags flags),
       (fd, messages, count, flags));
FAULTY_SIZE(recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags));
FAULTY_SIZE(sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags));
FAULTY_SIZE(recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags));
FAULTY_SIZE(send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags));
FAULTY(accept4, (int fd, struct sockaddr *address, socklen_t *length, int flags),
       (fd, address, length, flags));
FAULTY(eventfd, (unsigned value, int flags), (value, flags));
FAULTY(poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout));
FAULTY_SIZE(getrandom, (void *data, size_t size, unsigned flags), (data, size, flags));
FAULTY_SIZE(read, (int fd, void *data, size_t size), (fd, data, size));

/* The same, as the compiler fortifies it. */
ssize_t __wrap___read_chk(int fd, void *data, size_t size, size_t room);
ssize_t __wrap___read_chk(int fd, void *data, size_t size, size_t room)
{
	return size <= room ? __wrap_read(fd, data, size) : (abort(), -1);
}

FAULTY(fstat, (int fd, struct stat *status), (fd, status));
FAULTY(lstat, (const char *path, struct stat *status), (path, status));
FAULTY(getrlimit, (int resource, struct rlimit *limit), (resource, limit));
FAULTY(setrlimit, (int resource, const struct rlimit *limit), (resource, limit));

/* The same, as glibc names them where AC_SYS_LARGEFILE widens off_t. */
#if defined(__GLIBC__) && defined(_FILE_OFFSET_BITS) && _FILE_OFFSET_BITS == 64
FAULTY_AS(MEMORY, void *, MAP_FAILED, mmap64,
	  (void *at, size_t size, int protection, int flags, int fd, off_t offset),
	  (at, size, protection, flags, fd, offset));
FAULTY_AS("fstat", int, -1, fstat64, (int fd, struct stat *status), (fd, status));
FAULTY_AS("lstat", int, -1, lstat64, (const char *path, struct stat *status), (path, status));
FAULTY_AS("getrlimit", int, -1, getrlimit64, (int resource, struct rlimit *limit),
	  (resource, limit));
FAULTY_AS("setrlimit", int, -1, setrlimit64, (int resource, const struct rlimit *limit),
	  (resource, limit));
#endif

FAULTY(sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *cpus), (pid, size, cpus));

struct handover {
	struct fault fault;
	void *(*run)(void *);
	void *arg;
};

static void *run_with_fault(void *arg)
{
	struct handover *handover = arg;
	void *(*run)(void *) = handover->run;
	void *own = handover->arg;

	fault = handover->fault;
	__real_free(handover);
	return run(own);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *),
			  void *arg)
{
	struct handover *handover;

	if (due("pthread_create"))
		return fault.error;
	handover = handed_on && fault.times > 0 ? __real_malloc(sizeof(*handover)) : NULL;
	if (!handover)
		return __real_pthread_create(thread, how, run, arg);
	*handover = (struct handover){fault, run, arg};
	fault.times = 0;
	return __real_pthread_create(thread, how, run_with_fault, handover);
}

FAULTY_AS("getpwnam_r", int, (*found = NULL, fault.error), getpwnam_r,
	  (const char *name, struct passwd *entry, char *text, size_t size, struct passwd **found),
	  (name, entry, text, size, found));
FAULTY_AS("ini_parse_stream", int, -2, ini_parse_stream,
	  (ini_reader reader, void *stream, ini_handler handler, void *user),
	  (reader, stream, handler, user));

/* By its number: recvfrom and sendto as echo.c calls them, and what has no wrapper. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	static const struct {
		const char *name;
		size_t count;
	} known[] = {[SYS_recvfrom] = {"recvfrom", 6},
		     [SYS_sendto] = {"sendto", 6},
		     [SYS_seccomp] = {"seccomp", 3},
		     [SYS_landlock_create_ruleset] = {"landlock", 3},
		     [SYS_landlock_add_rule] = {NULL, 4},
		     [SYS_landlock_restrict_self] = {NULL, 2}};
	bool listed = (size_t)number < ARRAY_SIZE(known) && known[number].count > 0;
	size_t count = listed ? known[number].count : 6;
	long argument[6] = {0};
	va_list args;

	if (listed && known[number].name && due(known[number].name))
		return -1;
	va_start(args, number);
	for (size_t i = 0; i < count; i++)
		argument[i] = va_arg(args, long);
	va_end(args);
	return __real_syscall(number, argument[0], argument[1], argument[2], argument[3],
			      argument[4], argument[5]);
}
