/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Keys as a part of the configuration: where an error is, who shares one, which stay. */

#include "config.h"

#include <pwd.h>

#include "unit/config_text.h"

#define KEY "404142434445464748494a4b4c4d4e4f"
#define OTHER_KEY "505152535455565758595a5b5c5d5e5f"
#define LISTENER "[listener a]\naddress = 127.0.0.1:1\nmode = stamp\n"
#define SECOND "[listener b]\naddress = 127.0.0.1:2\nmode = stamp\n"

static char directory[] = "/tmp/echod-test-XXXXXX";
static char path[sizeof(directory) + 8];

static void make_directory(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/key", directory);
}

static void remove_directory(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void write_key(const char *digits)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(write(fd, digits, strlen(digits)), (ssize_t)strlen(digits));
	ck_assert_int_eq(close(fd), 0);
}

/* BEFORE, the setting for the key at path, and AFTER, as if IN_FORCE were. */
static struct config *load(const char *before, const char *after, const struct config *in_force)
{
	char text[1024], file[32];
	struct config_source source = {.path = file, .must_exist = true, .in_force = in_force};
	int fd = memfd_create("echod.conf", MFD_CLOEXEC);
	struct config *config;

	(void)snprintf(text, sizeof(text), "%sstamp_key = %s\n%s", before, path, after);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	config = load_source(&source);
	close(fd);
	return config;
}

static bool has_key(const struct listener_config *listener, const char *bytes)
{
	struct hmac_key key;

	hmac_key_set(&key, bytes, strlen(bytes));
	return listener && listener->stamp_key.hmac &&
	       memcmp(listener->stamp_key.hmac, &key, sizeof(key)) == 0;
}

#define BYTES "@ABCDEFGHIJKLMNO"
#define OTHER_BYTES "PQRSTUVWXYZ[\\]^_"

TEST_CASE("stamp_key", make_directory, remove_directory);

TEST(a_listener_has_the_key_of_its_file)
{
	struct config *config;
	char *dump, line[128];

	write_key(KEY "\n");
	config = load(LISTENER, SECOND, NULL);
	ck_assert_msg(config && said.length == 0, "%s", said.lines);
	ck_assert(has_key(config_listener(config, "a"), BYTES));
	ck_assert_ptr_null(config_listener(config, "b")->stamp_key.hmac);
	ck_assert_ptr_null(config->defaults.stamp_key.hmac);
	dump = dump_text(config);
	(void)snprintf(line, sizeof(line), "\nstamp_key = %s\n", path);
	ck_assert_ptr_nonnull(strstr(dump, line));
	ck_assert_ptr_null(strstr(dump, KEY));
	free(dump);
	config_release(config);
}

TEST(listeners_share_the_key_of_defaults)
{
	struct config *config;

	write_key(KEY);
	config = load("[defaults]\n", LISTENER SECOND, NULL);
	ck_assert_msg(config && said.length == 0, "%s", said.lines);
	ck_assert(has_key(config_listener(config, "a"), BYTES));
	ck_assert(has_key(config_listener(config, "b"), BYTES));
	ck_assert(has_key(&config->defaults, BYTES));
	config_release(config);
}

TEST(an_error_is_at_the_line_of_the_setting)
{
	char wanted[256];

	ck_assert_ptr_null(load(LISTENER, SECOND, NULL));
	(void)snprintf(wanted, sizeof(wanted),
		       "F:4: stamp_key: %s: cannot open: No such file or directory\n", path);
	ck_assert_str_eq(said.lines, wanted);
	write_key(KEY "0");
	ck_assert_ptr_null(load("[defaults]\n", LISTENER SECOND, NULL));
	(void)snprintf(wanted, sizeof(wanted),
		       "F:2: stamp_key: %s: has 33 hex digits, an odd number\n", path);
	ck_assert_str_eq(said.lines, wanted); /* once, however many share it */
}

TEST(without_the_mode_it_has_no_effect)
{
	struct config *config;

	write_key(KEY);
	config = load("[listener a]\naddress = 127.0.0.1:1\n", "", NULL);
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(said.warnings, 1);
	ck_assert_ptr_nonnull(strstr(said.lines, "F:3: warning: stamp_key has no effect: "));
	config_release(config);
}

TEST(a_reload_reads_the_file_again)
{
	struct config *config, *next;

	write_key(KEY);
	config = load(LISTENER, "", NULL);
	write_key(OTHER_KEY);
	next = load(LISTENER, "", config);
	ck_assert_uint_eq(said.length, 0);
	ck_assert(has_key(config_listener(config, "a"), BYTES));
	ck_assert(has_key(config_listener(next, "a"), OTHER_BYTES));
	config_release(config);
	config_release(next);
}

