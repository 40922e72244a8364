/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See silent_flow.h. Datagrams are those of a STAMP sender: a reflector reports the address that it
 * sees, and an echo server returns them.
 */

#include "config.h"

#include "echoc/idle/silent_flow.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/big_endian.h"
#include "base/clock.h"

#define EACH NS_PER_S
#define WARM_SENDS 4 /* over more than the 2 s after which Linux takes a flow for established */
#define SPARE_SENDS 3
#define ASK_SENDS 3
#define MESSAGE_SIZE 64 /* over TCP */

void silent_flow_start(struct silent_flow *flow, const struct silent_form *form, int fd,
		       uint64_t wait, uint64_t now)
{
	*flow = (struct silent_flow){.form = form, .fd = fd, .wait = wait, .due = now};
}

void silent_flow_end(struct silent_flow *flow)
{
	if (flow->fd >= 0)
		close(flow->fd);
	flow->fd = -1;
}

static void finish(struct silent_flow *flow, enum memory_fate fate, enum silent_sign sign)
{
	flow->state = STATE_DONE;
	flow->fate = fate;
	flow->sign = sign;
	flow->due = NEVER;
	silent_flow_end(flow);
}

static void send_datagram(struct silent_flow *flow, uint64_t now)
{
	const struct stamp_form *form = flow->form->form;
	struct stamp_question question = {.sequence = flow->next++,
					  .time = stamp_time_of(now + flow->form->offset),
					  .error = STAMP_UNSYNCHRONISED_ESTIMATE};
	uint8_t packet[STAMP_LEAST_MAX];

	flow->times[question.sequence % FLOW_SENDS_MAX] = question.time;
	stamp_write(form, &question, packet);
	if (send(flow->fd, packet, form->size, MSG_NOSIGNAL) < 0)
		(void)send(flow->fd, packet, form->size, MSG_NOSIGNAL); /* an earlier one's error */
}

static void send_something(struct silent_flow *flow, uint64_t now)
{
	static const char message[MESSAGE_SIZE] = "echoc idle\n";

	if (flow->form->datagram)
		send_datagram(flow, now);
	else
		(void)!send(flow->fd, message, sizeof(message), MSG_NOSIGNAL);
	flow->sends++;
	flow->due = now + EACH;
}

static void be_silent(struct silent_flow *flow)
{
	flow->state = STATE_SILENT;
	flow->due = flow->heard + flow->wait;
}

static void warm_up(struct silent_flow *flow, uint64_t now)
{
	unsigned wanted = flow->form->fresh ? 1 : WARM_SENDS;

	if (flow->wait != NEVER && flow->heard != 0 && flow->sends >= wanted)
		be_silent(flow);
	else if (flow->wait != NEVER && flow->sends >= wanted + SPARE_SENDS)
		finish(flow, FATE_UNANSWERED, SIGN_NONE);
	else
		send_something(flow, now);
}

static void ask(struct silent_flow *flow, uint64_t now)
{
	if (flow->sends < ASK_SENDS)
		send_something(flow, now);
	else
		finish(flow, FATE_FORGOTTEN, SIGN_SILENCE);
}

void silent_flow_step(struct silent_flow *flow, uint64_t now)
{
	switch (flow->state) {
	case STATE_WARMING:
		warm_up(flow, now);
		break;
	case STATE_SILENT:
		flow->state = STATE_ASKING;
		flow->sends = 0;
		flow->asked = now;
		ask(flow, now);
		break;
	case STATE_ASKING:
		ask(flow, now);
		break;
	case STATE_DONE:
	default:
		break;
	}
}

/* It was answered from an address, if that is known. */
static void hear(struct silent_flow *flow, const struct address *seen, uint64_t now)
{
	flow->heard = now;
	if (flow->state == STATE_WARMING) {
		flow->before = *seen;
		flow->located = seen->length > 0;
	} else if (flow->state == STATE_SILENT) {
		be_silent(flow); /* a late reply refreshes what is remembered */
	} else if (flow->located && seen->length > 0 && !address_equal(seen, &flow->before)) {
		flow->after = *seen;
		finish(flow, FATE_FORGOTTEN, SIGN_ADDRESS);
	} else {
		finish(flow, FATE_KEPT, SIGN_NONE);
	}
}

static bool is_ours(const struct silent_flow *flow, uint32_t sequence, uint64_t time)
{
	return sequence < flow->next && flow->next - sequence <= FLOW_SENDS_MAX &&
	       stamp_repeats(time, flow->times[sequence % FLOW_SENDS_MAX]);
}

static void take_datagram(struct silent_flow *flow, const uint8_t *packet, size_t size,
			  uint64_t now)
{
	const struct stamp_form *form = flow->form->form;
	const struct stamp_layout *layout =
		form->key ? &stamp_authenticated : &stamp_unauthenticated;
	const struct address unknown = {.length = 0};
	struct stamp_answer answer;

	if (size == form->size && is_ours(flow, get32(packet), get64(packet + layout->time))) {
		hear(flow, &unknown, now); /* an echo server */
		return;
	}
	if (stamp_read(form, packet, size, &answer) == 0 &&
	    is_ours(flow, answer.request_sequence, answer.request_time))
		hear(flow, &answer.source, now);
}

/* A reset in answer to what we sent is a forgetful firewall's; otherwise the far side closed it. */
static void end_connection(struct silent_flow *flow, bool with_reset, uint64_t now)
{
	flow->closed = now - flow->heard;
	if (flow->heard == 0)
		finish(flow, FATE_UNANSWERED, SIGN_NONE);
	else if (with_reset && flow->state == STATE_ASKING)
		finish(flow, FATE_FORGOTTEN, SIGN_RESET);
	else
		finish(flow, FATE_CLOSED, SIGN_NONE);
}

void silent_flow_read(struct silent_flow *flow, uint64_t now)
{
	const struct address unknown = {.length = 0};
	uint8_t data[STAMP_LEAST_MAX];
	ssize_t size = recv(flow->fd, data, sizeof(data), 0);

	if (flow->form->datagram) {
		if (size >= 0)
			take_datagram(flow, data, (size_t)size, now);
	} else if (size > 0) {
		hear(flow, &unknown, now);
	} else if (size == 0 || errno != EAGAIN) {
		end_connection(flow, size < 0, now);
	}
}
