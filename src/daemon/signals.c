/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See signals.h. Called by main and during startup; owns nothing. */

#include "config.h"

#include "daemon/signals.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>

static const int served_signals[SIGNAL_COUNT] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1};

static void change_mask(int how)
{
	sigset_t served;

	sigemptyset(&served);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaddset(&served, served_signals[i]);
	pthread_sigmask(how, &served, NULL);
}

void signals_block(void)
{
	change_mask(SIG_BLOCK);
}

void signals_unblock(void)
{
	change_mask(SIG_UNBLOCK);
}

int signals_attach(struct event events[static SIGNAL_COUNT], struct event_base *base,
		   void (*callback)(int number, short what, void *arg), void *arg)
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		evsignal_assign(&events[i], base, served_signals[i], callback, arg);
		if (event_add(&events[i], NULL) < 0)
			return -1;
	}
	return 0;
}

void signals_detach(struct event events[static SIGNAL_COUNT])
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		if (event_initialized(&events[i]))
			event_del(&events[i]);
	}
}

bool signals_stop_pending(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}
