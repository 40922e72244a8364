/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The live line of a bench on a terminal: it fits, and nothing of it stays. */

#include "config.h"

#include <sys/ioctl.h>
#include <termios.h>

#include "echoc/bench/live.h"
#include "echoc/say/live_line.h"
#include "support/test.h"

#define ERASED "\r\033[J"

static int terminal, own_output;

static void resize(unsigned short columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};

	ck_assert_int_eq(ioctl(terminal, TIOCSWINSZ, &size), 0);
}

static void open_terminal(void)
{
	int fd;

	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	ck_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	fd = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	fflush(stdout);
	own_output = dup(STDOUT_FILENO);
	ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	close(fd);
}

static void close_terminal(void)
{
	dup2(own_output, STDOUT_FILENO);
	close(own_output);
	close(terminal);
}

/* What was written to it since the last call. */
static const char *written(void)
{
	static char text[4096];
	ssize_t got = read(terminal, text, sizeof(text) - 1);

	ck_assert_int_gt(got, 0);
	text[got] = '\0';
	return text;
}

static struct books books;
static const struct report_span span = {.seconds = 1, .messages = 12345, .bytes = 64 * 12345};
static const struct live_line line = {
	.elapsed = 3, .duration = 10, .span = &span, .books = &books, .lost = 7};

static void draw(void)
{
	live_draw(&line);
}

/* How many columns the line takes that was just drawn. */
static unsigned drawn(void)
{
	const char *text = written();

	ck_assert_ptr_eq(strstr(text, ERASED), text);
	ck_assert_ptr_null(strchr(text + 1, '\r'));
	return (unsigned)strlen(text + strlen(ERASED));
}

TEST_CASE("live line", open_terminal, close_terminal);

TEST(a_line_takes_the_place_of_the_one_before)
{
	resize(100);
	draw();
	ck_assert_ptr_nonnull(strstr(written(), ERASED "3/10 s |######              | 12,345/s"));
	draw();
	ck_assert_uint_gt(drawn(), 0);
	live_line_erase();
	ck_assert_str_eq(written(), ERASED);
}

static const unsigned short widths[] = {10, 50, 60, 64, 70, 80, 200};

TEST_EACH(a_line_is_shorter_than_the_terminal_is_wide, ARRAY_SIZE(widths))
{
	resize(widths[_i]);
	draw();
	ck_assert_uint_lt(drawn(), widths[_i]);
}

/* A terminal that was made narrower has wrapped it. */
TEST_EACH(all_rows_of_a_line_are_erased, 2)
{
	char expected[32];
	unsigned length, columns;

	resize(100);
	draw();
	length = drawn();
	columns = (length + 1) / (_i == 0 ? 2 : 3); /* so many rows, or one more */
	resize((unsigned short)columns);
	snprintf(expected, sizeof(expected), "\033[%uA" ERASED, (length - 1) / columns);
	live_line_erase();
	ck_assert_str_eq(written(), expected);
	live_line_erase();
	ck_assert_str_eq(written(), ERASED);
}

/* In a log. */
TEST(a_line_without_a_terminal_is_plain)
{
	live_print(&line);
	fflush(stdout);
	ck_assert_str_eq(written(), "3/10 s 12,345/s 0.8 MB/s p50 - p99 - lost 7\r\n");
}
