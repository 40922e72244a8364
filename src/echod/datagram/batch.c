/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See batch.h. */

#include "config.h"

#include "echod/datagram/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

struct udp_batch *udp_batch_new(void)
{
	struct udp_batch *batch = calloc(1, sizeof(*batch));
	void *payload;

	if (!batch)
		return NULL;
	payload = mmap(NULL, BATCH_SIZE * DATAGRAM_MAX, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (payload == MAP_FAILED) {
		free(batch);
		return NULL;
	}
	batch->payload = payload;
	for (unsigned i = 0; i < BATCH_SIZE; i++) {
		batch->in_data[i].iov_base = batch->payload[i];
		batch->in_data[i].iov_len = DATAGRAM_MAX;
		batch->in[i].msg_hdr.msg_name = &batch->peers[i].sa;
		batch->in[i].msg_hdr.msg_iov = &batch->in_data[i];
		batch->in[i].msg_hdr.msg_iovlen = 1;
		batch->in[i].msg_hdr.msg_control = &batch->in_control[i];
		batch->out[i].msg_hdr.msg_iov = &batch->out_data[i];
		batch->out[i].msg_hdr.msg_iovlen = 1;
	}
	return batch;
}

void udp_batch_free(struct udp_batch *batch)
{
	if (!batch)
		return;
	munmap(batch->payload, BATCH_SIZE * DATAGRAM_MAX);
	free(batch);
}

void udp_batch_give_back(struct udp_batch *batch)
{
	(void)madvise(batch->payload, BATCH_SIZE * DATAGRAM_MAX, MADV_DONTNEED);
}

int udp_batch_receive(struct udp_batch *batch, int fd, bool with_notes, unsigned most)
{
	socklen_t room = with_notes ? sizeof(batch->in_control[0]) : 0;
	int count;

	for (unsigned i = 0; i < most; i++) {
		batch->in[i].msg_hdr.msg_namelen = sizeof(batch->peers[i].un);
		batch->in[i].msg_hdr.msg_controllen = room;
	}
	batch->out_count = 0;
	count = recvmmsg(fd, batch->in, most, MSG_DONTWAIT, NULL);
	return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : count;
}

struct msghdr *udp_batch_reply(struct udp_batch *batch, unsigned index, size_t size,
			       struct udp_reply reply)
{
	unsigned at = batch->out_count++;
	struct msghdr *out = &batch->out[at].msg_hdr;
	const struct msghdr *in = &batch->in[index].msg_hdr;

	reply.index = index;
	batch->replies[at] = reply;
	batch->out_data[at].iov_base = batch->payload[index];
	batch->out_data[at].iov_len = size;
	out->msg_name = in->msg_name;
	out->msg_namelen = in->msg_namelen;
	out->msg_control = NULL;
	out->msg_controllen = 0;
	return out;
}
