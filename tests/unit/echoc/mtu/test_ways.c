/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Both ways of a path that the test plays: what is found of it, and how that is printed.
 */

#include "config.h"

#include "echoc/mtu/report.h"
#include "support/test.h"
#include "unit/printed.h"

#define LEAST 60
#define MOST 65535
#define INTERFACE 1500
#define HEADER 20
#define UNIT 8

/* MTUs, and what routers and the far side do. */
static struct path {
	size_t there;
	size_t back;
	bool tells;   /* a router tells the MTU of the way there */
	bool forbids; /* the far side forbids fragments of its replies */
	bool drops;   /* fragments are lost on the way there */
	bool unheard; /* nothing comes back */
} path;

static bool may_fragment;

size_t __wrap_prober_least(const struct prober *prober);
size_t __wrap_prober_most(const struct prober *prober);
size_t __wrap_prober_interface(struct prober *prober);
void __wrap_prober_forbid_fragments(const struct prober *prober);
void __wrap_prober_allow_fragments(const struct prober *prober, size_t passed);
int __wrap_prober_try(struct prober *prober, size_t size, struct outcome *outcome);

size_t __wrap_prober_least(const struct prober *prober UNUSED)
{
	return LEAST;
}

size_t __wrap_prober_most(const struct prober *prober UNUSED)
{
	return MOST;
}

size_t __wrap_prober_interface(struct prober *prober UNUSED)
{
	return INTERFACE;
}

void __wrap_prober_forbid_fragments(const struct prober *prober UNUSED)
{
	may_fragment = false;
}

void __wrap_prober_allow_fragments(const struct prober *prober UNUSED, size_t passed UNUSED)
{
	may_fragment = true;
}

static bool gets_there(size_t size, struct outcome *outcome)
{
	if (size <= path.there || (may_fragment && !path.drops))
		return true;
	if (path.tells && !may_fragment) {
		outcome->too_large = true;
		outcome->mtu = (uint32_t)path.there;
		snprintf(outcome->by, sizeof(outcome->by), "192.0.2.1");
	}
	return false;
}

int __wrap_prober_try(struct prober *prober, size_t size, struct outcome *outcome)
{
	*outcome = (struct outcome){.size = size, .sent = 1};
	prober->sent++;
	if (path.unheard)
		snprintf(outcome->error, sizeof(outcome->error), "from 192.0.2.1: no route");
	if (path.unheard || !gets_there(size, outcome) || (size > path.back && path.forbids))
		return 0;
	outcome->passed = true;
	if (size > path.back)
		outcome->fragment = HEADER + (path.back - HEADER) / UNIT * UNIT;
	return 0;
}

static struct arguments arguments;
static const struct mtu_report report = {.arguments = &arguments};
static struct there there;
static struct back back;
static struct prober prober;

static void ignore(void *context UNUSED, const struct outcome *outcome UNUSED)
{
}

static void search(outcome_report *each)
{
	back = (struct back){.known = false};
	ck_assert_int_eq(there_search(&there, &prober, each, (void *)(uintptr_t)&report), 0);
	if (there.answered)
		ck_assert_int_eq(
			back_search(&back, &there, &prober, each, (void *)(uintptr_t)&report), 0);
}

/* What is printed, and the exit status it means. */
static const char *print(enum echoc_status status)
{
	enum echoc_status found;
	const char *text;

	print_begin();
	search(mtu_report_size);
	found = mtu_report_datagrams(&report, &there, &back, &prober);
	text = print_end();
	ck_assert_int_eq(found, status);
	return text;
}

static void expect(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part), "\"%s\" is not in: %s", part, text);
}

static void set_up(void)
{
	arguments = (struct arguments){.json = false};
	path = (struct path){.there = INTERFACE, .back = INTERFACE};
}

TEST_CASE("ways", set_up);

TEST(each_mtu_is_found_to_the_byte_on_each_way)
{
	for (size_t mtu = 68; mtu <= INTERFACE; mtu++) {
		path = (struct path){.there = mtu, .back = INTERFACE + 68 - mtu, .tells = mtu % 2};
		search(ignore);
		ck_assert_uint_eq(there.search.passed, path.there);
		ck_assert_int_eq(there_is_black_hole(&there), !path.tells && mtu < INTERFACE);
		ck_assert(back.known);
		ck_assert_uint_eq(back.at_least, path.back);
		ck_assert_uint_eq(back.at_most, path.back);
	}
}

TEST(the_router_that_tells_is_named)
{
	const char *text;

	path.there = 1420;
	path.tells = true;
	text = print(ECHOC_INTACT);
	ck_assert_str_eq(text, "there 1420, told by 192.0.2.1\nback 1500\n");
	arguments.verbose = true;
	text = print(ECHOC_INTACT);
	expect(text, "  1500: too large, MTU 1420, told by 192.0.2.1\n  1420: passes, time=");
	expect(text, "  2012: passes, time=0.000 ms, back in fragments of 1500\n");
	arguments.json = true;
	text = print(ECHOC_INTACT);
	expect(text, "\"bytes\":1500,\"passed\":false,\"sent\":1,\"rtt_us\":null,\"fragment\":null,"
		     "\"told_mtu\":1420,\"told_by\":\"192.0.2.1\"}");
	expect(text, "\"verdict\":\"told\",\"there\":1420,\"interface_mtu\":1500,"
		     "\"told_by\":\"192.0.2.1\",\"told_mtu\":1420,\"back\":1500,");
}

