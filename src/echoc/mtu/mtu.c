/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * mtu: the largest packet each way over UDP, or how TCP copes with the path. Owns the socket; main
 * calls it.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "echoc/command/mode.h"
#include "echoc/command/signals.h"
#include "echoc/mtu/report.h"
#include "echoc/say/report.h"

/* The summary comes all the same. */
static void note_failure(struct mtu_report *report, int error)
{
	report->unfinished = true;
	if (error != EINTR)
		fprintf(stderr, "echoc: cannot go on: %s\n", strerror(error));
}

static enum echoc_status run_datagrams(struct mtu_report *report, int fd)
{
	uint64_t timeout = report->arguments->timeout_ms * NS_PER_MS;
	enum echoc_status status;
	struct prober prober;
	struct there there = {.answered = false};
	struct back back = {.known = false};

	if (prober_init(&prober, report->target, fd, timeout) < 0 ||
	    there_search(&there, &prober, mtu_report_size, report) < 0 ||
	    (there.answered && back_search(&back, &there, &prober, mtu_report_size, report) < 0))
		note_failure(report, errno);
	status = mtu_report_datagrams(report, &there, &back, &prober);
	if (prober.sent == 0 && signals_caught() == 0)
		status = ECHOC_UNABLE;
	prober_clear(&prober);
	return status;
}

/* Of datagrams: what the kernel offers over TCP follows from what it knows of the path. */
static size_t find_interface(const struct target *target)
{
	struct target asked = *target;
	struct prober prober;
	size_t interface = 0;
	int fd;

	asked.datagram = true;
	address_set_port(&asked.source, 0);
	fd = target_begin(&asked);
	if (fd < 0)
		return 0;
	if (prober_init(&prober, &asked, fd, 0) == 0)
		interface = prober_interface(&prober);
	prober_clear(&prober);
	return interface;
}

static enum echoc_status run_stream(struct mtu_report *report, int fd)
{
	const struct linger at_once = {.l_onoff = 1};
	struct segments segments;
	enum echoc_status status;
	int result = segments_try(&segments, report->target, fd, find_interface(report->target),
				  report->arguments->timeout_ms * NS_PER_MS);

	if (result < 0)
		note_failure(report, errno);
	report->unfinished |= segments.interrupted;
	status = mtu_report_segments(report, &segments);
	if (result < 0)
		status = ECHOC_UNABLE;
	/* What stalls in a black hole would be sent again for minutes. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	return status;
}

enum echoc_status mtu_run(const struct arguments *arguments, struct target *target)
{
	struct mtu_report report = {arguments, target, clock_ns(), false};
	struct reason reason;
	int fd = target_open(target, arguments->timeout_ms, &reason);

	if (fd < 0 || signals_catch(&reason) < 0) {
		fprintf(stderr, "echoc: %s\n", reason.text);
		if (fd >= 0)
			close(fd);
		return ECHOC_UNABLE;
	}
	report_choice(target, &reason, arguments->verbose);
	mtu_report_start(&report, fd);
	return target->datagram ? run_datagrams(&report, fd) : run_stream(&report, fd);
}
