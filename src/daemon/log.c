/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The log: turns each message into one clean line and writes it to standard error with one
 * non-blocking system call. Owns the log level and the count of lost lines; called from everywhere.
 */

#include "config.h"

#include "daemon/log.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

/* At most two lines are written at once, and writes of PIPE_BUF bytes to a pipe are atomic. */
#define LINE_MAX_BYTES 1536
_Static_assert(2 * LINE_MAX_BYTES <= PIPE_BUF, "a pipe must take our longest text in one piece");

#define LIBEVENT_LINES_PER_S 10

struct line {
	size_t length;
	char bytes[2 * LINE_MAX_BYTES];
};

const char *const log_level_names[] = {"error", "warning", "notice", "info", "debug", NULL};

static enum { SINK_OTHER, SINK_FILE, SINK_PIPE, SINK_SOCKET } sink;
static bool journal;
static _Atomic int level_in_force = LEVEL_NOTICE;
static _Atomic unsigned long lost;

void log_open(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	sink = SINK_OTHER;
	journal = false;
	if (fstat(STDERR_FILENO, &st) < 0)
		return;
	if (S_ISSOCK(st.st_mode))
		sink = SINK_SOCKET;
	else if (S_ISFIFO(st.st_mode))
		sink = SINK_PIPE;
	else if (S_ISREG(st.st_mode))
		sink = SINK_FILE;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	journal = stream && strcmp(stream, own) == 0;
}

bool log_is_journal(void)
{
	return journal;
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&level_in_force, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&level_in_force, memory_order_relaxed);
}

/* For ttys, and pipes before Linux 6.4: free space rarely disappears between poll and write. */
static ssize_t write_if_ready(const struct line *line)
{
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
		return -1;
	return write(STDERR_FILENO, line->bytes, line->length);
}

static ssize_t write_to_pipe(struct line *line)
{
#ifdef HAVE_PWRITEV2
	struct iovec piece = {.iov_base = line->bytes, .iov_len = line->length};
	ssize_t n = pwritev2(STDERR_FILENO, &piece, 1, -1, RWF_NOWAIT);

	if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
		return n;
#endif
	return write_if_ready(line);
}

/* O_NONBLOCK would affect other users of the pipe or terminal: use a flag of each call. */
static ssize_t write_without_waiting(struct line *line)
{
	switch (sink) {
	case SINK_SOCKET:
		return send(STDERR_FILENO, line->bytes, line->length, MSG_DONTWAIT | MSG_NOSIGNAL);
	case SINK_FILE:
		/* Some file systems return EAGAIN to RWF_NOWAIT where a plain write is instant. */
		return write(STDERR_FILENO, line->bytes, line->length);
	case SINK_PIPE:
		return write_to_pipe(line);
	default:
		return write_if_ready(line);
	}
}