TEST(a_hole_with_a_known_way_back_is_there)
{
	const char *text;

	path.there = 1420;
	path.back = 1300;
	text = print(ECHOC_DAMAGED);
	ck_assert_str_eq(text, "there 1420, black hole: 1421 and more vanish, nobody says so\n"
			       "back 1300\n");
	arguments.json = true;
	text = print(ECHOC_DAMAGED);
	expect(text, "\"verdict\":\"black hole\"");
	expect(text, "\"hole\":\"there\"");
}

/* What the far side does not let be fragmented is lost on its way back. */
TEST(a_hole_with_an_unknown_way_back_may_be_on_either)
{
	const char *text;

	path.back = 1400;
	path.forbids = true;
	text = print(ECHOC_DAMAGED);
	ck_assert_str_eq(text, "there 1400, black hole: 1401 and more vanish, nobody says so\n"
			       "back unknown, at least 1400\n"
			       "The black hole may be on either way: on the way back, too.\n");
	arguments.json = true;
	text = print(ECHOC_DAMAGED);
	expect(text, "\"back\":null,\"back_at_least\":1400,\"back_at_most\":null,"
		     "\"hole\":\"either way\"");
}

TEST(fragments_of_replies_do_even_if_ours_are_lost)
{
	path.drops = true;
	path.back = 1403;
	search(ignore);
	ck_assert(back.known);
	ck_assert_uint_eq(back.at_least, 1403);
	ck_assert_uint_eq(back.at_most, 1403);
}

/* Over IPv6 no router cuts ours: 1403 does not get there in one piece. */
TEST(what_remains_of_the_way_back_is_printed)
{
	back = (struct back){.known = true, .at_least = 1400, .at_most = 1407};
	there = (struct there){.answered = true};
	search_begin(&there.search, INTERFACE, INTERFACE);
	ck_assert_int_eq(mtu_report_datagrams(&report, &there, &back, &prober), ECHOC_INTACT);
}

TEST(without_any_reply_there_is_no_size)
{
	const char *text;

	path.unheard = true;
	text = print(ECHOC_DAMAGED);
	ck_assert_str_eq(text, "no reply to the smallest packet, 60 bytes: "
			       "from 192.0.2.1: no route\n");
	arguments.verbose = true;
	expect(print(ECHOC_DAMAGED), "  60: from 192.0.2.1: no route\n");
	arguments.json = true;
	expect(print(ECHOC_DAMAGED), "\"verdict\":\"no reply\",\"there\":null");
}

struct outcome_of_tcp {
	struct segments segments;
	enum echoc_status status;
	const char *text;
	const char *verdict;
};

#define SEGMENTS(size, known, path, ...)                                                           \
	{                                                                                          \
		.interface = 1500, .header = 52, .received = 1448, .mss = (size),                  \
		.known_mtu = (known), .path_mtu = (path), __VA_ARGS__                              \
	}

static const struct outcome_of_tcp tcp[] = {
	{SEGMENTS(1448, 1500, 1500, .answered = true), ECHOC_INTACT,
	 "there 1500, MSS 1448: as large as our own interface allows\n"
	 "back segments of up to 1448 bytes\n",
	 "clear"},
	{SEGMENTS(1368, 1500, 1420, .answered = true, .retransmits = 1), ECHOC_INTACT,
	 "there 1420, MSS 1368: told by a router\n"
	 "back segments of up to 1448 bytes\n1 retransmit\n",
	 "told"},
	{SEGMENTS(1368, 1420, 1420, .answered = true), ECHOC_INTACT,
	 "there 1420, MSS 1368: the path MTU that this host knew already\n", "told"},
	{SEGMENTS(1288, 1500, 1500, .answered = true), ECHOC_INTACT,
	 "there 1340, MSS 1288: by the MSS of the far side, its own or clamped on the way\n",
	 "clamped"},
	{SEGMENTS(1448, 1500, 1500, .answered = true, .stall = STALL_THERE, .retransmits = 4),
	 ECHOC_DAMAGED,
	 "black hole: full segments of 1448 bytes, packets of 1500, stall on the way there;\n"
	 "small ones pass\n4 retransmits\n",
	 "black hole"},
	{SEGMENTS(1448, 1500, 1500, .answered = true, .stall = STALL_BACK), ECHOC_DAMAGED,
	 "stall on the way back;\n", "black hole"},
	{SEGMENTS(1448, 1500, 1500, .answered = true, .corrupt = true), ECHOC_DAMAGED,
	 "corrupt: ", "corrupt"},
	{SEGMENTS(1448, 1500, 1500, .answered = false), ECHOC_DAMAGED,
	 "no reply to a small message\n", "no reply"},
};

TEST_EACH(what_tcp_makes_of_a_path_is_said, ARRAY_SIZE(tcp))
{
	const struct outcome_of_tcp *row = &tcp[_i];
	char name[128], text[4096], verdict[64];

	snprintf(name, sizeof(name), "%s/output", test_directory());
	ck_assert_ptr_nonnull(freopen(name, "w+", stdout));
	ck_assert_int_eq(mtu_report_segments(&report, &row->segments), row->status);
	arguments.json = true;
	ck_assert_int_eq(mtu_report_segments(&report, &row->segments), row->status);
	fflush(stdout);
	rewind(stdout);
	text[fread(text, 1, sizeof(text) - 1, stdout)] = '\0';
	expect(text, row->text);
	snprintf(verdict, sizeof(verdict), "\"verdict\":\"%s\"", row->verdict);
	expect(text, verdict);
}
