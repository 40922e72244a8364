/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Names of traffic classes (RFC 2474, 2597, 3246, 5865, 8622; ECN: RFC 3168). Owns nothing; the
 * table of options calls it.
 */

#include "config.h"

#include "probe/traffic_class.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define NAME_MAX_LENGTH 15
#define EF 46u
#define LE 1u
#define VOICE_ADMIT 44u

static int digit_between(char digit, char least, char greatest)
{
	return digit >= least && digit <= greatest ? digit - '0' : -1;
}

/* -1: not one of them. */
static int dscp_of(const char *name)
{
	size_t length = strlen(name);

	if (strcmp(name, "ef") == 0)
		return EF;
	if (strcmp(name, "le") == 0)
		return LE;
	if (strcmp(name, "va") == 0)
		return VOICE_ADMIT;
	if (length == 3 && strncmp(name, "cs", 2) == 0 && digit_between(name[2], '0', '7') >= 0)
		return 8 * digit_between(name[2], '0', '7');
	if (length == 4 && strncmp(name, "af", 2) == 0 && digit_between(name[2], '1', '4') > 0 &&
	    digit_between(name[3], '1', '3') > 0)
		return 8 * (name[2] - '0') + 2 * (name[3] - '0');
	return -1;
}

/* -1: no number that fits. */
static int number_of(const char *text)
{
	struct reason ignored;
	uint64_t value;

	if (strncmp(text, "0x", 2) == 0) {
		const char *digits = text + 2;
		size_t length = strlen(digits);

		if (length < 1 || length > 2 || !isxdigit((unsigned char)digits[0]) ||
		    (length == 2 && !isxdigit((unsigned char)digits[1])))
			return -1;
		return (int)strtoul(digits, NULL, 16);
	}
	return parse_unsigned(text, 0, UINT8_MAX, &value, &ignored) == 0 ? (int)value : -1;
}

/* The codepoint behind the "+"; 0: there is none, -1: it is none. */
static int ecn_of(const char *plus)
{
	if (!plus)
		return 0;
	if (strcmp(plus, "+ect0") == 0)
		return TRAFFIC_CLASS_ECT0;
	return strcmp(plus, "+ect1") == 0 ? (int)TRAFFIC_CLASS_ECT1 : -1;
}

int traffic_class_parse(const char *text, uint8_t *value, struct reason *reason)
{
	const char *plus = strchr(text, '+');
	size_t length = plus ? (size_t)(plus - text) : strlen(text);
	char name[NAME_MAX_LENGTH + 1] = "";
	int ecn = ecn_of(plus);
	int dscp, number;

	if (length <= NAME_MAX_LENGTH)
		snprintf(name, sizeof(name), "%.*s", (int)length, text);
	dscp = dscp_of(name);
	number = dscp >= 0 ? dscp << 2 : number_of(name);
	if (number < 0 || ecn < 0 || (ecn > 0 && ((unsigned)number & TRAFFIC_CLASS_ECN) != 0))
		return reason_set(reason, "must be from 0 to 255 (0xff), ef, va, af11 to "
					  "af43, cs0 to cs7 or le, and may end in +ect0 or +ect1");
	*value = (uint8_t)(number | ecn);
	return 0;
}

const char *dscp_name(unsigned dscp, char text[static DSCP_NAME_MAX])
{
	unsigned class = dscp / 8, drop = dscp % 8 / 2;

	text[0] = '\0';
	if (dscp == 0 || dscp == LE || dscp == EF || dscp == VOICE_ADMIT)
		snprintf(text, DSCP_NAME_MAX, "%s",
			 dscp == 0    ? "df"
			 : dscp == LE ? "le"
			 : dscp == EF ? "ef"
				      : "va");
	else if (dscp % 8 == 0)
		snprintf(text, DSCP_NAME_MAX, "cs%u", class % 8);
	else if (dscp % 2 == 0 && class >= 1 && class <= 4 && drop >= 1)
		snprintf(text, DSCP_NAME_MAX, "af%u%u", class, drop);
	return text;
}

const char *ecn_name(unsigned ecn)
{
	static const char *const names[] = {"not-ECT", "ECT(1)", "ECT(0)", "CE"};

	return names[ecn & TRAFFIC_CLASS_ECN];
}
