/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Which probe an error ends, and what is said of it. The test plays the socket: what is sent, what
 * comes, and the queue of errors.
 */

#include "config.h"

#include "echoc/ping/pinger.h"
#include "echoc/ping/wire.h"
#include "integration/net.h"
#include "probe/icmp_error.h"
#include "support/test.h"

#define SIZE 64
#define ROOM 4
#define RUN 77
#define TEXT "from 192.0.2.1: host unreachable"
#define REFUSED "refused: nothing listens there"

static struct arguments arguments;
static struct target target;
static struct pinger pinger;
static unsigned char buffer[SIZE];
static char events[400]; /* in words */

static struct icmp_error queue[8]; /* of errors */
static unsigned char quoted[SIZE]; /* by all of them */
static size_t queued, taken;
static int receive_error; /* of the next call; 0: nothing comes */
static int send_error;
static unsigned failing; /* how many calls are still to fail */
static unsigned sent;

ssize_t __real_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_receive(struct receiver *receiver, void *data, size_t size,
		       struct reception *reception);
int __wrap_icmp_error_read(int fd, void *data, size_t size, struct icmp_error *error);
void __wrap_ping_output_note(struct ping_output *output, const char *what, int error);

static void add(const char *what, uint64_t sequence, const char *why)
{
	size_t length = strlen(events);

	snprintf(events + length, sizeof(events) - length, "%s %u: %s; ", what, (unsigned)sequence,
		 why);
}

static void expect(const char *wanted)
{
	ck_assert_str_eq(events, wanted);
	events[0] = '\0';
}

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags)
{
	if (data != buffer)
		return __real_send(fd, data, size, flags);
	if (failing > 0) {
		failing--;
		errno = send_error;
		return -1;
	}
	sent++;
	return (ssize_t)size;
}

ssize_t __wrap_receive(struct receiver *receiver UNUSED, void *data UNUSED, size_t size UNUSED,
		       struct reception *reception UNUSED)
{
	errno = receive_error != 0 ? receive_error : EAGAIN;
	receive_error = 0;
	return -1;
}

int __wrap_icmp_error_read(int fd UNUSED, void *data, size_t size, struct icmp_error *error)
{
	if (taken == queued)
		return -1;
	*error = queue[taken++];
	ck_assert_uint_ge(size, SIZE);
	memcpy(data, quoted, SIZE);
	return 0;
}

void __wrap_ping_output_note(struct ping_output *output UNUSED, const char *what, int error)
{
	add("note", (uint64_t)error, what);
}

static void on_lost(void *context UNUSED, uint64_t sequence, const char *why)
{
	add("lost", sequence, why);
	flow_lose(&pinger.flow, sequence);
}

static const struct link_user user = {.lost = on_lost};

/* Of the family of the other end, with PROBES that wait. */
static void start(const char *host, unsigned probes)
{
	target = (struct target){.datagram = true};
	target.candidates[0] = host ? at(host, 7)
				    : (struct address){.un.sun_family = AF_UNIX,
						       .length = sizeof(struct sockaddr_un)};
	pinger = (struct pinger){.arguments = &arguments,
				 .target = &target,
				 .wire = &ping_wire_echo,
				 .link.user = &user,
				 .buffer = buffer,
				 .buffer_size = SIZE};
	ck_assert_int_eq(flow_init(&pinger.flow, RUN, SIZE, ROOM, &pinger.books), 0);
	queued = taken = 0;
	failing = sent = 0;
	receive_error = 0;
	for (unsigned i = 0; i < probes; i++)
		ping_send(&pinger);
	ck_assert_uint_eq(sent, probes);
	expect("");
}

static void come(struct icmp_error error, const char *from)
{
	if (from)
		error.from = at(from, 0);
	(void)snprintf(error.text, sizeof(error.text), TEXT);
	queue[queued++] = error;
}

static void quote(uint64_t run, uint64_t sequence)
{
	struct probe probe = {run, sequence, 0};

	probe_write(&probe, 0, quoted, SIZE);
}

static void set_up(void)
{
	probe_prepare();
	events[0] = '\0';
	start("192.0.2.7", 3);
}

static void tear_down(void)
{
	flow_clear(&pinger.flow);
}

TEST_CASE("exchange", set_up, tear_down);

#define HOST "192.0.2.7"
#define ROUTER "192.0.2.1"

