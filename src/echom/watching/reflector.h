/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a watch over STAMP knows of the far side: a session for each source port, which way its
 * probes were lost, hops and marks. Nothing that the far side says is trusted further than its own
 * figures. Owned by the watch.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "echom/config/watchlist.h"
#include "probe/directional_loss.h"
#include "probe/stamp_session.h"

/* There is the way to the far side, back that of the replies. */
enum way { WAY_THERE, WAY_BACK, WAYS };

/* One source port. */
struct reflector_port {
	struct stamp_session session;
	struct directional_loss loss;
	uint64_t lost;	       /* of its probes */
	uint64_t on_way[WAYS]; /* of these; never less than before */
	bool counts;	       /* the far side counts its replies to this port, */
	bool consistent;       /* and to no other one, as far as the counts show */
};

struct reflector {
	uint8_t dscp;		  /* of the probes, and wanted for the replies */
	bool is_echo;		  /* it returned a request as it was */
	struct far_report report; /* of the reply that is being processed */
	int far_ttl;		  /* with which its probe arrived there; 0: it does not say */
	int dscp_changed[WAYS];	  /* 0 or 1, of the latest reply; -1: not known */
	size_t count;
	struct reflector_port ports[];
};

/* NULL without memory. */
struct reflector *reflector_new(const struct watch_settings *settings, size_t ports) WARN_UNUSED;

/* The size of a probe. */
size_t reflector_size(const struct reflector *reflector);

/* Writes a probe that leaves from PORT. */
void reflector_write(const struct reflector *reflector, size_t port, const struct probe *probe,
		     uint8_t *packet);

/* A datagram that came to a port. */
struct arrival {
	const uint8_t *data; /* not owned, as what follows the length */
	size_t length;
	const struct receiver *receiver;
	const struct reception *reception;
};

/* The sequence that one which came to PORT is the reply to; 0: of none. */
uint64_t reflector_judge(struct reflector *reflector, size_t port, const struct flow *flow,
			 const struct arrival *arrival, struct finding *finding);

/* The reply that was judged last had FATE; WAITING: how many probes have none yet. */
void reflector_enter(struct reflector *reflector, size_t port, uint64_t sequence, uint64_t time,
		     enum fate fate, uint64_t waiting);

/* A probe of PORT is given up. */
void reflector_lose(struct reflector *reflector, size_t port, uint64_t waiting);

/* How many probes were lost on each way, as far as is known; false: the far side does not tell. */
bool reflector_lost(const struct reflector *reflector, uint64_t lost[static WAYS]);
