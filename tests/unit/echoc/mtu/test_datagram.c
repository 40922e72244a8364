/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What becomes of a size: replies, late replies, errors that rule it out. The test plays the
 * network: it sees each probe that is sent, and decides what comes back.
 */

#include "config.h"

#include "base/clock.h"
#include "echoc/mtu/datagram.h"
#include "integration/net.h"
#include "probe/probe.h"
#include "support/test.h"

#define SIZE 1000
#define ERRORS_MAX 4
#define WAIT (5 * NS_PER_MS)
#define HOUR (3600 * NS_PER_S)

static int ends[2]; /* of the prober, of the network */
static struct target target;
static struct prober prober;
static struct outcome outcome;

static unsigned char packet[1 << 16]; /* the latest probe */
static size_t length;
static unsigned attempts;
static unsigned failing; /* how many attempts to send are still to fail */
static void (*network)(void);

/* In the order in which they are read. */
static struct icmp_error errors[ERRORS_MAX];
static size_t error_count, errors_read;

ssize_t __real_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
int __wrap_icmp_error_read(int fd, void *buffer, size_t size, struct icmp_error *error);

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags)
{
	if (fd != prober.fd)
		return __real_send(fd, data, size, flags);
	attempts++;
	memcpy(packet, data, size);
	length = size;
	if (failing > 0) {
		failing--;
		errno = EMSGSIZE;
		return -1;
	}
	network();
	return (ssize_t)size;
}

/* It quotes the latest probe. */
int __wrap_icmp_error_read(int fd UNUSED, void *buffer, size_t size UNUSED,
			   struct icmp_error *error)
{
	if (errors_read == error_count)
		return -1;
	*error = errors[errors_read++];
	memcpy(buffer, packet, length);
	return 0;
}

static void come(const void *data, size_t size)
{
	ck_assert_int_eq(write(ends[1], data, size), (ssize_t)size);
}

static void echo(void)
{
	come(packet, length);
}

static void lose(void)
{
}

static void start(int family)
{
	target.candidates[0] = at(family == AF_INET ? "127.0.0.1" : "::1", 7);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
	ck_assert_int_eq(prober_init(&prober, &target, ends[0], WAIT), 0);
	error_count = errors_read = 0;
	attempts = failing = 0;
	network = lose;
}

static void set_up(void)
{
	probe_prepare();
	start(AF_INET);
}

static void tear_down(void)
{
	prober_clear(&prober);
	close(ends[1]);
}

static void try(size_t size)
{
	ck_assert_int_eq(prober_try(&prober, size, &outcome), 0);
	ck_assert_uint_eq(outcome.size, size);
}

TEST_CASE("datagram", set_up, tear_down);

static const struct {
	int family;
	size_t headers, most;
} families[] = {{AF_INET, 28, 65535}, {AF_INET6, 48, 65575}};

TEST_EACH(a_size_counts_the_headers, ARRAY_SIZE(families))
{
	tear_down();
	start(families[_i].family);
	network = echo;
	ck_assert_uint_eq(prober_least(&prober), families[_i].headers + PROBE_SIZE_MIN);
	ck_assert_uint_eq(prober_most(&prober), families[_i].most);
	try(SIZE);
	ck_assert_uint_eq(length, SIZE - families[_i].headers);
	ck_assert(outcome.passed);
	ck_assert_uint_eq(outcome.sent, 1);
	ck_assert_uint_eq(prober.received, 1);
	ck_assert_uint_gt(outcome.rtt, 0);
	ck_assert_uint_eq(prober.slowest, outcome.rtt);
	ck_assert_uint_eq(outcome.fragment, 0);
}

/* The latest probe as the far side should not have sent it. */
static void answer_as(uint64_t run, uint64_t sequence, size_t size)
{
	struct probe probe = {run, sequence, 1};
	static unsigned char wrong[sizeof(packet)];

	probe_write(&probe, 0, wrong, size);
	come(wrong, size);
}

static void answer_short(void)
{
	come(packet, PROBE_HEADER_SIZE - 1);
}

