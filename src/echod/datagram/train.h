/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Trains of our own making: replies of one batch to one peer leave in one call, and the kernel cuts
 * them apart again. What arrives is the same, boundaries, order and hop limit; most of what a small
 * datagram costs is the way through the kernel, and that is then taken once for all of them.
 */

#pragma once

#include "echod/datagram/batch.h"

/*
 * Puts the last reply of the batch, complete with its control messages, at the end of an earlier
 * one to the same peer, if they may go together; else leaves it as it is.
 */
void udp_train_join(struct udp_batch *batch, int fd);

/*
 * A TRAIN of datagrams of SEGMENT bytes could not be sent as one: for half a minute no more of them
 * are made for its peer.
 */
void udp_train_refused(struct udp_batch *batch, const struct msghdr *train, unsigned segment,
		       int error);