/* As it is after `user`: no search in the directory for us. */
static struct config *load_unreadable(const char *before, const char *after,
				      const struct config *in_force)
{
	struct config *config;

	ck_assert_int_eq(chmod(directory, 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	config = load(before, after, in_force);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod(directory, 0700), 0);
	return config;
}

TEST(a_reload_keeps_the_key_of_a_file_that_it_may_not_read)
{
	static const char *const before[] = {LISTENER, "[defaults]\n", LISTENER SECOND};
	static const char *const after[] = {"", LISTENER, ""};
	static const char *const names[] = {"a", "a", "b"};
	struct config *config, *next;
	char wanted[256];

	write_key(KEY);
	config = load(LISTENER, "", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		next = load_unreadable(before[i], after[i], config);
		ck_assert_msg(next != NULL, "%s", said.lines);
		ck_assert(has_key(config_listener(next, names[i]), BYTES));
		(void)snprintf(wanted, sizeof(wanted),
			       "warning: stamp_key: %s: cannot open: Permission denied: the key in "
			       "force stays\n",
			       path);
		ck_assert_ptr_nonnull(strstr(said.lines, wanted));
		ck_assert_uint_eq(said.warnings, 1);
		/* It can be kept again and again, wherever it was. */
		config_release(config);
		config = next;
	}
	config_release(config);
}

TEST(a_key_that_was_never_read_cannot_be_kept)
{
	struct config *config = load_good(LISTENER SECOND);

	write_key(KEY);
	ck_assert_ptr_null(load_unreadable(LISTENER, "", config));
	ck_assert_ptr_null(load_unreadable(LISTENER, "", NULL));
	ck_assert_ptr_nonnull(strstr(said.lines, "F:4: stamp_key: "));
	config_release(config);
}

TEST(the_key_of_another_file_is_not_kept)
{
	struct config *config;

	write_key(KEY);
	config = load(LISTENER, "", NULL);
	ck_assert_int_eq(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/another", directory);
	write_key(KEY);
	ck_assert_ptr_null(load_unreadable(LISTENER, "", config));
	ck_assert_ptr_nonnull(strstr(said.lines, "F:4: stamp_key: "));
	config_release(config);
}

TEST(any_other_fault_refuses_the_reload)
{
	struct config *config;

	write_key(KEY);
	config = load(LISTENER, "", NULL);
	ck_assert_int_eq(chmod(path, 0640), 0);
	ck_assert_ptr_null(load(LISTENER, "", config));
	ck_assert_ptr_nonnull(strstr(said.lines, "has mode 0640, too open"));
	config_release(config);
}

TEST(the_file_may_belong_to_the_user_of_the_service)
{
	const struct passwd *nobody = getpwnam("nobody");
	struct config *config;

	if (geteuid() != 0 || !nobody)
		skip("this takes root, and a user nobody");
	write_key(KEY);
	ck_assert_int_eq(chown(path, nobody->pw_uid, 0), 0);
	ck_assert_ptr_null(load(LISTENER, "", NULL));
	ck_assert_ptr_nonnull(strstr(said.lines, "belongs to user"));
	/* Wherever the section is. */
	config = load(LISTENER, "[server]\nuser = nobody\n", NULL);
	ck_assert_msg(config != NULL, "%s", said.lines);
	config_release(config);
}

/* Nothing of the key is left in memory that was freed, nor of its digits. */
static void *freed_key;
static unsigned frees;
static uint8_t left[sizeof(struct hmac_key)];

void __real_free(void *block);
void __wrap_free(void *block);

void __wrap_free(void *block)
{
	if (block && block == freed_key) {
		memcpy(left, block, sizeof(left));
		frees++;
	}
	__real_free(block);
}

TEST(a_key_is_wiped_when_its_configuration_ends)
{
	static const uint8_t zeros[sizeof(left)];
	struct config *config;

	write_key(KEY);
	config = load("[defaults]\n", LISTENER SECOND, NULL);
	freed_key = config->defaults.stamp_key.hmac;
	memset(left, 1, sizeof(left));
	config_release(config);
	freed_key = NULL;
	ck_assert_uint_eq(frees, 1);
	ck_assert_mem_eq(left, zeros, sizeof(left));
}

TEST(a_key_that_was_cleared_has_no_file)
{
	struct stamp_key key = {.path = "/key"};

	stamp_key_value.clear(&key);
	ck_assert_str_eq(key.path, "");
}

TEST(the_dscp_of_replies_is_any_or_received)
{
	struct config *config = load_good(LISTENER "stamp_dscp = received\n" SECOND);

	ck_assert_uint_eq(config_listener(config, "a")->stamp_dscp, STAMP_DSCP_RECEIVED);
	ck_assert_uint_eq(config_listener(config, "b")->stamp_dscp, STAMP_DSCP_ANY);
	config_release(config);
	ck_assert_ptr_null(load_text(LISTENER "stamp_dscp = none\n"));
	ck_assert_str_eq(said.lines, "F:4: stamp_dscp: \"none\" is neither any nor received\n");
}