static const struct {
	uint64_t run, sequence;
	struct icmp_error error;
	const char *from;
	const char *expected;
	unsigned errors, refused;
} reports[] = {
	{RUN, 2, {.remote = true, .quoted = SIZE}, ROUTER, "lost 2: " TEXT "; ", 1, 0},
	{RUN, 2, {.remote = true}, ROUTER, "lost 1: " TEXT "; ", 1, 0},
	{RUN, 2, {.quoted = SIZE}, ROUTER, "", 0, 0},
	{RUN, 4, {.remote = true, .quoted = SIZE}, ROUTER, "note 0: " TEXT "; ", 1, 0},
	{RUN + 1, 2, {.remote = true, .quoted = SIZE}, ROUTER, "note 0: " TEXT "; ", 1, 0},
	{RUN,
	 2,
	 {.remote = true, .port_unreachable = true, .quoted = SIZE},
	 HOST,
	 "lost 2: " REFUSED "; ",
	 0,
	 1},
	{RUN,
	 2,
	 {.remote = true, .port_unreachable = true, .quoted = SIZE},
	 ROUTER,
	 "lost 2: " TEXT "; ",
	 1,
	 0},
	{RUN, 2, {.remote = true, .quoted = SIZE}, HOST, "lost 2: " TEXT "; ", 1, 0},
};

TEST_EACH(an_error_ends_the_probe_that_it_quotes, ARRAY_SIZE(reports))
{
	quote(reports[_i].run, reports[_i].sequence);
	come(reports[_i].error, reports[_i].from);
	ping_read(&pinger, clock_ns());
	expect(reports[_i].expected);
	ck_assert_uint_eq(pinger.books.icmp_errors, reports[_i].errors);
	ck_assert_uint_eq(pinger.books.refused, reports[_i].refused);
	ck_assert_uint_eq(taken, 1);
}

TEST_EACH(an_error_about_a_probe_that_is_lost_already_is_only_noted, 2)
{
	for (uint64_t sequence = 1; sequence <= 3; sequence++)
		flow_lose(&pinger.flow, sequence);
	quote(RUN, 2);
	come((struct icmp_error){.remote = true, .quoted = _i == 0 ? SIZE : 0}, ROUTER);
	ping_read(&pinger, clock_ns());
	expect("note 0: " TEXT "; ");
}

/* Other than IP, the kernel has no queue of errors: the next call returns it. */
TEST(an_error_of_a_unix_socket_ends_the_oldest_probe)
{
	tear_down();
	start(NULL, 2);
	receive_error = ECONNRESET;
	ping_read(&pinger, clock_ns());
	expect("lost 1: Connection reset by peer; ");
	flow_lose(&pinger.flow, 2);
	receive_error = ECONNRESET;
	ping_read(&pinger, clock_ns());
	expect("");
}

static const struct {
	const char *host;
	int error;
	unsigned failing, errors, refused;
	const char *expected;
} failures[] = {
	{HOST, ENOBUFS, 1, 0, 0, "lost 2: No buffer space available; "},
	{HOST, ECONNREFUSED, 1, 1, 0, "lost 1: " TEXT "; "},
	{HOST, ECONNREFUSED, 1, 0, 1, "lost 2: " REFUSED "; "},
	{HOST, ECONNREFUSED, 9, 8, 1,
	 "lost 1: " TEXT "; note 0: " TEXT "; note 0: " TEXT "; note 0: " TEXT "; note 0: " TEXT
	 "; note 0: " TEXT "; note 0: " TEXT "; note 0: " TEXT "; lost 2: " REFUSED "; "},
	{NULL, ECONNREFUSED, 1, 0, 1, "lost 2: " REFUSED "; "},
	{NULL, ENOENT, 1, 0, 0, "lost 2: No such file or directory; "},
};

/* What a send returns may be the error of an earlier probe: then it is repeated. */
TEST_EACH(a_probe_that_cannot_be_sent_is_lost, ARRAY_SIZE(failures))
{
	tear_down();
	start(failures[_i].host, 1);
	quote(RUN, 1);
	for (unsigned i = 0; i < failures[_i].errors; i++)
		come((struct icmp_error){.remote = true, .quoted = SIZE}, ROUTER);
	send_error = failures[_i].error;
	failing = failures[_i].failing;
	ping_send(&pinger);
	expect(failures[_i].expected);
	ck_assert_uint_eq(pinger.books.refused, failures[_i].refused);
	ck_assert_uint_eq(flow_next(&pinger.flow), 3);
}

/* The error of each attempt waits alone. */
TEST(a_probe_is_tried_three_times)
{
	send_error = ECONNREFUSED;
	failing = 9;
	quote(RUN + 1, 1);
	for (unsigned i = 0; i < 4; i++)
		come((struct icmp_error){.remote = true, .quoted = SIZE}, ROUTER);
	ping_send(&pinger);
	ck_assert_uint_eq(failing, 7);
}

TEST(a_probe_without_a_place_takes_that_of_the_oldest)
{
	while (flow_room(&pinger.flow) > 0)
		ping_send(&pinger);
	expect("");
	ping_send(&pinger);
	expect("lost 1: too many outstanding; ");
}
