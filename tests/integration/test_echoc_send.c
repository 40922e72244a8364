/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echoc send: what comes back is printed and compared, at any size, and decides the exit status. A
 * reply that is late or comes twice is reported as such. A full queue of a unix socket is waited
 * for, for a while.
 */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"

#define LARGE (24u << 20)
#define HOUR_MS 3600000u

/* Runs it with INPUT on its standard input. */
static struct echoc run_with(const char *const *arguments, const void *input, size_t length)
{
	struct echoc echoc = echoc_start(arguments);

	echoc_finish(&echoc, input, length);
	return echoc;
}

static void expect_output(const struct echoc *echoc, const void *bytes, size_t length)
{
	ck_assert_uint_eq(echoc->output_length, length);
	ck_assert(memcmp(echoc->output, bytes, length) == 0);
}

TEST_EACH(a_text_comes_back_and_is_printed, 2)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("send", _i == 1 ? "-uv" : "-v",
						  FAULTY(.datagram = _i == 1), "hello", "world"));

	EXPECT_ERRORS(&echoc, 0, "11 bytes sent to 127.0.0.1:", "11 came back");
	expect_output(&echoc, "hello world", 11);
}

TEST(standard_input_of_any_size_comes_back)
{
	const size_t sizes[] = {0, 1, 65536, 65537, LARGE};
	struct faulty faulty = {0};
	const char *target = faulty_start(&faulty);
	unsigned char *input = malloc(LARGE);

	ck_assert_ptr_nonnull(input);
	for (size_t i = 0; i < LARGE; i++)
		input[i] = (unsigned char)(i * 2654435761u >> 13);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct echoc echoc = run_with(ECHOC_ARGS("send", target), input, sizes[i]);

		EXPECT(&echoc, 0, NULL);
		expect_output(&echoc, input, sizes[i]);
	}
	free(input);
}

TEST(standard_input_goes_in_datagrams_that_fit)
{
	struct faulty faulty = {.datagram = true};
	unsigned char input[10000];
	struct echoc echoc;

	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (unsigned char)(i >> 5);
	echoc = run_with(ECHOC_ARGS("send", "-u", faulty_start(&faulty)), input, sizeof(input));
	EXPECT(&echoc, 0, NULL);
	expect_output(&echoc, input, sizeof(input));
}

TEST_EACH(an_altered_byte_is_named, 2)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("send", _i == 1 ? "-u" : "-v",
			   FAULTY(.datagram = _i == 1, .fault = FAULT_FLIP, .offset = 4), "hello"));

	EXPECT_ERRORS(&echoc, 1, "corrupt at offset 4: expected 6f, got 6e",
		      "1 byte came back altered");
}

TEST(a_greeting_is_no_echo)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("send", FAULTY(.greeting = "220 ready\r\n"), "hello"));

	EXPECT_ERRORS(&echoc, 1, "corrupt at offset 0", "never sent");
}

TEST(bytes_that_do_not_come_back_are_counted)
{
	struct faulty close = {.fault = FAULT_CLOSE, .offset = 3};
	struct faulty cut = {.datagram = true, .fault = FAULT_TRUNCATE, .offset = 2};
	struct echoc echoc = echoc_run(ECHOC_ARGS("send", faulty_start(&close), "hello"));

	EXPECT_ERRORS(&echoc, 1, "3 of 5 bytes came back\n"); /* and nothing was waited for */
	echoc = echoc_run(ECHOC_ARGS("send", "-u", faulty_start(&cut), "hello"));
	EXPECT_ERRORS(&echoc, 1, "2 of 5 bytes came back\n");
}

TEST_EACH(silence_is_not_waited_for_for_ever, 2)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		"send", _i == 1 ? "-u" : "-v", "-w", "50ms",
		FAULTY(.datagram = _i == 1, .fault = FAULT_DELAY, .delay_ms = HOUR_MS), "hello"));

	EXPECT_ERRORS(&echoc, 1, "0 of 5 bytes came back, waited 50ms\n");
}

/* As many datagrams as there is room for, all unread. */
static void fill_queue(const struct address *address)
{
	int filler = new_socket(address, SOCK_DGRAM);

	while (sendto(filler, "x", 1, MSG_DONTWAIT, &address->sa, address->length) == 1)
		;
	close(filler);
}

TEST_EACH(a_server_that_takes_nothing_more_is_given_up, 2)
{
	const char *format = _i == 0 ? "--json" : "-v";
	char path[80], target[100];
	struct datagram came;
	struct address address;
	struct echoc echoc;
	int server;

	snprintf(path, sizeof(path), "%s/hung%d", test_directory(), _i);
	snprintf(target, sizeof(target), "unixgram:%s", path);
	address = at(path, 0);
	server = new_socket(&address, SOCK_DGRAM);
	ck_assert_int_eq(bind(server, &address.sa, address.length), 0);
	echoc = echoc_start(ECHOC_ARGS("send", format, "-w", "2s", target));
	ck_assert_int_eq(write(echoc.in, "one", 3), 3);
	receive_datagram(server, &came);
	fill_queue(&address);
	send_datagram(server, &came.from, "one", 3);
	echoc_finish(&echoc, "second", 6);
	EXPECT_ERRORS(&echoc, 1, "cannot send: the queue stays full\n");
	if (_i == 0)
		EXPECT(&echoc, 1, "\"sent\":9,\"received\":3,\"lost\":6,");
	else
		EXPECT_ERRORS(&echoc, 1, "3 of 9 bytes came back; not all was sent, waited 2s\n");
}

