/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See names.h. A request belongs to the list that it is on, or to the thread that works on it; the
 * lists to the mutex. A thread that hangs when the names are freed holds the last reference.
 */

#include "config.h"

#include "echom/watching/names.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/lists.h"
#include "base/stamp_format.h"
#include "daemon/bell.h"
#include "daemon/log.h"

#define STACK_SIZE (512 * 1024) /* getaddrinfo(3) and what it loads */

struct name_request {
	STAILQ_ENTRY(name_request) next;
	struct names *names;
	bool waits;	     /* on that list */
	name_answer *answer; /* NULL: cancelled. Of the probing thread alone, as the context */
	void *context;
	char address[WATCH_ADDRESS_MAX];
	char source[WATCH_SOURCE_MAX];
	struct target_options options; /* points to the two above */
	uint64_t size;
	bool found;
	struct target target;
	struct reason reason;
};

STAILQ_HEAD(name_queue, name_request);

struct names {
	pthread_mutex_t mutex;
	pthread_cond_t asked;
	unsigned references; /* the owner's, and one of each thread */
	unsigned threads;
	unsigned threads_max;
	unsigned idle;
	unsigned queued;
	bool closed;
	struct name_queue waiting;
	struct name_queue done;
	int bell_fd; /* closed with the last reference */
	struct bell bell;
};

static void free_all(struct name_queue *queue)
{
	struct name_request *request;

	while ((request = STAILQ_FIRST(queue))) {
		STAILQ_REMOVE_HEAD(queue, next);
		free(request);
	}
}

/* Called with the mutex, which it gives back. */
static void let_go(struct names *names)
{
	bool was_last = --names->references == 0;

	pthread_mutex_unlock(&names->mutex);
	if (!was_last)
		return;
	free_all(&names->waiting);
	free_all(&names->done);
	pthread_mutex_destroy(&names->mutex);
	pthread_cond_destroy(&names->asked);
	close(names->bell_fd);
	free(names);
}

static void look_up(struct name_request *request)
{
	request->found = target_resolve(&request->target, &request->options, request->size,
					&request->reason) == 0;
}

static void *run(void *arg)
{
	struct names *names = arg;

	pthread_mutex_lock(&names->mutex);
	while (!names->closed) {
		struct name_request *request = STAILQ_FIRST(&names->waiting);

		if (!request) {
			names->idle++;
			pthread_cond_wait(&names->asked, &names->mutex);
			names->idle--;
			continue;
		}
		STAILQ_REMOVE_HEAD(&names->waiting, next);
		names->queued--;
		request->waits = false;
		pthread_mutex_unlock(&names->mutex);
		look_up(request);
		pthread_mutex_lock(&names->mutex);
		STAILQ_INSERT_TAIL(&names->done, request, next);
		(void)bell_ring(names->bell_fd);
	}
	let_go(names);
	return NULL;
}

/* With the mutex. A signal is for the probing thread: it is blocked in all others. */
static int start_thread(struct names *names)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	error = pthread_create(&thread, &attributes, run, names);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return -1;
	names->threads++;
	names->references++;
	return 0;
}

static struct name_request *take_done(struct names *names)
{
	struct name_request *request;

	pthread_mutex_lock(&names->mutex);
	request = STAILQ_FIRST(&names->done);
	if (request)
		STAILQ_REMOVE_HEAD(&names->done, next);
	pthread_mutex_unlock(&names->mutex);
	return request;
}

static void on_done(void *arg)
{
	struct names *names = arg;
	struct name_request *request;

	while ((request = take_done(names))) {
		if (request->answer)
			request->answer(request->context, request->found ? &request->target : NULL,
					&request->reason);
		free(request);
	}
}

struct names *names_new(struct event_base *base, unsigned threads)
{
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (names->bell_fd < 0 ||
	    bell_hang(&names->bell, base, names->bell_fd, on_done, names) < 0) {
		if (names->bell_fd >= 0)
			close(names->bell_fd);
		free(names);
		return NULL;
	}
	names->references = 1;
	names->threads_max = threads;
	STAILQ_INIT(&names->waiting);
	STAILQ_INIT(&names->done);
	pthread_mutex_init(&names->mutex, NULL);
	pthread_cond_init(&names->asked, NULL);
	return names;
}

void names_free(struct names *names)
{
	if (!names)
		return;
	bell_remove(&names->bell);
	pthread_mutex_lock(&names->mutex);
	names->closed = true;
	pthread_cond_broadcast(&names->asked);
	let_go(names);
}

struct target_options names_options(const struct watch_settings *settings)
{
	return (struct target_options){.name = settings->address,
				       .source = settings->source[0] != '\0' ? settings->source
									     : NULL,
				       .udp = settings->protocol != WATCH_TCP,
				       .ttl = settings->protocol == WATCH_STAMP ? STAMP_TTL : 0,
				       .tos = (uint8_t)(settings->dscp << 2)};
}

/* With the mutex: idle threads have one to take for each that was queued. -1: nobody would. */
static int find_thread(struct names *names)
{
	if (names->queued < names->idle || names->threads == names->threads_max)
		return 0;
	return start_thread(names) == 0 || names->threads > 0 ? 0 : -1;
}

static int queue(struct names *names, struct name_request *request, bool failed)
{
	int result;

	pthread_mutex_lock(&names->mutex);
	result = find_thread(names);
	if (result == 0) {
		if (failed)
			STAILQ_INSERT_TAIL(&names->waiting, request, next);
		else
			STAILQ_INSERT_HEAD(&names->waiting, request, next);
		names->queued++;
		request->waits = true;
		pthread_cond_signal(&names->asked);
	}
	pthread_mutex_unlock(&names->mutex);
	return result;
}

struct name_request *names_ask(struct names *names, const struct watch_settings *settings,
			       bool failed, name_answer *answer, void *context)
{
	struct name_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->names = names;
	request->answer = answer;
	request->context = context;
	request->size = settings->size;
	request->options = names_options(settings);
	memcpy(request->address, settings->address, sizeof(request->address));
	memcpy(request->source, settings->source, sizeof(request->source));
	request->options.name = request->address;
	if (request->options.source)
		request->options.source = request->source;
	if (queue(names, request, failed) == 0)
		return request;
	free(request);
	return NULL;
}

/* With the mutex. False: a thread has it, or it is done. */
static bool take_back(struct names *names, struct name_request *request)
{
	if (!request->waits)
		return false;
	STAILQ_REMOVE(&names->waiting, request, name_request, next);
	names->queued--;
	return true;
}

void names_cancel(struct name_request *request)
{
	struct names *names = request ? request->names : NULL;
	bool unused;

	if (!request)
		return;
	pthread_mutex_lock(&names->mutex);
	unused = take_back(names, request);
	pthread_mutex_unlock(&names->mutex);
	if (unused)
		free(request);
	else
		request->answer = NULL;
}
