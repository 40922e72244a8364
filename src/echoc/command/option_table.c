/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The table of options and what follows from it. Owns nothing; command_line.c calls it.
 */

#include "config.h"

#include "echoc/command/option_table.h"

#include <assert.h>
#include <string.h>

#include "base/units.h"
#include "probe/probe.h"
#include "probe/traffic_class.h"

#define HOUR_MS UINT64_C(3600000)
#define YEAR_MS (365 * 24 * HOUR_MS)

#define EVERY_MODE NULL
#define MODES_OF_TCP "pbsfim" /* marks has a list of classes */
#define AT(member) offsetof(struct arguments, member)

static const struct option_row rows[] = {
	{'4', EVERY_MODE, KIND_FLAG, AT(only_v4), NULL, 0, 0},
	{'6', EVERY_MODE, KIND_FLAG, AT(only_v6), NULL, 0, 0},
	{'u', EVERY_MODE, KIND_FLAG, AT(target.udp), NULL, 0, 0},
	{'t', MODES_OF_TCP, KIND_FLAG, AT(only_tcp), NULL, 0, 0},
	{'v', EVERY_MODE, KIND_FLAG, AT(verbose), NULL, 0, 0},
	{'V', EVERY_MODE, KIND_FLAG, AT(version), NULL, 0, 0},
	{'h', EVERY_MODE, KIND_FLAG, AT(help), NULL, 0, 0},
	{LONG_JSON, EVERY_MODE, KIND_FLAG, AT(json), NULL, 0, 0},
	{'I', EVERY_MODE, KIND_TEXT, AT(target.source), NULL, 0, 0},
	{'M', "pbsf", KIND_FRAGMENTING, AT(target.fragmenting), NULL, 0, 0},
	{'Q', MODES_OF_TCP, KIND_TOS, AT(target.tos), NULL, 0, 0},
	{LONG_TTL, EVERY_MODE, KIND_NUMBER, AT(target.ttl), NULL, 1, UINT8_MAX},
	{LONG_PROXY, MODES_OF_TCP, KIND_PROXY, AT(target.proxy), NULL, 0, 0},
	{'c', "p", KIND_NUMBER, AT(count), NULL, 1, UINT64_MAX >> 8},
	{'i', "p", KIND_DURATION, AT(interval_ms), "1s", 1, 24 * HOUR_MS},
	{'W', "pfkm", KIND_DURATION, AT(timeout_ms), "1s", 1, HOUR_MS},
	{'w', "p", KIND_DURATION, AT(deadline_ms), NULL, 1, YEAR_MS},
	{'D', "p", KIND_FLAG, AT(wall_clock), NULL, 0, 0},
	{LONG_REPORT, "p", KIND_DURATION, AT(report_ms), NULL, 1, YEAR_MS},
	{LONG_OUTAGE, "p", KIND_NUMBER, AT(outage), NULL, 1, 1000000},
	{'q', "p", KIND_FLAG, AT(quiet), NULL, 0, 0},
	{'s', "pbf", KIND_SIZE, AT(size), "64", PROBE_SIZE_MIN, PROBE_SIZE_MAX},
	{LONG_BUSY, "pb", KIND_FLAG, AT(busy), NULL, 0, 0},
	{'c', "k", KIND_NUMBER, AT(count), "3", 1, 1000},
	{'i', "k", KIND_DURATION, AT(interval_ms), "10ms", 1, HOUR_MS},
	{LONG_UP_TO, "i", KIND_DURATION, AT(up_to_ms), "5m", 1000, 24 * HOUR_MS},
	{LONG_FRESH, "i", KIND_FLAG, AT(fresh), NULL, 0, 0},
	{LONG_DSCP, "k", KIND_TEXT, AT(dscps), NULL, 0, 0},
	{LONG_STAMP, "pki", KIND_FLAG, AT(stamp), NULL, 0, 0},
	{LONG_PLUS, "p", KIND_FLAG, AT(plus), NULL, 0, 0},
	{LONG_KEY_FILE, "pki", KIND_TEXT, AT(key_file), NULL, 0, 0},
	{LONG_SSID, "pki", KIND_NUMBER, AT(ssid), NULL, 0, UINT16_MAX},
	{LONG_TTL_GUARDED, "p", KIND_FLAG, AT(ttl_guarded), NULL, 0, 0},
	{LONG_TTL_FRESH, "p", KIND_FLAG, AT(ttl_fresh), NULL, 0, 0},
	{'c', "b", KIND_NUMBER, AT(connections), "1", 1, 65536},
	{'p', "b", KIND_NUMBER, AT(depth), "1", 1, 65536},
	{'r', "b", KIND_RATE, AT(rate), NULL, 1, 100000000},
	{'d', "b", KIND_DURATION, AT(duration_ms), "10s", 10, YEAR_MS},
	{'j', "b", KIND_NUMBER, AT(threads), "1", 1, 1024},
	{'g', "b", KIND_FLAG, AT(gso), NULL, 0, 0},
	{LONG_CONNECT, "b", KIND_FLAG, AT(connect), NULL, 0, 0},
	{'W', "b", KIND_DURATION, AT(timeout_ms), "1s", 1, HOUR_MS},
	{'n', "f", KIND_NUMBER, AT(flows), "64", 1, 4096},
	{'r', "f", KIND_RATE, AT(rate), "500", 1, 1000000},
	{'d', "f", KIND_DURATION, AT(duration_ms), "10s", 10, YEAR_MS},
	{'w', "s", KIND_DURATION, AT(timeout_ms), "5s", 1, 24 * HOUR_MS},
};

