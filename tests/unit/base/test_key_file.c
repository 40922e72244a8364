/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Key files: what is one, and for each that is not the reason, which never quotes it. */

#include "config.h"

#include "base/key_file.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <linux/xattr.h>
#include <sys/xattr.h>

#include "support/test.h"

#define SIXTEEN "404142434445464748494a4b4c4d4e4f"
#define SIXTY_FOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN

static char directory[] = "/tmp/echod-test-XXXXXX";
static char path[sizeof(directory) + 8];
static struct reason reason;
static struct hmac_key key;

static void make_directory(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/key", directory);
}

static void remove_directory(void)
{
	if (unlink(path) < 0)
		(void)rmdir(path);
	ck_assert_int_eq(rmdir(directory), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void write_key(const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
	ck_assert_int_eq(close(fd), 0);
}

static enum key_file read_path(void)
{
	return key_file_read(path, geteuid(), &key, &reason);
}

static void assert_refused(const char *why)
{
	char wanted[REASON_MAX + sizeof(path)];

	ck_assert_int_eq(read_path(), KEY_FILE_BAD);
	(void)snprintf(wanted, sizeof(wanted), "%s: %s", path, why);
	ck_assert_str_eq(reason.text, wanted);
}

TEST_CASE("key_file", make_directory, remove_directory);

static const struct {
	const char *text;
	const char *same_as;
	size_t size;
} good[] = {
	{SIXTEEN, "@ABCDEFGHIJKLMNO", 16},
	{SIXTEEN "\n", "@ABCDEFGHIJKLMNO", 16},
	{SIXTEEN " \t\r\n\n", "@ABCDEFGHIJKLMNO", 16},
	{"404142434445464748494A4B4C4D4E4F", "@ABCDEFGHIJKLMNO", 16},
	{SIXTEEN "ff", "@ABCDEFGHIJKLMNO\xff", 17},
	{SIXTY_FOUR "\n", "@ABCDEFGHIJKLMNO@ABCDEFGHIJKLMNO@ABCDEFGHIJKLMNO@ABCDEFGHIJKLMNO", 64},
};

TEST_EACH(hex_digits_are_a_key, ARRAY_SIZE(good))
{
	struct hmac_key same;

	write_key(good[_i].text, strlen(good[_i].text));
	ck_assert_msg(read_path() == KEY_FILE_READ, "%s", reason.text);
	hmac_key_set(&same, good[_i].same_as, good[_i].size);
	ck_assert_mem_eq(&key, &same, sizeof(key));
}

#define TEXT(text) text, sizeof(text) - 1

static const struct {
	const char *text;
	size_t size;
	const char *why;
} bad[] = {
	{TEXT(""), "is too short: 0 hex digits, a key has 32 to 128 of them"},
	{TEXT("\n"), "is too short: 0 hex digits, a key has 32 to 128 of them"},
	{TEXT("404142434445464748494a4b4c4d4e"),
	 "is too short: 30 hex digits, a key has 32 to 128 of them"},
	{TEXT(SIXTY_FOUR "40\n"), "is too long: 130 hex digits, a key has 32 to 128 of them"},
	{TEXT(SIXTY_FOUR SIXTY_FOUR), "is too long: a key has at most 128 hex digits"},
	{TEXT(SIXTEEN "4"), "has 33 hex digits, an odd number"},
	{TEXT("4"), "has 1 hex digits, an odd number"},
	{TEXT(" " SIXTEEN), "byte 1 is not a hex digit"},
	{TEXT(SIXTEEN "\n" SIXTEEN "\n"), "byte 33 is not a hex digit"},
	{TEXT("0x" SIXTEEN), "byte 2 is not a hex digit"},
	{TEXT(SIXTEEN "g0"), "byte 33 is not a hex digit"},
	{TEXT(SIXTEEN "\0"
		      "0"),
	 "byte 33 is not a hex digit"},
	{TEXT("\x81" SIXTEEN), "byte 1 is not a hex digit"},
};

TEST_EACH(what_is_no_key_is_refused, ARRAY_SIZE(bad))
{
	write_key(bad[_i].text, bad[_i].size);
	assert_refused(bad[_i].why);
}

TEST(a_file_that_is_missing_or_out_of_the_way_is_refused)
{
	assert_refused("cannot open: No such file or directory");
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	assert_refused("is a symbolic link: name the file itself");
}

TEST(only_a_regular_file_is_read)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	assert_refused("is not a regular file");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	assert_refused("is not a regular file");
}

TEST(any_mode_beyond_0600_is_too_open)
{
	char why[64];

	write_key(TEXT(SIXTEEN));
	for (unsigned mode = 0; mode <= 07777; mode++) {
		ck_assert_int_eq(chmod(path, mode), 0);
		if ((mode & 07177) == 0) {
			ck_assert_int_eq(read_path() == KEY_FILE_READ,
					 geteuid() == 0 || (mode & 0400) != 0);
			continue;
		}
		if (geteuid() != 0 && (mode & 0400) == 0)
			continue;
		(void)snprintf(why, sizeof(why), "has mode %04o, too open for a key: chmod 0600 it",
			       mode);
		assert_refused(why);
	}
}

#define ENTRIES_MAX 7

struct entry {
	uint16_t tag, permissions;
	uint32_t id;
};

/* The service runs as user 1. */
static const struct {
	struct entry entries[ENTRIES_MAX]; /* beside those of owner, mask and others */
	unsigned mode;			   /* as it shows then: the mask is that of the group */
	bool is_good;
} acls[] = {
	{{{ACL_USER, 4, 1}, {ACL_GROUP_OBJ, 0, 0}}, 0440, true}, /* systemd's */
	{{{ACL_USER, 4, 0}, {ACL_USER, 4, 1}, {ACL_GROUP_OBJ, 0, 0}}, 0440, true},
	{{{ACL_USER, 4, 2}, {ACL_GROUP_OBJ, 0, 0}}, 0440, false},
	{{{ACL_USER, 4, 1}, {ACL_USER, 4, 2}, {ACL_GROUP_OBJ, 0, 0}}, 0440, false},
	{{{ACL_USER, 4, 1}, {ACL_GROUP_OBJ, 4, 0}}, 0440, false},
	{{{ACL_USER, 4, 1}, {ACL_GROUP_OBJ, 0, 0}, {ACL_GROUP, 4, 1}}, 0440, false},
	{{{ACL_USER, 4, 1}, {ACL_GROUP_OBJ, 0, 0}}, 0460, false},
	{{{ACL_USER, 4, 1}, {ACL_GROUP_OBJ, 0, 0}}, 0444, false},
	{{{ACL_USER, 4, 2}, {ACL_GROUP_OBJ, 4, 0}}, 0400, true}, /* but the mask forbids it */
};

static void add_entry(struct posix_acl_xattr_entry **at, const struct entry *entry)
{
	bool is_named = entry->tag == ACL_USER || entry->tag == ACL_GROUP;

	(*at)->e_tag = htole16(entry->tag);
	(*at)->e_perm = htole16(entry->permissions);
	(*at)->e_id = htole32(is_named ? entry->id : (uint32_t)ACL_UNDEFINED_ID);
	++*at;
}

static void set_acl(const struct entry *entries, unsigned mode)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[ENTRIES_MAX + 3];
	} acl = {.header.a_version = htole32(POSIX_ACL_XATTR_VERSION)};
	struct posix_acl_xattr_entry *at = acl.entries;

	add_entry(&at, &(struct entry){ACL_USER_OBJ, mode >> 6 & 7, 0});
	for (; entries->tag != 0; entries++)
		add_entry(&at, entries);
	add_entry(&at, &(struct entry){ACL_MASK, mode >> 3 & 7, 0});
	add_entry(&at, &(struct entry){ACL_OTHER, mode & 7, 0});
	if (setxattr(path, XATTR_NAME_POSIX_ACL_ACCESS, &acl, (size_t)((char *)at - (char *)&acl),
		     0) < 0)
		skip("no ACLs in /tmp");
}

