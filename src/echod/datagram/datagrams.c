/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See datagrams.h. */

#include "config.h"

#include "echod/datagram/datagrams.h"

#include <event2/event.h>
#include <stdlib.h>

#include "echod/datagram/batch.h"
#include "echod/datagram/repeats.h"

static const struct timeval quiet_time = {.tv_sec = 1};

static void on_quiet(int fd UNUSED, short what UNUSED, void *arg)
{
	struct datagrams *datagrams = arg;
	struct udp_batch *batch = datagrams->batch;

	if (!batch->used)
		udp_batch_give_back(batch);
	else
		(void)event_add(&datagrams->quiet, &quiet_time);
	batch->used = false;
}

struct datagrams *datagrams_new(struct event_base *base)
{
	struct datagrams *datagrams = calloc(1, sizeof(*datagrams));

	if (!datagrams)
		return NULL;
	event_assign(&datagrams->quiet, base, -1, 0, on_quiet, datagrams);
	datagrams->batch = udp_batch_new();
	datagrams->repeats = udp_repeats_new();
	if (datagrams->batch && datagrams->repeats)
		return datagrams;
	datagrams_free(datagrams);
	return NULL;
}

void datagrams_free(struct datagrams *datagrams)
{
	if (!datagrams)
		return;
	event_del(&datagrams->quiet);
	udp_batch_free(datagrams->batch);
	udp_repeats_free(datagrams->repeats);
	free(datagrams);
}

void datagrams_note_use(struct datagrams *datagrams)
{
	datagrams->batch->used = true;
	if (!event_pending(&datagrams->quiet, EV_TIMEOUT, NULL))
		(void)event_add(&datagrams->quiet, &quiet_time);
}
