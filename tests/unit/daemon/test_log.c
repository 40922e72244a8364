/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The log against every kind of standard error: what a line looks like, that nothing in it can
 * forge another, and that a reader that does not read never makes us wait.
 */

#include "config.h"

#include <event2/event.h>
#include <regex.h>
#include <termios.h>

#include "daemon/log.h"
#include "support/test.h"

static char text[1 << 20];
static int saved_stderr = -1;

/* FD becomes standard error and the log looks at it afresh. */
static void log_into(int fd)
{
	if (saved_stderr < 0)
		saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
	log_open();
}

static void teardown(void)
{
	if (saved_stderr >= 0)
		dup2(saved_stderr, STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	log_set_level(LEVEL_NOTICE);
}

/* A pipe to standard error; the end that reads does not wait. */
static int log_into_pipe(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_ge(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	log_into(ends[1]);
	return ends[0];
}

static int log_into_socket(int type)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_ge(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	log_into(ends[1]);
	return ends[0];
}

/* All that can be read now. */
static size_t drain(int fd)
{
	size_t length = 0;
	ssize_t n;

	while ((n = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	return length;
}

static void assert_matches(const char *string, const char *pattern)
{
	regex_t regex;
	int result;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	result = regexec(&regex, string, 0, NULL, 0);
	regfree(&regex);
	ck_assert_msg(result == 0, "\"%s\" does not match %s", string, pattern);
}

#define TIME "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} "

TEST_CASE("lines", NULL, teardown);

TEST(a_line_for_a_person_carries_time_and_level)
{
	int reader = log_into_pipe();

	log_notice("hello %d", 7);
	drain(reader);
	assert_matches(text, "^" TIME "notice: hello 7\n$");
}

TEST(journald_gets_priorities_and_no_time)
{
	char stream[64];
	struct stat st;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fstat(ends[1], &st), 0);
	snprintf(stream, sizeof(stream), "%lu:%lu", (unsigned long)st.st_dev,
		 (unsigned long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_into(ends[1]);
	ck_assert(log_is_journal());
	log_set_level(LEVEL_DEBUG);
	log_error("a");
	log_warning("b");
	log_notice("c");
	log_info("d");
	log_debug("e");
	ck_assert_int_ge(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	drain(ends[0]);
	ck_assert_str_eq(text, "<3>a\n<4>b\n<5>c\n<6>d\n<7>e\n");
}

TEST(a_journal_stream_that_is_not_our_stderr_does_not_count)
{
	int reader;

	setenv("JOURNAL_STREAM", "1:2", 1);
	reader = log_into_pipe();
	ck_assert(!log_is_journal());
	log_notice("x");
	drain(reader);
	assert_matches(text, "^" TIME "notice: x\n$");
}

TEST(a_line_is_one_system_call)
{
	int reader = log_into_socket(SOCK_DGRAM);

	log_notice("first");
	log_notice("second");
	ck_assert_int_gt(recv(reader, text, sizeof(text), 0), 0);
	ck_assert_ptr_nonnull(strstr(text, "first\n"));
	ck_assert_ptr_null(strstr(text, "second"));
}

TEST(a_long_message_is_cut_and_still_ends)
{
	int reader = log_into_pipe();
	static char big[10000];
	size_t length;

	memset(big, 'y', sizeof(big) - 1);
	log_notice("%s", big);
	log_notice("next");
	length = drain(reader);
	ck_assert_uint_gt(length, 1000);
	ck_assert_uint_lt(length, 2000);
	assert_matches(text, "y\n" TIME "notice: next\n$");
}

TEST(remote_bytes_cannot_forge_a_line_or_move_a_cursor)
{
	int reader = log_into_pipe();

	log_notice("a\nb\rc\td\033[2Je\177f\302\233g\233h\377i\303");
	drain(reader);
	assert_matches(text, "^" TIME "notice: a\\?b\\?c\\?d\\?\\[2Je\\?f\\?\\?g\\?h\\?i\\?\n$");
}

TEST(text_in_other_languages_stays_readable)
{
	int reader = log_into_pipe();

	log_notice("/run/gr\303\266\303\237e/\342\202\254/\360\237\220\237");
	drain(reader);
	ck_assert_ptr_nonnull(
		strstr(text, "/run/gr\303\266\303\237e/\342\202\254/\360\237\220\237\n"));
}

/* The reader sleeps meanwhile: a call that waits for it runs into the time limit of the test. */
static unsigned fill(int lines)
{
	for (int i = 0; i < lines; i++)
		log_notice("line %d %0500d", i, 0);
	return (unsigned)lines;
}

static unsigned count(const char *what)
{
	unsigned found = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		found++;
	return found;
}

/* Every line is there or counted as lost, and the next one through reports how many. */
TEST_EACH(a_full_pipe_or_socket_loses_lines_and_reports_them_later, 3)
{
	int reader =
		_i == 0 ? log_into_pipe() : log_into_socket(_i == 1 ? SOCK_STREAM : SOCK_DGRAM);
	unsigned written = fill(3000);
	unsigned kept;
	char lost[64];

	drain(reader);
	kept = count("notice: line ");
	ck_assert_uint_gt(kept, 0);
	ck_assert_uint_lt(kept, written);
	log_notice("again");
	drain(reader);
	snprintf(lost, sizeof(lost), "warning: %u log lines lost\n", written - kept);
	ck_assert_msg(strstr(text, lost) != NULL, "no \"%s\" in \"%s\"", lost, text);
	assert_matches(text, "lost\n" TIME "notice: again\n$");
	log_notice("quiet");
	drain(reader);
	assert_matches(text, "^" TIME "notice: quiet\n$");
}

TEST(a_stopped_terminal_does_not_stop_us)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	int terminal;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(terminal, 0);
	log_into(terminal);
	ck_assert_int_eq(tcflow(STDERR_FILENO, TCOOFF), 0);
	fill(200);
	ck_assert_int_eq(tcflow(STDERR_FILENO, TCOON), 0);
	log_notice("again");
	drain(master);
	ck_assert_ptr_nonnull(strstr(text, "200 log lines lost"));
	ck_assert_ptr_nonnull(strstr(text, "notice: again"));
}

TEST(lines_lost_without_a_reader_are_reported_to_the_next)
{
	int reader;

	signal(SIGPIPE, SIG_IGN); /* as echod does */
	close(log_into_pipe());
	log_notice("nobody hears this");
	close(log_into_socket(SOCK_STREAM));
	log_notice("nor this");
	reader = log_into_pipe();
	log_notice("but this");
	drain(reader);
	assert_matches(text, "^" TIME "warning: 2 log lines lost\n" TIME "notice: but this\n$");
}

TEST(a_file_is_appended_to)
{
	char path[] = "/tmp/test_log.XXXXXX";
	int fd = mkstemp(path);
	int again;

	ck_assert_int_ge(fd, 0);
	again = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_eq(unlink(path), 0);
	log_into(again);
	log_notice("one");
	log_notice("two");
	ck_assert_uint_gt(drain(fd), 0);
	assert_matches(text, "^" TIME "notice: one\n" TIME "notice: two\n$");
}

TEST(errno_survives_a_lost_line)
{
	log_into_pipe();
	fill(2000);
	errno = ENOTTY;
	fill(1);
	ck_assert_int_eq(errno, ENOTTY);
}

static int formatted;

static int format_argument(void)
{
	return ++formatted;
}

TEST(what_the_level_hides_is_not_even_formatted)
{
	int reader = log_into_pipe();

	log_set_level(LEVEL_WARNING);
	log_notice("%d", format_argument());
	ck_assert_int_eq(formatted, 0);
	ck_assert(log_enabled(LEVEL_ERROR) && log_enabled(LEVEL_WARNING));
	ck_assert(!log_enabled(LEVEL_NOTICE));
	log_write(LEVEL_NOTICE, "counters at any level");
	drain(reader);
	assert_matches(text, "^" TIME "notice: counters at any level\n$");
}

TEST(libevent_speaks_through_the_log)
{
	int reader = log_into_pipe();
	struct event *event;

	log_adopt_libevent();
	event = event_new(NULL, -1, EV_PERSIST, NULL, NULL);
	ck_assert_ptr_nonnull(event);
	ck_assert_int_eq(event_add(event, NULL), -1);
	event_free(event);
	drain(reader);
	assert_matches(text, "^" TIME "warning: libevent: .*no event_base set");
}

TEST(a_fatal_error_of_libevent_is_logged_and_ends_in_failure)
{
	int reader = log_into_pipe();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		log_adopt_libevent();
		event_enable_debug_mode();
		event_enable_debug_mode();
		_exit(77);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_FAILURE);
	drain(reader);
	assert_matches(text, "error: libevent: .*twice");
	assert_matches(text, "error: libevent cannot go on");
}