const struct option long_options[] = {
	{"report", required_argument, NULL, LONG_REPORT},
	{"busy", no_argument, NULL, LONG_BUSY},
	{"outage", required_argument, NULL, LONG_OUTAGE},
	{"connect", no_argument, NULL, LONG_CONNECT},
	{"ttl", required_argument, NULL, LONG_TTL},
	{"proxy", required_argument, NULL, LONG_PROXY},
	{"stamp", no_argument, NULL, LONG_STAMP},
	{"plus", no_argument, NULL, LONG_PLUS},
	{"key-file", required_argument, NULL, LONG_KEY_FILE},
	{"up-to", required_argument, NULL, LONG_UP_TO},
	{"fresh", no_argument, NULL, LONG_FRESH},
	{"dscp", required_argument, NULL, LONG_DSCP},
	{"ssid", required_argument, NULL, LONG_SSID},
	{"ttl-guarded", no_argument, NULL, LONG_TTL_GUARDED},
	{"ttl-fresh", no_argument, NULL, LONG_TTL_FRESH},
	{"json", no_argument, NULL, LONG_JSON},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static bool belongs_to(const struct option_row *row, const struct mode *mode)
{
	return !row->modes || strchr(row->modes, mode->letter) != NULL;
}

const struct option_row *option_find(const struct mode *mode, int letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].letter == letter && belongs_to(&rows[i], mode))
			return &rows[i];
	}
	return NULL;
}

static int parse_fragmenting(const char *text, enum fragmenting *fragmenting, struct reason *reason)
{
	static const char *const words[] = {"", "do", "want", "dont"};

	for (size_t i = FRAGMENTING_DO; i < ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*fragmenting = (enum fragmenting)i;
		return 0;
	}
	return reason_set(reason, "must be do, want or dont");
}

static int parse_proxy(const char *text, enum proxy_greeting *proxy, struct reason *reason)
{
	if (strcmp(text, "v1") == 0)
		*proxy = PROXY_GREETING_V1;
	else if (strcmp(text, "v2") == 0)
		*proxy = PROXY_GREETING_V2;
	else
		return reason_set(reason, "must be v1 or v2");
	return 0;
}

int option_set(struct arguments *arguments, const struct option_row *row, const char *text,
	       struct reason *reason)
{
	void *member = (char *)arguments + row->offset;

	switch (row->kind) {
	case KIND_TEXT:
		*(const char **)member = text;
		return 0;
	case KIND_NUMBER:
		return parse_unsigned(text, row->min, row->max, member, reason);
	case KIND_DURATION:
		return parse_decimal_duration(text, row->min, row->max, member, reason);
	case KIND_RATE:
		return parse_rate(text, row->min, row->max, member, reason);
	case KIND_SIZE:
		return parse_size(text, row->min, row->max, member, reason);
	case KIND_FRAGMENTING:
		return parse_fragmenting(text, member, reason);
	case KIND_TOS:
		return traffic_class_parse(text, member, reason);
	case KIND_PROXY:
		return parse_proxy(text, member, reason);
	case KIND_FLAG:
	default:
		*(bool *)member = true;
		return 0;
	}
}

void option_set_defaults(struct arguments *arguments)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct reason ignored;

		if (rows[i].fallback && belongs_to(&rows[i], arguments->mode))
			(void)!option_set(arguments, &rows[i], rows[i].fallback, &ignored);
	}
}

/* A text may begin with a dash, so options end before it. */
void option_letters(const struct mode *mode, char text[static SHORT_OPTIONS_MAX])
{
	static_assert(2 * ARRAY_SIZE(rows) + 3 <= SHORT_OPTIONS_MAX, "room for all options");

	if (mode->takes_text)
		*text++ = '+';
	*text++ = ':';
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].letter >= LONG_REPORT || !belongs_to(&rows[i], mode))
			continue;
		*text++ = (char)rows[i].letter;
		if (rows[i].kind != KIND_FLAG)
			*text++ = ':';
	}
	*text = '\0';
}

const char *option_long_name(int letter)
{
	const struct option *option = long_options;

	while (option->val != letter)
		option++;
	return option->name;
}
