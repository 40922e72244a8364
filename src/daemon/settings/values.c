/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Values that are one number, word or text. Lists are in lists.c. Owns nothing; called
 * through rows of a program's table.
 */

#include "config.h"

#include "daemon/settings/values.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/bounded_text.h"
#include "base/units.h"
#include "daemon/settings/strict_ini.h"

bool is_name(const char *text)
{
	size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789._-");

	return length >= 1 && length <= NAME_MAX_LENGTH && text[length] == '\0';
}

static int parse_number(const struct setting *setting, void *value, const char *text,
			struct reason *reason)
{
	return parse_unsigned(text, setting->min, setting->max, value, reason);
}

static bool format_number(const struct setting *setting UNUSED, const void *value, size_t item,
			  char *text)
{
	(void)snprintf(text, VALUE_TEXT_MAX, "%" PRIu64, *(const uint64_t *)value);
	return item == 0;
}

static int parse_number_or_auto(const struct setting *setting, void *value, const char *text,
				struct reason *reason)
{
	struct reason why;

	if (strcmp(text, "auto") == 0) {
		*(uint64_t *)value = 0;
		return 0;
	}
	if (parse_unsigned(text, setting->min, setting->max, value, &why) < 0)
		return reason_set(reason, "%s, nor auto", why.text);
	return 0;
}

static bool format_number_or_auto(const struct setting *setting, const void *value, size_t item,
				  char *text)
{
	if (*(const uint64_t *)value != 0)
		return format_number(setting, value, item, text);
	(void)snprintf(text, VALUE_TEXT_MAX, "auto");
	return item == 0;
}

static int parse_duration_value(const struct setting *setting, void *value, const char *text,
				struct reason *reason)
{
	return parse_duration(text, setting->min, setting->max, value, reason);
}

static bool format_duration_value(const struct setting *setting UNUSED, const void *value,
				  size_t item, char *text)
{
	(void)format_duration(*(const uint64_t *)value, text);
	return item == 0;
}

static int parse_short_duration_value(const struct setting *setting, void *value, const char *text,
				      struct reason *reason)
{
	return parse_short_duration(text, setting->min, setting->max, value, reason);
}

static bool format_short_duration_value(const struct setting *setting UNUSED, const void *value,
					size_t item, char *text)
{
	(void)format_short_duration(*(const uint64_t *)value, text);
	return item == 0;
}

static int parse_boolean_value(const struct setting *setting UNUSED, void *value, const char *text,
			       struct reason *reason)
{
	return parse_boolean(text, value, reason);
}

static bool format_boolean_value(const struct setting *setting UNUSED, const void *value,
				 size_t item, char *text)
{
	(void)snprintf(text, VALUE_TEXT_MAX, "%s", *(const bool *)value ? "yes" : "no");
	return item == 0;
}

/* "neither a nor b", "not a, b or c" */
static int refuse_word(const char *const *words, const char *text, struct reason *reason)
{
	char bytes[VALUE_TEXT_MAX];
	struct bounded_text allowed;
	bool two = !words[2];

	bounded_text_begin(&allowed, bytes, sizeof(bytes));
	bounded_text_add(&allowed, two ? "neither %s" : "not %s", words[0]);
	for (size_t i = 1; words[i]; i++)
		bounded_text_add(&allowed, "%s%s",
				 two		? " nor "
				 : words[i + 1] ? ", "
						: " or ",
				 words[i]);
	return reason_set(reason, "\"%s\" is %s", text, bytes);
}

static int parse_word(const struct setting *setting, void *value, const char *text,
		      struct reason *reason)
{
	for (uint64_t i = 0; setting->words[i]; i++) {
		if (strcmp(text, setting->words[i]) == 0) {
			*(uint64_t *)value = i;
			return 0;
		}
	}
	return refuse_word(setting->words, text, reason);
}

static bool format_word(const struct setting *setting, const void *value, size_t item, char *text)
{
	(void)snprintf(text, VALUE_TEXT_MAX, "%s", setting->words[*(const uint64_t *)value]);
	return item == 0;
}

static int parse_user(const struct setting *setting UNUSED, void *value, const char *text,
		      struct reason *reason)
{
	struct passwd entry, *found = NULL;
	char buffer[16384];
	int error;

	if (!is_name(text))
		return reason_set(reason, "\"%s\" is not the name of a user: " NAME_ALLOWED, text);
	error = getpwnam_r(text, &entry, buffer, sizeof(buffer), &found);
	if (!found)
		return reason_set(reason, "no user \"%s\" on this system%s%s: create it first",
				  text, error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	(void)snprintf(value, NAME_MAX_LENGTH + 1, "%s", text);
	return 0;
}

static bool format_user(const struct setting *setting UNUSED, const void *value, size_t item,
			char *text)
{
	(void)snprintf(text, VALUE_TEXT_MAX, "%s", (const char *)value);
	return item == 0 && text[0] != '\0';
}

/* Refuses v4-mapped addresses: our IPv6 sockets accept only IPv6. */
static int parse_host(struct address *address, const char *host, uint16_t port,
		      struct reason *reason)
{
	if (address_from_ip(address, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port,
			    reason) < 0)
		return -1;
	if (address->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
		return reason_set(reason, "\"%s\" is an IPv4 address: write it as one", host);
	return 0;
}

static int parse_endpoint(const struct setting *setting UNUSED, void *value, const char *text,
			  struct reason *reason)
{
	char host[80];
	uint16_t port;
	struct reason why;

	if (address_split(text, PORT_REQUIRED, host, sizeof(host), &port, &why) < 0 ||
	    parse_host(value, host, port, &why) < 0)
		return reason_set(reason,
				  "%s; allowed are IPV4:PORT, [IPV6]:PORT and localhost:PORT",
				  why.text);
	return 0;
}

static bool format_endpoint(const struct setting *setting UNUSED, const void *value, size_t item,
			    char *text)
{
	const struct address *address = value;

	(void)address_format(address, text);
	return item == 0 && address->length != 0;
}

static int parse_text(const struct setting *setting UNUSED, void *value, const char *text,
		      struct reason *reason)
{
	return escaped_text_decode(value, text, reason);
}

static bool format_text(const struct setting *setting, const void *value, size_t item, char *text)
{
	const struct text *bytes = value;

	escaped_text_encode(bytes, LINE_MAX_LENGTH - strlen(setting->key) - strlen(" = "), text);
	return item == 0 && bytes->length != 0;
}

const struct value_type number_value = {
	.size = sizeof(uint64_t), .parse = parse_number, .format = format_number};
const struct value_type number_or_auto_value = {
	.size = sizeof(uint64_t), .parse = parse_number_or_auto, .format = format_number_or_auto};
const struct value_type duration_value = {
	.size = sizeof(uint64_t), .parse = parse_duration_value, .format = format_duration_value};
const struct value_type short_duration_value = {.size = sizeof(uint64_t),
						.parse = parse_short_duration_value,
						.format = format_short_duration_value};
const struct value_type boolean_value = {
	.size = sizeof(bool), .parse = parse_boolean_value, .format = format_boolean_value};
const struct value_type word_value = {
	.size = sizeof(uint64_t), .parse = parse_word, .format = format_word};
const struct value_type user_value = {
	.size = NAME_MAX_LENGTH + 1, .parse = parse_user, .format = format_user};
const struct value_type endpoint_value = {
	.size = sizeof(struct address), .parse = parse_endpoint, .format = format_endpoint};
const struct value_type text_value = {
	.size = sizeof(struct text), .parse = parse_text, .format = format_text};
