/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See key_file.h. */

#include "config.h"

#include "base/key_file.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* More than the longest key and any sensible end of line after it. */
#define TEXT_MAX (2 * KEY_MAX + 32)

#define ALLOWED_MODE 0600
#define ACL_ENTRIES_MAX 16

/* What goes through memory on the way to a key. */
struct key_text {
	char text[TEXT_MAX + 1];
	size_t length;
	uint8_t bytes[KEY_MAX];
};

struct acl {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[ACL_ENTRIES_MAX];
};

static bool is_trusted(uid_t user, uid_t owner)
{
	return user == 0 || user == geteuid() || user == owner;
}

static bool admits_others(const struct posix_acl_xattr_entry *entry, uid_t owner)
{
	switch (le16toh(entry->e_tag)) {
	case ACL_USER_OBJ:
	case ACL_MASK:
		return false;
	case ACL_USER:
		return !is_trusted(le32toh(entry->e_id), owner);
	default:
		return entry->e_perm != 0;
	}
}

/*
 * With an ACL the mode shows for the group what any entry may have at most. systemd gives the user
 * of a service access to credentials that way, and the mode says 0440.
 */
static bool is_for_trusted_users(int fd, uid_t owner)
{
	struct acl acl;
	ssize_t size = fgetxattr(fd, XATTR_NAME_POSIX_ACL_ACCESS, &acl, sizeof(acl));
	size_t left;

	if (size < (ssize_t)sizeof(acl.header) ||
	    le32toh(acl.header.a_version) != POSIX_ACL_XATTR_VERSION)
		return false;
	left = ((size_t)size - sizeof(acl.header)) / sizeof(acl.entries[0]);
	while (left > 0 && !admits_others(&acl.entries[left - 1], owner))
		left--;
	return left == 0;
}

static bool is_open_to_others(int fd, unsigned mode, uid_t owner)
{
	unsigned beyond = mode & ~(unsigned)ALLOWED_MODE;

	return beyond != 0 && (beyond != S_IRGRP || !is_for_trusted_users(fd, owner));
}

static int check_file(int fd, const char *path, uid_t owner, struct reason *reason)
{
	struct stat status;
	unsigned mode;

	if (fstat(fd, &status) < 0)
		return reason_set(reason, "%s: cannot stat: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return reason_set(reason, "%s: is not a regular file", path);
	if (!is_trusted(status.st_uid, owner))
		return reason_set(reason,
				  "%s: belongs to user %u: it must belong to root or to the user "
				  "that the daemon runs as",
				  path, (unsigned)status.st_uid);
	mode = status.st_mode & 07777U;
	if (is_open_to_others(fd, mode, owner))
		return reason_set(reason, "%s: has mode %04o, too open for a key: chmod %04o it",
				  path, mode, ALLOWED_MODE);
	return 0;
}

/* Requests one byte more than there may be, to detect longer files. */
static int read_text(int fd, const char *path, struct key_text *key, struct reason *reason)
{
	ssize_t got;

	do {
		got = read(fd, key->text + key->length, sizeof(key->text) - key->length);
		if (got < 0)
			return reason_set(reason, "%s: cannot read: %s", path, strerror(errno));
		key->length += (size_t)got;
	} while (got > 0 && key->length < sizeof(key->text));
	if (key->length > TEXT_MAX)
		return reason_set(reason, "%s: is too long: a key has at most %d hex digits", path,
				  2 * KEY_MAX);
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* -1: it is none. */
static int digit_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c);

	return at ? (int)(at - digits) : -1;
}

/* The size of the key, or -1. Never quotes the text: it goes to a log. */
static int decode(const char *path, struct key_text *key, struct reason *reason)
{
	size_t digits = key->length;

	while (digits > 0 && is_blank(key->text[digits - 1]))
		digits--;
	for (size_t i = 0; i < digits; i++) {
		int value = digit_value(key->text[i]);

		if (value < 0)
			return reason_set(reason, "%s: byte %zu is not a hex digit", path, i + 1);
		if (i < (size_t)2 * KEY_MAX)
			key->bytes[i / 2] = (uint8_t)(key->bytes[i / 2] << 4 | value);
	}
	if (digits % 2 != 0)
		return reason_set(reason, "%s: has %zu hex digits, an odd number", path, digits);
	if (digits < (size_t)2 * KEY_MIN || digits > (size_t)2 * KEY_MAX)
		return reason_set(reason,
				  "%s: is too %s: %zu hex digits, a key has %d to %d of them", path,
				  digits < (size_t)2 * KEY_MIN ? "short" : "long", digits,
				  2 * KEY_MIN, 2 * KEY_MAX);
	return (int)(digits / 2);
}

static int read_key(int fd, const char *path, struct hmac_key *key, struct reason *reason)
{
	struct key_text text = {.length = 0};
	int size = -1;

	if (read_text(fd, path, &text, reason) == 0)
		size = decode(path, &text, reason);
	if (size >= 0)
		hmac_key_set(key, text.bytes, (size_t)size);
	explicit_bzero(&text, sizeof(text));
	return size < 0 ? -1 : 0;
}

static enum key_file not_opened(const char *path, int error, struct reason *reason)
{
	if (error == ELOOP)
		(void)reason_set(reason, "%s: is a symbolic link: name the file itself", path);
	else
		(void)reason_set(reason, "%s: cannot open: %s", path, strerror(error));
	return error == EACCES ? KEY_FILE_FORBIDDEN : KEY_FILE_BAD;
}

enum key_file key_file_read(const char *path, uid_t owner, struct hmac_key *key,
			    struct reason *reason)
{
	/* O_NONBLOCK: opening a FIFO without a writer would block. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	int result;

	if (fd < 0)
		return not_opened(path, errno, reason);
	result = check_file(fd, path, owner, reason);
	if (result == 0)
		result = read_key(fd, path, key, reason);
	(void)close(fd);
	return result < 0 ? KEY_FILE_BAD : KEY_FILE_READ;
}
