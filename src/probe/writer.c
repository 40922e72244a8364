/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The sending side of a TCP connection: many small probes in one send, large ones in pieces that
 * are not copied. Owns nothing; ping and bench use it alike.
 */

#include "config.h"

#include "probe/writer.h"

#include <errno.h>
#include <sys/socket.h>

/* From this size on pieces of the pattern are handed over where they lie. */
#define GATHER_SIZE 8192u
#define GATHER_PIECES 36 /* a header and a MiB */

void writer_start(struct writer *writer, const struct flow *flow)
{
	*writer = (struct writer){.sequence = flow_oldest(flow)};
}

bool writer_pending(const struct writer *writer, const struct flow *flow)
{
	return writer->sequence < flow_next(flow);
}

static void advance(struct writer *writer, const struct flow *flow, size_t count)
{
	writer->offset += count;
	while (writer->offset >= flow->size) {
		writer->offset -= flow->size;
		writer->sequence++;
	}
}

/* Writes what is pending into SCRATCH, as far as it fits; how much that is. */
static size_t fill(const struct writer *writer, const struct flow *flow, unsigned char *scratch,
		   size_t size)
{
	uint64_t sequence = writer->sequence;
	size_t offset = writer->offset;
	size_t filled = 0;

	while (sequence < flow_next(flow) && filled < size) {
		struct probe probe = flow_probe(flow, sequence);
		size_t length = flow->size - offset;

		if (length > size - filled)
			length = size - filled;
		probe_write(&probe, offset, scratch + filled, length);
		filled += length;
		offset = 0;
		sequence++;
	}
	return filled;
}

/* How much was offered; *SENT is what send returned. */
static size_t offer_copy(const struct writer *writer, const struct flow *flow, int fd,
			 unsigned char *scratch, size_t size, ssize_t *sent)
{
	size_t offered = fill(writer, flow, scratch, size);

	*sent = send(fd, scratch, offered, MSG_NOSIGNAL);
	return offered;
}

static size_t offer_pieces(const struct writer *writer, const struct flow *flow, int fd,
			   ssize_t *sent)
{
	unsigned char header[PROBE_HEADER_SIZE];
	struct iovec pieces[GATHER_PIECES];
	struct probe probe = flow_probe(flow, writer->sequence);
	struct msghdr message = {.msg_iov = pieces};
	size_t offered = 0;
	int count = probe_pieces(&probe, writer->offset, flow->size - writer->offset, header,
				 pieces, GATHER_PIECES);

	message.msg_iovlen = (size_t)count;
	for (int i = 0; i < count; i++)
		offered += pieces[i].iov_len;
	*sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	return offered;
}

void writer_flush(struct writer *writer, const struct flow *flow, int fd, unsigned char *scratch,
		  size_t size)
{
	while (writer_pending(writer, flow)) {
		size_t offered;
		ssize_t sent;

		if (flow->size >= GATHER_SIZE)
			offered = offer_pieces(writer, flow, fd, &sent);
		else
			offered = offer_copy(writer, flow, fd, scratch, size, &sent);
		if (sent < 0) {
			if (errno != EAGAIN && errno != EINTR)
				shutdown(fd, SHUT_RDWR);
			return;
		}
		advance(writer, flow, (size_t)sent);
		if ((size_t)sent < offered)
			return;
	}
}
