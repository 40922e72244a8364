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
#include "echoc/mtu/report.h"

static enum echoc_status fail(const char *what, int error, bool started)
{
	fprintf(stderr, "echoc: %s: %s\n", what, strerror(error));
	return started ? ECHOC_DAMAGED : ECHOC_UNABLE;
}

static enum echoc_status run_datagrams(struct mtu_report *report, int fd)
{
	uint64_t timeout = report->arguments->timeout_ms * NS_PER_MS;
	enum echoc_status status;
	struct prober prober;
	struct there there;
	struct back back = {.known = false};

	if (prober_init(&prober, report->target, fd, timeout) < 0)
		status = fail("cannot start", errno, false);
	else if (there_search(&there, &prober, mtu_report_size, report) < 0 ||
		 (there.answered &&
		  back_search(&back, &there, &prober, mtu_report_size, report) < 0))
		status = fail("cannot send", errno, prober.sent > 0);
	else
		status = mtu_report_datagrams(report, &there, &back, &prober);
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

	if (segments_try(&segments, report->target, fd, find_interface(report->target),
			 report->arguments->timeout_ms * NS_PER_MS) < 0)
		status = fail("cannot start", errno, false);
	else
		status = mtu_report_segments(report, &segments);
	/* What stalls in a black hole would be sent again for minutes. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	return status;
}

enum echoc_status mtu_run(const struct arguments *arguments, struct target *target)
{
	struct mtu_report report = {arguments, target, clock_ns()};
	struct reason reason;
	int fd = target_open(target, arguments->timeout_ms, &reason);

	if (fd < 0) {
		fprintf(stderr, "echoc: %s\n", reason.text);
		return ECHOC_UNABLE;
	}
	if (reason.text[0] != '\0' && (arguments->verbose || !target->answered))
		fprintf(stderr, "echoc: %s\n", reason.text);
	mtu_report_start(&report, fd);
	return target->datagram ? run_datagrams(&report, fd) : run_stream(&report, fd);
}
