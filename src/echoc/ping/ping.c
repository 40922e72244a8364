/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * ping: when a probe is due, when one is given up, and when to end. Owns the pinger; main calls it.
 */

#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/events.h"
#include "echoc/command/mode.h"
#include "echoc/command/signals.h"
#include "echoc/ping/pinger.h"
#include "echoc/ping/wire.h"
#include "echoc/say/report.h"
#include "probe/stopped.h"

#define WINDOW_MIN 1024u
#define WINDOW_MAX (1u << 20)
#define BUFFER_SIZE (256u << 10)
#define ATTEMPTS 8 /* to connect, at a time */
#define LINGER_MIN (20 * NS_PER_MS)

static uint64_t timeout_of(const struct pinger *pinger)
{
	return pinger->arguments->timeout_ms * NS_PER_MS;
}

static void arm_expiry(struct pinger *pinger)
{
	uint64_t oldest = flow_oldest_waiting(&pinger->flow);

	if (oldest != 0)
		events_arm(&pinger->expiry_timer,
			   flow_sent_at(&pinger->flow, oldest) + timeout_of(pinger));
}

/* The last reply may have a duplicate close behind it. */
static uint64_t linger(const struct pinger *pinger)
{
	uint64_t longest = pinger->books.latency.max > pinger->total.latency.max
				   ? pinger->books.latency.max
				   : pinger->total.latency.max;
	uint64_t wait = 2 * longest > LINGER_MIN ? 2 * longest : LINGER_MIN;

	return wait < timeout_of(pinger) ? wait : timeout_of(pinger);
}

static bool has_sent_all(const struct pinger *pinger)
{
	return pinger->stopped != 0 ||
	       (pinger->arguments->count > 0 && pinger->fired >= pinger->arguments->count);
}

/* Everything sent has been settled. */
static void end_if_done(struct pinger *pinger)
{
	if (has_sent_all(pinger) && flow_waiting(&pinger->flow) == 0 &&
	    !event_pending(&pinger->end_timer, EV_TIMEOUT, NULL))
		events_arm(&pinger->end_timer,
			   clock_ns() + (pinger->stopped != 0 ? 0 : linger(pinger)));
}

static void on_reply(void *context, uint64_t sequence, const struct finding *finding, size_t bytes)
{
	pinger_settle_reply(context, sequence, finding, bytes);
	end_if_done(context);
}

static void on_lost(void *context, uint64_t sequence, const char *why)
{
	pinger_settle_lost(context, sequence, why);
	end_if_done(context);
}

static void on_note(void *context, const char *what, int error)
{
	const struct pinger *pinger = context;

	ping_output_note(&pinger->output, what, error);
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	ping_read(context, clock_ns());
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	ping_flush(context);
}

static void on_reconnected(void *context)
{
	ping_prepare(context);
	ping_flush(context);
}

static const struct link_user link_user = {
	.readable = on_readable,
	.writable = on_writable,
	.reconnected = on_reconnected,
	.reply = on_reply,
	.lost = on_lost,
	.note = on_note,
};

/* After a stop of ours the replies may wait in the socket: they come first. */
static void on_expiry(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct pinger *pinger = context;
	uint64_t now = clock_ns();

	ping_read(pinger, now);
	if (flow_overdue(&pinger->flow, now)) {
		pinger_enter_pause(pinger, 0);
		do
			pinger_settle_overdue(pinger, flow_oldest(&pinger->flow));
		while (flow_overdue(&pinger->flow, now));
		ping_end_silent(pinger, now);
		end_if_done(pinger);
	}
	arm_expiry(pinger);
}

/* The next one after those that were sent or skipped. */
static uint64_t next_due(const struct pinger *pinger)
{
	return pinger->paced_from + pinger->fired * pinger->arguments->interval_ms * NS_PER_MS;
}

/* After a stop of ours: continue, do not catch up. Returns how long it was, 0 if there was none. */
static uint64_t skip_missed(struct pinger *pinger)
{
	uint64_t interval = pinger->arguments->interval_ms * NS_PER_MS;
	uint64_t due = next_due(pinger);
	uint64_t now = clock_ns();

	if (due + interval + STOPPED_BEHIND >= now)
		return 0;
	pinger->books.skipped += (now - due) / interval;
	pinger->paced_from += (now - due) / interval * interval;
	return (now - due) / interval * interval;
}

