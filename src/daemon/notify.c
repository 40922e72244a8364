/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The sd_notify protocol, implemented here because it is small and stable, and libsystemd would be
 * our largest dependency. Owns one datagram socket; called by the control thread only.
 */

#include "config.h"

#include "daemon/notify.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/units.h"
#include "daemon/log.h"

#define MESSAGE_MAX 1024

static int fd = -1;
static struct sockaddr_un manager;
static socklen_t manager_length;
static uint64_t watchdog_usec;

/*
 * Messages that a busy manager has not accepted yet, or "": the start of a reload, then the latest
 * other state. Older states are obsolete and dropped.
 */
static char reloading[64];
static char state[MESSAGE_MAX];
static struct event again;
static bool attached;

/* A path, or an abstract name, where NUL replaces the '@' and is not appended. */
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

/* WATCHDOG_PID may name another process, from which the environment was inherited. */
static uint64_t watchdog_from_environment(void)
{
	if (getenv("WATCHDOG_PID") && number_from("WATCHDOG_PID", INT32_MAX) != (uint64_t)getpid())
		return 0;
	return number_from("WATCHDOG_USEC", UINT64_MAX);
}

void notify_open(void)
{
	notify_close();
	if (manager_from(getenv("NOTIFY_SOCKET"))) {
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		watchdog_usec = fd < 0 ? 0 : watchdog_from_environment();
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

bool notify_wanted(void)
{
	return fd >= 0;
}

uint64_t notify_watchdog_usec(void)
{
	return watchdog_usec;
}

/* Not connected, so that a manager that made its socket anew is found again. */
static int send_text(const char *text, int flags)
{
	return (int)sendto(fd, text, strlen(text), flags | MSG_NOSIGNAL,
			   (struct sockaddr *)&manager, manager_length);
}

/* Whether all of what is kept has gone out, in its order. */
static bool send_kept(int flags)
{
	if (*reloading && send_text(reloading, flags) < 0)
		return false;
	*reloading = '\0';
	if (*state && send_text(state, flags) < 0)
		return false;
	*state = '\0';
	return true;
}

/* A stop may be over before the manager is tried again: now it is waited for, but not long. */
static void send_last(void)
{
	static const struct timeval patience = {.tv_usec = 100 * 1000};
	int limited = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));

	(void)send_kept(limited == 0 ? 0 : MSG_DONTWAIT);
}

void notify_close(void)
{
	if (fd >= 0) {
		send_last();
		close(fd);
	}
	fd = -1;
	watchdog_usec = 0;
	*reloading = *state = '\0';
}

/* If the timer cannot be added, the next message tries again. */
static void try_later(void)
{
	static const struct timeval pause = {.tv_usec = 100 * 1000};

	if (attached)
		(void)event_add(&again, &pause);
}

static void on_again(int unused UNUSED, short what UNUSED, void *arg UNUSED)
{
	if (!send_kept(MSG_DONTWAIT))
		try_later();
}

void notify_attach(struct event_base *base)
{
	event_assign(&again, base, -1, 0, on_again, NULL);
	attached = true;
}

void notify_detach(void)
{
	if (attached)
		event_del(&again);
	attached = false;
}

/* State changes are kept until sent, because the manager waits for them. */
static void send_state(void)
{
	if (fd < 0 || send_kept(MSG_DONTWAIT))
		return;
	log_warning("cannot notify the service manager yet: %s; trying again", strerror(errno));
	try_later();
}

/* A lost status or watchdog message is soon followed by another. */
static void send_or_log(const char *text)
{
	if (fd < 0)
		return;
	if (!send_kept(MSG_DONTWAIT) || send_text(text, MSG_DONTWAIT) < 0)
		log_debug("cannot notify the service manager: %s", strerror(errno));
}

void notify_ready(const char *status)
{
	(void)snprintf(state, sizeof(state), "READY=1\nSTATUS=%s\n", status);
	send_state();
}

/* The time lets the manager distinguish the next READY=1 from one already sent. */
void notify_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(reloading, sizeof(reloading), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n",
		       (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	*state = '\0';
	send_state();
}

void notify_stopping(uint64_t usec)
{
	*reloading = '\0';
	(void)snprintf(state, sizeof(state), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\n", usec);
	send_state();
}

void notify_status(const char *status)
{
	char text[MESSAGE_MAX];

	(void)snprintf(text, sizeof(text), "STATUS=%s\n", status);
	send_or_log(text);
}

void notify_watchdog(void)
{
	send_or_log("WATCHDOG=1\n");
}
