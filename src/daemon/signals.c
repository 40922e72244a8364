/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See signals.h. Called by main and during startup; owns nothing. */

#include "config.h"

#include "daemon/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

const int signals_served[SIGNAL_COUNT] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1};

static void change_mask(int how)
{
	sigset_t served;

	sigemptyset(&served);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaddset(&served, signals_served[i]);
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

bool signals_stop_pending(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 &&
	       (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}
