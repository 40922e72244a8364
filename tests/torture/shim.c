/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Preloaded into the echod under test: its allocations, and those of its libraries, are counted and
 * fail as a page shared with the test says, which the test may change at any time. Works with ASan,
 * whose functions come next.
 */

#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The calls, counted from 1, of which those from FIRST to LAST fail. */
struct fault {
	_Atomic uint64_t count;
	_Atomic uint64_t first;
	_Atomic uint64_t last;
	_Atomic uint64_t failed;
};

/* The layout is also defined in faults.py. */
struct page {
	_Atomic uint64_t in_main; /* nothing fails before main or after it */
	_Atomic uint64_t close_error;
	struct fault allocation;
	struct fault closing;
};

typedef int main_function(int argc, char **argv, char **environment);
typedef int start_function(main_function *main, int argc, char **argv, void (*init)(void),
			   void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

static struct page nowhere;
static struct page *page = &nowhere;
static main_function *real_main;

/* Accessed without a function that allocates. */
static _Thread_local __attribute__((tls_model("initial-exec"))) bool exempt;

/* The function called without this library; dlsym returns an object pointer. */
#define NEXT(name)                                                                                 \
	({                                                                                         \
		static __typeof__(&(name)) next;                                                   \
		if (!next)                                                                         \
			*(void **)&next = dlsym(RTLD_NEXT, #name);                                 \
		next;                                                                              \
	})

static bool fails(struct fault *fault)
{
	uint64_t number;

	if (exempt || !atomic_load(&page->in_main))
		return false;
	number = atomic_fetch_add(&fault->count, 1) + 1;
	if (number < atomic_load(&fault->first) || number > atomic_load(&fault->last))
		return false;
	atomic_fetch_add(&fault->failed, 1);
	return true;
}

static bool no_memory(void)
{
	if (!fails(&page->allocation))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return no_memory() ? NULL : NEXT(malloc)(size);
}

void *calloc(size_t count, size_t size)
{
	return no_memory() ? NULL : NEXT(calloc)(count, size);
}

void *realloc(void *old, size_t size)
{
	return no_memory() ? NULL : NEXT(realloc)(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	return no_memory() ? NULL : NEXT(reallocarray)(old, count, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return no_memory() ? NULL : NEXT(aligned_alloc)(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	return no_memory() ? ENOMEM : NEXT(posix_memalign)(memory, alignment, size);
}

/* ASan's does not call malloc. */
char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

/* The descriptor is always closed, as the kernel does. */
int close(int fd)
{
	int result = NEXT(close)(fd);

	if (result == 0 && fails(&page->closing)) {
		errno = (int)atomic_load(&page->close_error);
		return -1;
	}
	return result;
}

/* Only ASan calls this, for each new thread, and does not survive a failure. */
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
	int result;

	exempt = true;
	result = NEXT(pthread_getattr_np)(thread, attributes);
	exempt = false;
	return result;
}

/* glibc 2.36 crashes if it runs out of memory while reading its user databases. */
int getpwnam_r(const char *name, struct passwd *user, char *buffer, size_t size,
	       struct passwd **found)
{
	int result;

	exempt = true;
	result = NEXT(getpwnam_r)(name, user, buffer, size, found);
	exempt = false;
	return result;
}

static int watched_main(int argc, char **argv, char **environment)
{
	int result;

	atomic_store(&page->in_main, 1);
	result = real_main(argc, argv, environment);
	atomic_store(&page->in_main, 0);
	return result;
}

static void map_page(void)
{
	const char *path = getenv("TORTURE_PAGE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory;

	if (fd < 0)
		return;
	memory = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory != MAP_FAILED)
		page = memory;
	NEXT(close)(fd);
}

/* glibc's function that calls main. */
int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	start_function *start = NEXT(__libc_start_main);

	map_page();
	real_main = main;
	return start(watched_main, argc, argv, init, fini, rtld_fini, stack_end);
}
