/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See echoplus.h. The header of a request, of which the server fills in the middle; whatever is
 * shorter than that is plain echo.
 *
 *	 0  sequence number of the request       left alone
 *	 4  requests answered, this one included
 *	 8  when it was received, microseconds
 *	12  when the reply is sent, microseconds
 *	16  requests that could not be answered
 *	20  iteration number, and the data       left alone
 */

#include "config.h"

#include "echod/datagram/modes/echoplus.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"

#define FILLED_SIZE 20
#define NO_SSID 0

static void put(struct question *question, size_t offset, uint32_t value)
{
	value = htonl(value);
	memcpy(question->payload + offset, &value, sizeof(value));
}

/* They wrap every 71 minutes; only differences mean something. */
static uint32_t microseconds(const struct timespec *time)
{
	uint64_t seconds = (uint64_t)time->tv_sec;

	return (uint32_t)(seconds * (NS_PER_S / NS_PER_US) + (uint64_t)time->tv_nsec / NS_PER_US);
}

static bool is_filled_in(const struct question *question)
{
	return question->size >= FILLED_SIZE;
}

enum verdict echoplus_answer(struct question *question)
{
	if (!is_filled_in(question))
		return ANSWER;
	return question_enter_session(question, NO_SSID, false);
}

void echoplus_seal(struct question *question, const struct timespec *now)
{
	const struct session *session = question->session;

	if (!session)
		return;
	put(question, 4, session_transmitted(session) + 1);
	put(question, 8, microseconds(&question->notes.received));
	put(question, 12, microseconds(now));
	put(question, 16, session_unanswered(session));
}

/* The client takes these for neither lost on the way here nor on the way back. */
void echoplus_unanswered(struct question *question)
{
	struct session *session = NULL;

	if (is_filled_in(question))
		session = question_find_session(question, NO_SSID);
	if (session)
		session_count_unanswered(session);
}