static void on_send(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct pinger *pinger = context;

	if (has_sent_all(pinger))
		return;
	/* Over TCP a reply that waits would get the stamp of the next one, if that came first. */
	ping_read(pinger, clock_ns());
	pinger_enter_pause(pinger, skip_missed(pinger));
	pinger->fired++;
	pinger->link.wanted = !has_sent_all(pinger);
	ping_send(pinger);
	if (!event_pending(&pinger->expiry_timer, EV_TIMEOUT, NULL))
		arm_expiry(pinger);
	if (!has_sent_all(pinger))
		events_arm(&pinger->send_timer, next_due(pinger));
	end_if_done(pinger);
}

static void on_end(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct pinger *pinger = context;

	event_base_loopbreak(pinger->base);
}

/* Sends no more; what is on its way is awaited. */
static void stop(struct pinger *pinger, uint64_t now)
{
	if (!has_sent_all(pinger))
		(void)skip_missed(pinger);
	pinger->stopped = now;
	pinger->link.wanted = false;
	event_del(&pinger->send_timer);
	end_if_done(pinger);
}

static void on_deadline(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	stop(context, clock_ns());
}

/* The first one stops and waits for what is on its way, the second one does not. */
static void on_stop(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct pinger *pinger = context;
	uint64_t now = clock_ns();

	if (signal_is_repeated(pinger->stopped, now))
		return;
	if (pinger->stopped != 0)
		event_base_loopbreak(pinger->base);
	stop(pinger, now);
}

static void on_quit(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	pinger_print_progress(context);
}

static void on_report(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	pinger_report(context);
}

static int make_events(struct pinger *pinger)
{
	static const int signals[PING_SIGNALS] = {SIGINT, SIGTERM, SIGQUIT};

	pinger->base =
		events_new_base(EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME);
	if (!pinger->base)
		return -1;
	evtimer_assign(&pinger->send_timer, pinger->base, on_send, pinger);
	evtimer_assign(&pinger->expiry_timer, pinger->base, on_expiry, pinger);
	evtimer_assign(&pinger->end_timer, pinger->base, on_end, pinger);
	evtimer_assign(&pinger->deadline_timer, pinger->base, on_deadline, pinger);
	event_assign(&pinger->report_timer, pinger->base, -1, EV_PERSIST, on_report, pinger);
	for (size_t i = 0; i < PING_SIGNALS; i++)
		evsignal_assign(&pinger->signals[i], pinger->base, signals[i],
				signals[i] == SIGQUIT ? on_quit : on_stop, pinger);
	return 0;
}

static size_t window_size(const struct arguments *arguments)
{
	uint64_t size = 2 * arguments->timeout_ms / arguments->interval_ms;

	if (size < WINDOW_MIN)
		return WINDOW_MIN;
	return size > WINDOW_MAX ? WINDOW_MAX : (size_t)size;
}

/* There is one socket only for a source port. */
static unsigned attempts_of(const struct target *target)
{
	return address_port(&target->source) != 0 ? 1 : ATTEMPTS;
}

static void pinger_clear(struct pinger *pinger)
{
	link_clear(&pinger->link);
	if (pinger->base)
		event_base_free(pinger->base);
	flow_clear(&pinger->flow);
	far_side_clear(&pinger->far);
	far_side_clear(&pinger->far_interval);
	free(pinger->buffer);
}

static const struct ping_wire *wire_of(const struct arguments *arguments)
{
	if (arguments->stamp)
		return &ping_wire_stamp;
	return arguments->plus ? &ping_wire_plus : &ping_wire_echo;
}

