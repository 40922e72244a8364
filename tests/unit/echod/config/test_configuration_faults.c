/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Loading when the system is short of something: each failure is reported and refuses the whole
 * file, so that no half of a configuration is ever in force.
 */

#include "config.h"

#include "base/netlist.h"
#include "unit/config_text.h"
#include "unit/faults.h"

/* Every kind of value that owns memory, in [defaults] and handed on; and a warning. */
#define RICH                                                                                       \
	"[defaults]\nallow = ::1 192.0.2.0/24\ndeny = 2001:db8::/32\n"                             \
	"[listener a]\naddress = 127.0.0.1:1 [::1]:1\nprotocol = tcp\nudp_rate = 5\n"              \
	"[listener b]\naddress = 127.0.0.1:2\ndeny = ::2\n"

static bool said_that(const char *text)
{
	return strstr(said.lines, text) != NULL;
}

/* As hear(), but without an assertion. */
static void keep(enum log_level level, const char *line)
{
	said.errors += level == LEVEL_ERROR;
	said.length += (size_t)snprintf(said.lines + said.length, sizeof(said.lines) - said.length,
					"%s\n", line);
}

static const struct config *in_force; /* of a reload */

/* Loads TEXT while the call that comes after SKIP others fails; false: there were not as many. */
static bool fails_to_load(const char *text, unsigned skip, const char *call)
{
	int fd = memfd_create("echod.conf", MFD_CLOEXEC);
	char path[32];
	struct config_source source = {.path = path, .must_exist = true, .in_force = in_force};
	struct config *config;
	bool failed;

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	forget();
	fault_after(skip, call, strcmp(call, MEMORY) == 0 ? ENOMEM : EIO);
	config = config_load(&source, keep);
	failed = fault_over();
	close(fd);
	if (failed) {
		ck_assert_ptr_null(config);
		ck_assert_uint_ge(said.errors, 1);
		ck_assert_int_eq(fault_blocks(), 0);
	}
	config_release(config);
	return failed;
}

/* How often loading TEXT allocates; each allocation fails once. */
static unsigned each_allocation_fails(const char *text)
{
	unsigned skip = 0;

	for (; fails_to_load(text, skip, MEMORY); skip++)
		ck_assert_msg(said_that("not enough memory"), "%u: %s", skip, said.lines);
	return skip;
}

TEST(a_configuration_for_which_memory_runs_out_is_refused)
{
	struct config *config = load_text(RICH);

	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(said.warnings, 1);
	config_release(config);
	ck_assert_uint_ge(each_allocation_fails(RICH), 15);
	ck_assert_uint_ge(each_allocation_fails(""), 3);
}

/* At a start, and at a reload that may not read it again. */
TEST(a_key_for_which_memory_runs_out_refuses_the_file)
{
	const char *path = test_path("key"), *digits = "404142434445464748494a4b4c4d4e4f";
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct config *config;
	char text[512];

	ck_assert_int_eq(write(fd, digits, strlen(digits)), (ssize_t)strlen(digits));
	ck_assert_int_eq(close(fd), 0);
	(void)snprintf(text, sizeof(text),
		       "[listener a]\naddress = :1\nmode = stamp\nstamp_key = %s\n", path);
	ck_assert_uint_ge(each_allocation_fails(text), 5);
	in_force = config = load_good(text);
	ck_assert_int_eq(chmod(path, 0), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_uint_ge(each_allocation_fails(text), 6);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	in_force = NULL;
	config_release(config);
}

TEST(an_error_that_cannot_be_reported_is_still_one)
{
	/* The configuration, the file, the text of the finding, its place, its line. */
	ck_assert_uint_ge(each_allocation_fails("[server]\nworkers = many\n"), 5);
	ck_assert_uint_eq(said.errors, 1);
}

TEST(a_file_that_cannot_be_read_to_its_end_is_refused)
{
	const char *text = "[server]\nworkers = 2\n";

	ck_assert(fails_to_load(text, 0, "fstat"));
	ck_assert(said_that(": cannot stat: Input/output error\n"));
	for (unsigned skip = 0; skip < 2; skip++) {
		ck_assert(fails_to_load(text, skip, "read"));
		ck_assert(said_that(": cannot read: Input/output error\n"));
	}
	ck_assert(!fails_to_load(text, 2, "read"));
}

TEST(what_the_library_gives_up_on_is_refused)
{
	fault_next("ini_parse_stream", ENOMEM);
	ck_assert_ptr_null(load_text("[server]\nworkers = 2\n"));
	ck_assert_str_eq(said.lines, "F: the INI library gave up\n");
}

TEST(a_failing_directory_of_users_differs_from_an_unknown_user)
{
	ck_assert_ptr_null(load_text("[server]\nuser = no-such-user\n"));
	ck_assert_str_eq(said.lines, "F:2: user: no user \"no-such-user\" on this system: create "
				     "it first\n");
	fault_next("getpwnam_r", EMFILE);
	ck_assert_ptr_null(load_text("[server]\nuser = root\n"));
	ck_assert_str_eq(said.lines, "F:2: user: no user \"root\" on this system: Too many open "
				     "files: create it first\n");
}

/* Takes what is written to it, but for the first time. */
static ssize_t refuse_once(void *cookie, const char *data, size_t size)
{
	bool *refused = cookie;

	(void)data;
	if (*refused)
		return (ssize_t)size;
	*refused = true;
	errno = ENOSPC;
	return 0;
}

TEST(a_dump_with_a_hole_in_it_has_failed)
{
	static const int buffering[] = {_IOFBF, _IONBF};
	struct config *config = load_good("");

	for (size_t i = 0; i < ARRAY_SIZE(buffering); i++) {
		bool refused = false;
		cookie_io_functions_t functions = {.write = refuse_once};
		FILE *out = fopencookie(&refused, "w", functions);

		ck_assert_ptr_nonnull(out);
		ck_assert_int_eq(setvbuf(out, NULL, buffering[i], BUFSIZ), 0);
		ck_assert_int_eq(config_dump(config, out), -1);
		ck_assert(refused);
		ck_assert_int_eq(fclose(out), 0);
	}
	config_release(config);
}
