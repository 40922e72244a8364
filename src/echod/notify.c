/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The service manager's protocol, spoken directly: it is small and stable, and a library for it
 * would be our largest dependency. Owns one datagram socket; called by the control thread only.
 */

#include "config.h"

#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/compiler.h"
#include "common/units.h"
#include "log.h"

static int fd = -1;
static struct sockaddr_un manager;
static socklen_t manager_length;
static uint64_t watchdog_usec;

/* A path, or an abstract name: a NUL in place of its '@', and none at its end. */
static bool manager_from(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length < 2 || length >= sizeof(manager.sun_path) || (*text != '/' && *text != '@'))
		return false;
	memset(&manager, 0, sizeof(manager));
	manager.sun_family = AF_UNIX;
	memcpy(manager.sun_path, text, length);
	if (*text == '@')
		manager.sun_path[0] = '\0';
	manager_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return true;
}

static uint64_t number_from(const char *variable, uint64_t max)
{
	const char *text = getenv(variable);
	struct reason ignored;
	uint64_t value;

	return text && parse_unsigned(text, 1, max, &value, &ignored) == 0 ? value : 0;
}

/* WATCHDOG_PID may name another process that inherited its environment to us. */
static uint64_t watchdog_from_environment(void)
{
	if (getenv("WATCHDOG_PID") && number_from("WATCHDOG_PID", INT32_MAX) != (uint64_t)getpid())
		return 0;
	return number_from("WATCHDOG_USEC", UINT64_MAX);
}

void notify_open(void)
{
	static const struct timeval patience = {.tv_sec = 1};

	notify_close();
	if (manager_from(getenv("NOTIFY_SOCKET"))) {
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		watchdog_usec = fd < 0 ? 0 : watchdog_from_environment();
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_close(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
	watchdog_usec = 0;
}

bool notify_wanted(void)
{
	return fd >= 0;
}

uint64_t notify_watchdog_usec(void)
{
	return watchdog_usec;
}

/*
 * Not connected, so that a manager that made its socket anew is found again. FLAGS: what changes
 * our state is worth a short wait for a busy manager, the rest goes with MSG_DONTWAIT.
 */
PRINTF_LIKE(2, 3)
static void send_fields(int flags, const char *format, ...)
{
	char text[1024];
	va_list args;
	int length;

	if (fd < 0)
		return;
	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(text))
		length = (int)sizeof(text) - 1;
	if (sendto(fd, text, (size_t)length, flags | MSG_NOSIGNAL, (struct sockaddr *)&manager,
		   manager_length) < 0)
		log_debug("service manager not told: %s", strerror(errno));
}

void notify_ready(const char *status)
{
	send_fields(0, "READY=1\nSTATUS=%s\n", status);
}

/* The time lets the manager tell our next READY=1 from one that was already on its way. */
void notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	send_fields(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
		    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_stopping(uint64_t usec)
{
	send_fields(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\n", usec);
}

void notify_status(const char *status)
{
	send_fields(MSG_DONTWAIT, "STATUS=%s\n", status);
}

void notify_watchdog(void)
{
	send_fields(MSG_DONTWAIT, "WATCHDOG=1\n");
}