static void answer_nonsense(void)
{
	memset(packet, 'x', length);
	echo();
}

static void answer_altered(void)
{
	packet[length - 1] ^= 1;
	echo();
}

static void answer_cut(void)
{
	come(packet, length - 1);
}

static void answer_another_run(void)
{
	answer_as(prober.run + 1, prober.sequence, length);
}

static void answer_none(void)
{
	answer_as(prober.run, 0, length);
}

static void answer_the_next(void)
{
	answer_as(prober.run, prober.sequence + 1, length);
}

static void answer_what_is_forgotten(void)
{
	answer_as(prober.run, prober.sequence - SIZES_KEPT, length);
}

static void (*const wrong[])(void) = {
	lose,		answer_short,	 answer_nonsense,
	answer_altered, answer_cut,	 answer_another_run,
	answer_none,	answer_the_next, answer_what_is_forgotten,
};

TEST_EACH(a_size_is_tried_three_times_without_its_own_reply, ARRAY_SIZE(wrong))
{
	prober.sequence = 2 * SIZES_KEPT;
	for (size_t i = 0; i < SIZES_KEPT; i++)
		prober.sizes[i] = SIZE;
	network = wrong[_i];
	try(SIZE);
	ck_assert(!outcome.passed);
	ck_assert_uint_eq(outcome.sent, SIZE_PROBES);
	ck_assert_uint_eq(prober.received, 0);
	ck_assert_uint_eq(outcome.late, 0);
	ck_assert_uint_eq(prober.slowest, 0);
}

/* Whatever is being tried by then, and in any order. */
static void answer_earlier_ones(void)
{
	answer_as(prober.run, 1, SIZE + 2 - 28);
	answer_as(prober.run, 4, SIZE + 1 - 28);
}

TEST(a_late_reply_shows_that_its_size_passes)
{
	try(SIZE + 2);
	try(SIZE + 1);
	network = answer_earlier_ones;
	try(SIZE);
	ck_assert(!outcome.passed);
	ck_assert_uint_eq(outcome.late, SIZE + 2);
	ck_assert_uint_eq(prober.received, 6);
}

TEST(a_reply_from_before_it_was_sent_took_no_time)
{
	struct probe probe = {prober.run, 1, UINT64_MAX};
	unsigned char reply[SIZE - 28];

	probe_write(&probe, 0, reply, sizeof(reply));
	prober.sequence = 1;
	prober.sizes[1] = SIZE;
	come(reply, sizeof(reply));
	try(SIZE);
	ck_assert(outcome.passed);
	ck_assert_uint_eq(outcome.sent, 0);
	ck_assert_uint_eq(outcome.rtt, 0);
}

#define ROUTER "192.0.2.1"

static const struct {
	struct icmp_error error;
	const char *router;
	struct outcome expected;
} reports[] = {
	{{.remote = true, .too_large = true, .mtu = 900, .quoted = SIZE},
	 ROUTER,
	 {.too_large = true, .mtu = 900, .by = ROUTER}},
	{{.remote = true, .too_large = true}, ROUTER, {.too_large = true, .by = ROUTER}},
	{{.remote = true, .too_large = true, .mtu = 900}, NULL, {.too_large = true, .mtu = 900}},
	{{.too_large = true, .mtu = 900}, ROUTER, {.too_large = true, .own = true, .mtu = 900}},
	{{.remote = true, .text = "no route"}, ROUTER, {.error = "no route"}},
	{{.text = "no buffer"}, NULL, {.passed = false}},
};

TEST_EACH(an_error_says_what_it_rules_out, ARRAY_SIZE(reports))
{
	const struct outcome *expected = &reports[_i].expected;

	network = echo; /* comes later than the error */
	errors[0] = reports[_i].error;
	if (reports[_i].router)
		errors[0].from = at(reports[_i].router, 0);
	error_count = 1;
	failing = 1;
	try(SIZE);
	ck_assert_uint_eq(outcome.sent, expected->too_large ? 0 : 1);
	ck_assert(outcome.passed != expected->too_large);
	ck_assert(outcome.too_large == expected->too_large);
	ck_assert(outcome.own == expected->own);
	ck_assert_uint_eq(outcome.mtu, expected->mtu);
	ck_assert_str_eq(outcome.by, expected->by);
	ck_assert_str_eq(outcome.error, expected->error);
}

