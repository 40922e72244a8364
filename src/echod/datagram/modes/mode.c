/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See mode.h. */

#include "config.h"

#include "echod/datagram/modes/mode.h"

static struct session_key key_of(const struct question *question, uint16_t ssid)
{
	return (struct session_key){.own = question->notes.destination,
				    .source = question->source,
				    .scope = question->scope,
				    .own_port = question->own_port,
				    .source_port = question->source_port,
				    .ssid = ssid};
}

enum verdict question_enter_session(struct question *question, uint16_t ssid, bool anew)
{
	struct session_key key;

	if (!question->sessions)
		return ANSWER;
	key = key_of(question, ssid);
	question->session = sessions_enter(question->sessions, &key, anew, question->now);
	return question->session ? ANSWER : NO_SESSION;
}

struct session *question_find_session(const struct question *question, uint16_t ssid)
{
	struct session_key key;

	if (question->session || !question->sessions)
		return question->session;
	key = key_of(question, ssid);
	return sessions_find(question->sessions, &key, question->now);
}