static void line_start(struct line *line, enum log_level level)
{
	char *at = line->bytes + line->length;
	size_t room = sizeof(line->bytes) - line->length;
	struct timespec now;
	struct tm tm;

	if (journal) {
		line->length += (size_t)snprintf(at, room, "<%d>", (int)level + 3);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	line->length += strftime(at, room, "%Y-%m-%d %H:%M:%S", &tm);
	at = line->bytes + line->length;
	room = sizeof(line->bytes) - line->length;
	line->length += (size_t)snprintf(at, room, ".%03d %s: ", (int)(now.tv_nsec / 1000000),
					 log_level_names[level]);
}

/* Messages contain bytes chosen by others, such as UNIX paths: these must not forge a line. */
static void clean(char *text)
{
	while (*text != '\0') {
		size_t length = utf8_printable(text);

		if (length == 0)
			*text = '?';
		text += length > 0 ? length : 1;
	}
}

/* Truncates the line, including its newline, to LINE_MAX_BYTES. */
PRINTF_LIKE(3, 0)
static void line_add(struct line *line, enum log_level level, const char *format, va_list args)
{
	size_t start = line->length;
	size_t room;
	char *text;

	line_start(line, level);
	text = line->bytes + line->length;
	room = start + LINE_MAX_BYTES - line->length;
	if (vsnprintf(text, room, format, args) < 0)
		*text = '\0';
	clean(text);
	line->length += strlen(text);
	line->bytes[line->length++] = '\n';
}

PRINTF_LIKE(3, 4)
static void line_addf(struct line *line, enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line_add(line, level, format, args);
	va_end(args);
}

void log_write(enum log_level level, const char *format, ...)
{
	unsigned long missing = atomic_exchange_explicit(&lost, 0, memory_order_relaxed);
	int saved_errno = errno;
	struct line line;
	va_list args;

	line.length = 0;
	if (missing > 0)
		line_addf(&line, LEVEL_WARNING, "%lu log line%s lost", missing,
			  missing == 1 ? "" : "s");
	va_start(args, format);
	line_add(&line, level, format, args);
	va_end(args);
	if (write_without_waiting(&line) < 0)
		atomic_fetch_add_explicit(&lost, missing + 1, memory_order_relaxed);
	errno = saved_errno;
}

/* Limited, because clients can trigger warnings: one for each connection that epoll rejects. */
static void take_libevent_message(int severity, const char *message)
{
	static struct log_throttle lines = {.period_ms = 1000, .burst = LIBEVENT_LINES_PER_S};
	static const enum log_level levels[] = {
		[EVENT_LOG_DEBUG] = LEVEL_DEBUG,
		[EVENT_LOG_MSG] = LEVEL_INFO,
		[EVENT_LOG_WARN] = LEVEL_WARNING,
		[EVENT_LOG_ERR] = LEVEL_ERROR,
	};
	bool known = severity >= 0 && (size_t)severity < ARRAY_SIZE(levels);
	enum log_level level = known ? levels[severity] : LEVEL_ERROR;
	unsigned suppressed;

	if (level != LEVEL_ERROR) {
		if (!log_throttle_pass(&lines, clock_ms(), &suppressed))
			return;
		if (suppressed > 0)
			log_at(level, "libevent: ... %u suppressed", suppressed);
	}
	log_at(level, "libevent: %s", message);
}

/* libevent has logged why. No exit handlers, because other threads may still be running. */
static void die_with_libevent(int status)
{
	log_error("libevent cannot go on: ending");
	if (status == EXIT_FAILURE)
		_exit(EXIT_FAILURE);
	abort(); /* a libevent assertion failed */
}

void log_adopt_libevent(void)
{
	event_set_log_callback(take_libevent_message);
	event_set_fatal_callback(die_with_libevent);
}

/* Both in one word, so that a new window and its count of 0 are set atomically. */
#define COUNT_BITS 16
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

static bool is_over(const struct log_throttle *throttle, uint64_t window, int64_t now_ms)
{
	return now_ms - (int64_t)(window >> COUNT_BITS) >= throttle->period_ms;
}

/* A fixed window that starts with its first line. */
bool log_throttle_pass(struct log_throttle *throttle, int64_t now_ms, unsigned *suppressed)
{
	uint64_t window = atomic_load_explicit(&throttle->window, memory_order_relaxed), next;

	*suppressed = 0;
	do {
		next = is_over(throttle, window, now_ms) ? (uint64_t)now_ms << COUNT_BITS : window;
		if ((next & COUNT_MASK) >= throttle->burst) {
			atomic_fetch_add_explicit(&throttle->suppressed, 1, memory_order_relaxed);
			return false;
		}
	} while (!atomic_compare_exchange_weak(&throttle->window, &window, next + 1));
	*suppressed = atomic_exchange_explicit(&throttle->suppressed, 0, memory_order_relaxed);
	return true;
}

bool log_throttle_over(struct log_throttle *throttle, int64_t now_ms, unsigned *suppressed)
{
	uint64_t window = atomic_load_explicit(&throttle->window, memory_order_relaxed);
	bool over = is_over(throttle, window, now_ms);

	*suppressed =
		over ? atomic_exchange_explicit(&throttle->suppressed, 0, memory_order_relaxed) : 0;
	return over;
}
