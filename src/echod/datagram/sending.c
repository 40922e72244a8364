/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See sending.h. */

#include "config.h"

#include "echod/datagram/sending.h"

#include <errno.h>

#include "base/clock.h"
#include "echod/datagram/batch.h"
#include "echod/datagram/modes/mode.h"
#include "echod/datagram/train.h"

/* The control messages without the last one, UDP_SEGMENT. */
static void make_plain(struct msghdr *message)
{
	message->msg_controllen =
		(socklen_t)(message->msg_controllen - CMSG_SPACE(sizeof(uint16_t)));
}

static void drop(struct udp_sent *sent, const struct udp_reply *reply, unsigned datagrams,
		 int error)
{
	if (sent->dropped == 0) {
		sent->error = error;
		sent->index = reply->index;
	}
	sent->dropped += datagrams;
}

/*
 * A train that cannot be sent in one call (more datagrams than the kernel takes, larger than the
 * path takes, a device that cannot cut): again in pieces of PER_CALL datagrams.
 */
static void send_pieces(int fd, const struct msghdr *train, const struct udp_reply *reply,
			unsigned per_call, struct udp_sent *sent)
{
	unsigned segment = reply->segment;
	struct msghdr message = *train;
	size_t left = train->msg_iov->iov_len;
	struct iovec piece = *train->msg_iov;
	unsigned datagrams;

	message.msg_iov = &piece;
	if (per_call == 1)
		make_plain(&message);
	for (; left > 0; left -= piece.iov_len) {
		piece.iov_len =
			left < (size_t)segment * per_call ? left : (size_t)segment * per_call;
		datagrams = (unsigned)((piece.iov_len + segment - 1) / segment);
		if (sendmsg(fd, &message, MSG_DONTWAIT) >= 0) {
			sent->datagrams += datagrams;
			sent->bytes += piece.iov_len;
		} else if (per_call > 1 && errno != EAGAIN) {
			send_pieces(fd, &message, reply, 1, sent);
		} else {
			drop(sent, reply, datagrams, errno);
		}
		piece.iov_base = (char *)piece.iov_base + piece.iov_len;
	}
}

/*
 * The first unsent reply failed. If its datagrams go one by one, the size of the segments was to
 * blame; if not, the reason has nothing to do with trains.
 */
static void send_failed(struct udp_batch *batch, unsigned at, int fd, struct udp_sent *sent)
{
	const struct udp_reply *reply = &batch->replies[at];
	unsigned per_call = reply->datagrams > SEGMENTS_MAX ? SEGMENTS_MAX : 1;
	unsigned before = sent->datagrams;
	int error = errno;

	if (reply->segment == 0 || (error != EINVAL && error != EMSGSIZE && error != EIO)) {
		drop(sent, reply, reply->datagrams, error);
		return;
	}
	send_pieces(fd, &batch->out[at].msg_hdr, reply, per_call, sent);
	if (per_call == 1 && sent->datagrams > before)
		udp_train_refused(batch, &batch->out[at].msg_hdr, reply->segment, error);
}

static void drop_rest(const struct udp_batch *batch, unsigned from, struct udp_sent *sent)
{
	for (unsigned i = from; i < batch->out_count; i++)
		drop(sent, &batch->replies[i], batch->replies[i].datagrams, EAGAIN);
}

static void count_sent(const struct udp_batch *batch, unsigned from, unsigned count,
		       struct udp_sent *sent)
{
	for (unsigned i = from; i < from + count; i++) {
		sent->datagrams += batch->replies[i].datagrams;
		sent->bytes += batch->out_data[i].iov_len;
	}
}

struct udp_sent udp_batch_send(struct udp_batch *batch, int fd, bool per_peer)
{
	struct udp_sent sent = {0};
	unsigned at = 0;
	int count;

	while (at < batch->out_count) {
		count = sendmmsg(fd, &batch->out[at], batch->out_count - at, MSG_DONTWAIT);
		if (count > 0) {
			count_sent(batch, at, (unsigned)count, &sent);
			at += (unsigned)count;
			continue;
		}
		if (errno == EAGAIN && !per_peer) {
			/* The send buffer is full; what follows would only fail the same way. */
			drop_rest(batch, at, &sent);
			break;
		}
		send_failed(batch, at++, fd, &sent);
	}
	return sent;
}

static void seal(const struct datagram_mode *mode, struct question *questions, unsigned count)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (unsigned i = 0; i < count; i++) {
		struct session *session = questions[i].session;

		mode->seal(&questions[i], &now);
		if (!session)
			continue;
		questions[i].session_sent_at = session_sent_at(session);
		session_count_transmitted(session, timespec_ns(&now));
	}
}

/* The last one first, so that what its session knew before the first one comes back. */
static void unseal(const struct question *questions, unsigned count)
{
	while (count-- > 0) {
		if (questions[count].session)
			session_take_back(questions[count].session,
					  questions[count].session_sent_at);
	}
}

static void note_unanswered(const struct datagram_mode *mode, struct question *questions,
			    unsigned count)
{
	for (unsigned i = 0; mode->unanswered && i < count; i++)
		mode->unanswered(&questions[i]);
}

struct udp_sent udp_batch_send_sealed(struct udp_batch *batch, int fd,
				      const struct datagram_mode *mode, struct question *questions)
{
	struct udp_sent sent = {0};
	unsigned at = 0;

	while (at < batch->out_count) {
		unsigned left = batch->out_count - at;
		unsigned count = left < ANSWERS_SEALED ? left : ANSWERS_SEALED;
		int done, error;

		seal(mode, &questions[at], count);
		done = sendmmsg(fd, &batch->out[at], count, MSG_DONTWAIT);
		error = errno;
		if (done > 0) {
			unseal(&questions[at + (unsigned)done], count - (unsigned)done);
			count_sent(batch, at, (unsigned)done, &sent);
			at += (unsigned)done;
			continue;
		}
		unseal(&questions[at], count);
		count = error == EAGAIN ? left : 1;
		note_unanswered(mode, &questions[at], count);
		for (; count > 0; count--, at++)
			drop(&sent, &batch->replies[at], batch->replies[at].datagrams, error);
	}
	return sent;
}
