/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a bench prints: every second, on request, and at its end. Only the main thread calls it.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "echoc/bench/run.h"
#include "probe/books.h"

struct bench_report {
	struct bench *shared; /* not owned */
	struct books total;   /* of what was collected from the threads */
	uint64_t reported;    /* until when */
	double cpu_before;    /* processor time, then */
	double cpu_start;
	bool live;			/* on a terminal */
	uint64_t lines;			/* printed where there is none */
	struct tcp_figures tcp;		/* of all connections, at the end */
	const struct latency *connects; /* likewise; NULL unless there is one a message */
};

/* Before anything is sent, from FD and others alike. */
void bench_report_start(const struct bench *shared, int fd);

/* When the run begins. */
void bench_report_begin(struct bench_report *report, struct bench *shared);

/* What the threads handed in since the last time: the books of an interval that ends at UNTIL. */
void bench_report_interval(struct bench_report *report, uint64_t until);

/* One line on standard error, during the run. */
void bench_report_progress(struct bench_report *report);

/* When all threads are done: the summary, and what it means. */
enum echoc_status bench_report_end(struct bench_report *report);

/* Erases the live line, if there is one. */
void bench_report_erase(const struct bench_report *report);