TEST_EACH(an_acl_may_let_the_service_read_but_nobody_else, ARRAY_SIZE(acls))
{
	char why[64];

	write_key(TEXT(SIXTEEN));
	set_acl(acls[_i].entries, acls[_i].mode);
	(void)snprintf(why, sizeof(why), "has mode %04o, too open", acls[_i].mode);
	if (key_file_read(path, 1, &key, &reason) == KEY_FILE_READ)
		ck_assert(acls[_i].is_good);
	else
		ck_assert_msg(!acls[_i].is_good && strstr(reason.text, why), "%s", reason.text);
}

TEST(what_root_lets_the_service_read_it_reads)
{
	static const struct entry service[] = {{ACL_USER, 4, 1}, {ACL_GROUP_OBJ, 0, 0}, {0}};

	if (geteuid() != 0)
		skip("only root can become another user");
	write_key(TEXT(SIXTEEN));
	set_acl(service, 0440);
	ck_assert_int_eq(chmod(directory, 0755), 0);
	ck_assert_int_eq(seteuid(1), 0);
	ck_assert_msg(read_path() == KEY_FILE_READ, "%s", reason.text);
	ck_assert_int_eq(seteuid(0), 0);
}

TEST(it_belongs_to_root_or_to_the_service)
{
	if (geteuid() != 0)
		skip("only root can give files away");
	write_key(TEXT(SIXTEEN));
	ck_assert_int_eq(chown(path, 65533, 0), 0);
	assert_refused("belongs to user 65533: it must belong to root or to the user that the "
		       "daemon runs as");
	ck_assert_int_eq(key_file_read(path, 65533, &key, &reason), KEY_FILE_READ);
	ck_assert_int_eq(chown(path, 0, 65533), 0);
	ck_assert_int_eq(key_file_read(path, 65533, &key, &reason), KEY_FILE_READ);
}

TEST(a_file_that_may_not_be_opened_is_told_apart)
{
	write_key(TEXT(SIXTEEN));
	ck_assert_int_eq(chmod(path, 0), 0);
	ck_assert_int_eq(chmod(directory, 0755), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(read_path(), KEY_FILE_FORBIDDEN);
	ck_assert_ptr_nonnull(strstr(reason.text, "/key: cannot open: Permission denied"));
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