static int pinger_init(struct pinger *pinger, const struct arguments *arguments,
		       struct target *target, struct reason *reason)
{
	memset(pinger, 0, sizeof(*pinger));
	pinger->arguments = arguments;
	pinger->target = target;
	pinger->wire = wire_of(arguments);
	pinger->report = no_far_report;
	outages_init(&pinger->outages, arguments->outage > 0 ? arguments->outage : OUTAGE_DEFAULT);
	pinger->buffer_size = BUFFER_SIZE;
	pinger->buffer = malloc(pinger->buffer_size);
	if (getrandom(&pinger->run, sizeof(pinger->run), 0) < 0)
		return reason_set(reason, "no random number for the run");
	if (!pinger->buffer || make_events(pinger) < 0 ||
	    flow_init(&pinger->flow, pinger->run, (size_t)arguments->size, window_size(arguments),
		      &pinger->books) < 0)
		return reason_set(reason, "out of memory");
	if (pinger->wire->init && pinger->wire->init(pinger, reason) < 0)
		return -1;
	pinger->output = (struct ping_output){arguments, target, pinger->wire->title,
					      pinger->wire->name, pinger->flow.size};
	pinger->flow.timeout = timeout_of(pinger);
	pinger->link = (struct link){.user = &link_user,
				     .context = pinger,
				     .base = pinger->base,
				     .target = target,
				     .flow = &pinger->flow,
				     .wanted = true,
				     .max_attempts = attempts_of(target),
				     .patience = pinger->flow.timeout};
	return link_init(&pinger->link) == 0 ? 0 : reason_set(reason, "out of memory");
}

/* Not before we are connected: until then a signal ends us at once, with nothing to sum up. */
static int watch_signals(struct pinger *pinger)
{
	for (size_t i = 0; i < PING_SIGNALS; i++) {
		if (event_add(&pinger->signals[i], NULL) < 0)
			return -1;
	}
	return 0;
}

static void begin_connected(struct pinger *pinger)
{
	ping_prepare(pinger);
	if (!pinger->target->datagram)
		spread_add(&pinger->books.connect, pinger->target->connect_ns);
}

static int start(struct pinger *pinger, struct reason *reason)
{
	uint64_t report = pinger->arguments->report_ms;
	struct timeval each = timeval_from_ms(report);
	char own[ADDRESS_TEXT_MAX];
	int fd = target_open(pinger->target, pinger->arguments->timeout_ms, reason);

	if (fd < 0 && !pinger->target->down)
		return -1;
	report_choice(pinger->target, reason, pinger->arguments->verbose);
	if ((fd >= 0 && link_open(&pinger->link, fd) < 0) || watch_signals(pinger) < 0)
		return reason_set(reason, "out of memory");
	if (fd >= 0)
		begin_connected(pinger);
	pinger->started = clock_ns();
	own_faults_start(&pinger->own);
	pinger->paced_from = pinger->started;
	pinger->reported = pinger->started;
	if ((report > 0 && event_add(&pinger->report_timer, &each) < 0) ||
	    events_arm(&pinger->send_timer, pinger->started) < 0)
		return reason_set(reason, "out of memory");
	if (pinger->arguments->deadline_ms > 0)
		(void)events_arm(&pinger->deadline_timer,
				 pinger->started + pinger->arguments->deadline_ms * NS_PER_MS);
	ping_output_start(&pinger->output, pinger->run, fd >= 0 ? target_own_text(fd, own) : NULL);
	return 0;
}

enum echoc_status ping_run(const struct arguments *arguments, struct target *target)
{
	enum echoc_status status = ECHOC_UNABLE;
	struct reason reason;
	struct pinger pinger;

	if (pinger_init(&pinger, arguments, target, &reason) == 0 && start(&pinger, &reason) == 0) {
		bool broken = events_run(pinger.base, arguments->busy) < 0;

		ping_read(&pinger, clock_ns());
		pinger_end_outages(&pinger);
		link_lose_waiting(&pinger.link, "stopped");
		status = pinger_sum_up(&pinger);
		if (broken) {
			fprintf(stderr,
				"echoc: cannot wait for events: the result is incomplete\n");
			status = ECHOC_DAMAGED;
		}
		signals_block();
	} else {
		fprintf(stderr, "echoc: %s\n", reason.text);
	}
	pinger_clear(&pinger);
	return status;
}
