/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Probes on one flow and what comes back: whole, altered, cut, prolonged, of another run, late,
 * again, one by one or in trains. Which probe a reply belongs to, what is wrong with it and what
 * the books hold is compared with a second, simpler book-keeping after every step.
 */

#include "config.h"

#include "fuzz/flow_model.h"

#define RUN 0x1122334455667788u
#define TRAIN_MAX 8u

/* An input is a head, and then any number of steps. */
struct head {
	uint8_t size; /* this many bytes beyond a header */
	uint8_t window;
	uint8_t lag;
	uint8_t timeout;
};

struct step {
	uint8_t what;
	uint8_t pause; /* before it */
	uint8_t sequence;
	uint8_t count;
	uint8_t place;
	uint8_t change;
};

enum { SEND, REPLY, SHORT_REPLY, LONG_REPLY, STRANGER, TRAIN, EXPIRE, LOSE, LOSE_ALL, STEPS };

static struct books books;
static struct flow flow;
static uint64_t now;

static void send_probes(const struct step *step)
{
	for (unsigned i = 0; i <= step->count % TRAIN_MAX && model.count < PROBES_MAX; i++) {
		model_send(now);
		FUZZ_CHECK(flow_send(&flow, now) == model.count);
	}
}

static void check_finding(const struct finding *a, const struct finding *b)
{
	FUZZ_CHECK(a->verdict == b->verdict && a->offset == b->offset);
	FUZZ_CHECK(a->expected == b->expected && a->got == b->got && a->inserted == b->inserted);
}

static void receive(const unsigned char *data, size_t length)
{
	unsigned char *datagram = (unsigned char *)fuzz_text(data, length);
	struct finding finding, expected;
	uint64_t sequence = flow_judge_datagram(&flow, datagram, length, &finding);
	uint64_t sent, rtt;
	enum fate fate;

	FUZZ_CHECK(sequence == model_attribute(datagram, length));
	if (sequence != 0) {
		expected = model_compare(sequence, datagram, length);
		check_finding(&finding, &expected);
		sent = model.sent[sequence].time;
		fate = flow_reply(&flow, sequence, &finding, length, now, &rtt);
		FUZZ_CHECK(fate == model_reply(sequence, finding.verdict, length, now));
		FUZZ_CHECK(rtt == (now > sent ? now - sent : 0));
	}
	free(datagram);
}

/* One of the latest, altered in one byte, or not if CHANGE is 0; the length is another one. */
static void reply(const struct step *step)
{
	unsigned char data[PROBE_MAX + TRAIN_MAX] = {0};
	size_t length = model.size;
	uint64_t back = step->sequence % (model.window + 2);
	uint64_t sequence = model.count > back ? model.count - back : 0;

	write_sent(sequence, data);
	if (step->what % STEPS == STRANGER)
		data[sizeof(uint64_t)] ^= 1; /* the run */
	data[step->place % model.size] ^= step->change;
	if (step->what % STEPS == SHORT_REPLY)
		length = step->count % model.size;
	else if (step->what % STEPS == LONG_REPLY)
		length += 1 + step->count % TRAIN_MAX;
	receive(data, length);
}

/* How many of the replies in a train the flow has to take; enters them. */
static size_t model_train(const unsigned char *data, size_t count)
{
	unsigned char sent[PROBE_MAX];
	uint64_t first = probe_sequence(data);
	uint64_t time = is_held(first) ? model.sent[first].time : 0;
	size_t taken = 0;

	if (!is_held(first) || first < model.highest || now < time || now - time > model.timeout)
		return 0;
	for (; taken < count; taken++, data += model.size) {
		uint64_t sequence = first + taken;

		if (!is_held(sequence) || !is_waiting(sequence) ||
		    model.sent[sequence].time != time)
			break;
		write_sent(sequence, sent);
		if (memcmp(data, sent, model.size) != 0)
			break;
		model_reply(sequence, VERDICT_INTACT, model.size, now);
	}
	return taken;
}

/* Several in a row, with one byte altered, or not if CHANGE is 0. */
static void train(const struct step *step)
{
	unsigned char data[(TRAIN_MAX + 1) * PROBE_MAX];
	size_t count = 1 + step->count % TRAIN_MAX;
	uint64_t back = step->sequence % (model.window + 2);
	uint64_t first = model.count > back ? model.count - back : 1;

	for (size_t i = 0; i < count; i++)
		write_sent(first + i > model.count ? 0 : first + i, data + i * model.size);
	data[step->place % (count * model.size)] ^= step->change;
	FUZZ_CHECK(flow_reply_train(&flow, data, count * model.size, now) ==
		   model_train(data, count) * model.size);
}

static void lose(uint64_t sequence)
{
	if (sequence == 0)
		return;
	flow_lose(&flow, sequence);
	model.sent[sequence].state = LOST;
}

static void take_step(const struct step *step)
{
	now += step->pause;
	switch (step->what % STEPS) {
	case SEND:
		send_probes(step);
		break;
	case TRAIN:
		train(step);
		break;
	case EXPIRE:
		flow_expire(&flow, now);
		model_expire(now);
		FUZZ_CHECK(!flow_overdue(&flow, now));
		break;
	case LOSE:
		lose(oldest_waiting());
		break;
	case LOSE_ALL:
		flow_lose_all(&flow);
		while (oldest_waiting() != 0)
			model.sent[oldest_waiting()].state = LOST;
		break;
	default:
		reply(step);
		break;
	}
	check_all(&flow);
}

static void start(const struct head *head)
{
	memset(&model, 0, sizeof(model));
	model.run = RUN;
	model.size = PROBE_HEADER_SIZE + head->size % (PROBE_MAX - PROBE_HEADER_SIZE + 1);
	model.window = 1u << head->window % 7;
	model.lag = model.window - 1;
	model.timeout = head->timeout == 0 ? UINT64_MAX : head->timeout;
	now = 1000;
	probe_prepare();
	books_clear(&books);
	FUZZ_CHECK(flow_init(&flow, RUN, model.size, model.window, &books) == 0);
	flow.timeout = model.timeout;
	if (head->lag < model.lag) {
		model.lag = head->lag;
		flow_limit_lag(&flow, head->lag);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head head;
	struct step step;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	start(&head);
	for (size_t at = sizeof(head); at + sizeof(step) <= size; at += sizeof(step)) {
		memcpy(&step, data + at, sizeof(step));
		take_step(&step);
	}
	flow_clear(&flow);
	return 0;
}