static void quote_another_run(void)
{
	struct probe probe = {prober.run + 1, prober.sequence, 1};

	probe_write(&probe, 0, packet, length);
	come("", 1);
}

static void quote_an_earlier_size(void)
{
	struct probe probe = {prober.run, 1, 1};

	probe_write(&probe, 0, packet, length);
	come("", 1);
}

static void quote_nonsense(void)
{
	memset(packet, 'x', length);
	come("", 1);
}

static void (*const quotes[])(void) = {quote_another_run, quote_an_earlier_size, quote_nonsense};

TEST_EACH(an_error_about_another_packet_rules_nothing_out, ARRAY_SIZE(quotes))
{
	try(SIZE + 1);
	errors[0] = (struct icmp_error){.remote = true, .too_large = true, .quoted = SIZE};
	error_count = 1;
	network = quotes[_i];
	try(SIZE);
	ck_assert_uint_eq(errors_read, 1);
	ck_assert(!outcome.too_large);
	ck_assert_uint_eq(outcome.sent, SIZE_PROBES);
}

/* The kernel reports the error of a datagram once, by the next call. */
TEST(a_probe_is_sent_again_after_the_error_of_an_earlier_one)
{
	network = echo;
	failing = 3;
	try(SIZE);
	ck_assert(outcome.passed);
	ck_assert_uint_eq(outcome.sent, 1);
	ck_assert_uint_eq(attempts, 4);
}

TEST(a_probe_that_cannot_be_sent_ends_it)
{
	failing = UINT32_MAX;
	ck_assert_int_eq(prober_try(&prober, SIZE, &outcome), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_uint_eq(attempts, 4);
	ck_assert_uint_eq(prober.sent, 0);
}

static const struct {
	bool reported, remote;
	uint32_t mtu;
	size_t expected;
} interfaces[] = {
	{.reported = true, .mtu = 1500, .expected = 1500},
	{.reported = true, .mtu = 28 + PROBE_SIZE_MIN, .expected = 28 + PROBE_SIZE_MIN},
	{.reported = true, .mtu = 28 + PROBE_SIZE_MIN - 1, .expected = 65535},
	{.reported = true, .mtu = 65535, .expected = 65535},
	{.reported = true, .mtu = 1 << 20, .expected = 65535},
	{.reported = true, .remote = true, .mtu = 1500, .expected = 65535},
	{.expected = 65535},
};

TEST_EACH(the_interface_is_what_our_own_kernel_reports, ARRAY_SIZE(interfaces))
{
	errors[0] = (struct icmp_error){
		.remote = interfaces[_i].remote, .too_large = true, .mtu = interfaces[_i].mtu};
	error_count = interfaces[_i].reported;
	failing = interfaces[_i].reported;
	ck_assert_uint_eq(prober_interface(&prober), interfaces[_i].expected);
}

/* If it waited as long as it may, none of these would end. */
static const struct {
	uint64_t slowest, least;
} waits[] = {{1, 300}, {31 * NS_PER_MS, 310}};

TEST_EACH(a_path_that_is_known_to_be_quick_is_not_waited_for_long, ARRAY_SIZE(waits))
{
	uint64_t begun = clock_ns();

	prober.timeout = HOUR;
	prober.slowest = waits[_i].slowest;
	try(SIZE);
	ck_assert_uint_ge(clock_ns() - begun, (200 + waits[_i].least) * NS_PER_MS);
}

TEST_EACH(no_path_is_waited_for_longer_than_the_timeout, 2)
{
	uint64_t begun = clock_ns();

	prober.slowest = _i == 0 ? 1 : HOUR;
	try(SIZE);
	ck_assert_uint_ge(clock_ns() - begun, 200 * NS_PER_MS + WAIT);
}