/* It remembers what is under way, which must have a bound. */
TEST(a_server_that_takes_all_and_echoes_nothing_is_not_fed_for_ever)
{
	char *input = calloc(1, LARGE);
	struct echoc echoc;

	ck_assert_ptr_nonnull(input);
	echoc = run_with(ECHOC_ARGS("send", "--json", "-w", "1s", FAULTY(.fault = FAULT_DROP)),
			 input, LARGE);
	EXPECT(&echoc, 1, "\"received\":0,");
	ck_assert_double_gt(json_get(echoc.output, "summary", "sent"), 1 << 20);
	ck_assert_double_le(json_get(echoc.output, "summary", "sent"), 16 << 20);
	free(input);
}

/* A server that does what the test says, to an echoc that sends what the test types. */
struct talk {
	int server;
	struct echoc echoc;
	struct datagram came; /* the latest */
};

static void type(struct talk *talk, const char *text)
{
	size_t length = strlen(text);

	ck_assert_int_eq(write(talk->echoc.in, text, length), (ssize_t)length);
	receive_datagram(talk->server, &talk->came);
	ck_assert_uint_eq(talk->came.size, length);
	ck_assert(memcmp(talk->came.data, text, length) == 0);
}

static void answer(const struct talk *talk, const char *text)
{
	send_datagram(talk->server, &talk->came.from, text, strlen(text));
}

/*
 * What is typed and sent; "<" begins a reply of the server to the latest; after "?" that is awaited
 * in the output of echoc.
 */
static const struct {
	const char *name, *wait, *steps[9];
	int status;
	const char *output, *errors;
} talks[] = {
	{"late, while the next is waited for",
	 "2s",
	 {"one", "second", "<one", "<second", "?second", "3", "<3"},
	 1,
	 "second3",
	 "echoc: 7 of 10 bytes came back, waited 2s\nechoc: 3 bytes came back late\n"},
	{"late, after the next",
	 "2s",
	 {"one", "second", "<second", "<one", "?second", "3", "<3"},
	 1,
	 "second3",
	 "echoc: 7 of 10 bytes came back, waited 2s\nechoc: 3 bytes came back late\n"},
	{"late twice is late once",
	 "2s",
	 {"one", "second", "<one", "<one", "<second"},
	 1,
	 "second",
	 "echoc: 6 of 9 bytes came back, waited 2s\nechoc: 3 bytes came back late\n"
	 "echoc: 3 bytes came back again\n"},
	{"twice at once",
	 "20s",
	 {"one", "<one", "<one", "?one", "second", "<second"},
	 0,
	 "onesecond",
	 "echoc: 3 bytes came back again\n"},
	{"again before the next",
	 "20s",
	 {"one", "<one", "?one", "second", "<one", "<second"},
	 0,
	 "onesecond",
	 "echoc: 3 bytes came back again\n"},
	{"equal to what was sent last",
	 "2s",
	 {"same", "same", "<same", "?same", "3", "<same", "<3"},
	 1,
	 "same3",
	 "echoc: 5 of 9 bytes came back, waited 2s\nechoc: 4 bytes came back late\n"},
	{"never sent",
	 "20s",
	 {"one", "<one", "<rubbish", "?one", "second", "<second"},
	 1,
	 "onesecond",
	 "echoc: 7 bytes came that were never sent\n"},
};

TEST_EACH(a_reply_late_again_or_unasked_is_reported_as_such, ARRAY_SIZE(talks))
{
	struct talk talk = {.server = datagram_socket("127.0.0.1")};

	talk.echoc =
		echoc_start(ECHOC_ARGS("send", "-u", "-w", talks[_i].wait, target_of(talk.server)));
	for (const char *const *step = talks[_i].steps; *step != NULL; step++) {
		if (**step == '<')
			answer(&talk, *step + 1);
		else if (**step == '?')
			echoc_await(&talk.echoc, *step + 1);
		else
			type(&talk, *step);
	}
	echoc_finish(&talk.echoc, NULL, 0);
	EXPECT(&talk.echoc, talks[_i].status, NULL);
	ck_assert_str_eq(talk.echoc.output, talks[_i].output);
	ck_assert_str_eq(talk.echoc.errors, talks[_i].errors);
}

static int full_unix_server(char *path, size_t size, int *filler)
{
	static unsigned count;
	struct address address;
	int server;

	snprintf(path, size, "%s/full%d-%u", test_directory(), (int)getpid(), count++);
	address = at(path, 0);
	server = new_socket(&address, SOCK_STREAM);
	ck_assert_int_eq(bind(server, &address.sa, address.length), 0);
	ck_assert_int_eq(listen(server, 0), 0);
	*filler = connect_to(path, 0);
	return server;
}

/* Echoes what one client says. */
static void serve(int server, size_t size)
{
	char text[16];
	int fd = accept(server, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	recv_exact(fd, text, size);
	send_all(fd, text, size);
	expect_end(fd);
	close(fd);
}

TEST(a_full_queue_of_a_unix_socket_is_waited_for)
{
	char path[100], target[120];
	int filler;
	int server = full_unix_server(path, sizeof(path), &filler);
	struct echoc echoc;

	snprintf(target, sizeof(target), "unix:%s", path);
	echoc = echoc_start(ECHOC_ARGS("send", "-w", "20s", target, "hello"));
	WAIT_UNTIL(echoc_is_asleep(&echoc));
	close(filler);
	close(accept(server, NULL, NULL));
	serve(server, 5);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, "hello");
}

TEST(a_queue_that_stays_full_is_named)
{
	char path[100], target[120];
	int filler;
	struct echoc echoc;

	full_unix_server(path, sizeof(path), &filler);
	snprintf(target, sizeof(target), "unix:%s", path);
	echoc = echoc_run(ECHOC_ARGS("send", "-w", "50ms", target, "hello"));
	EXPECT_ERRORS(&echoc, 2, "the queue of the server is full");
}
