/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What idle prints of each flow, and concludes at the end. */

#include "config.h"

#include "base/clock.h"
#include "echoc/idle/report.h"
#include "support/test.h"
#include "unit/printed.h"

#define S(n) ((n)*NS_PER_S)
#define SILENT "silent     1.0 s: "

static const struct {
	struct silent_flow flow;
	const char *text;
} flows[] = {
	{{.fate = FATE_KEPT}, SILENT "kept\n"},
	{{.fate = FATE_FORGOTTEN, .sign = SIGN_SILENCE}, SILENT "forgotten: no reply\n"},
	{{.fate = FATE_FORGOTTEN, .sign = SIGN_RESET}, SILENT "forgotten: reset\n"},
	{{.fate = FATE_CLOSED, .closed = S(1) / 2}, SILENT "closed after 0.5 s\n"},
	{{.fate = FATE_PATH_DOWN}, SILENT "no reply, path is down\n"},
	{{.fate = FATE_UNANSWERED}, SILENT "no reply at the start\n"},
};

TEST_EACH(each_fate_has_its_line, ARRAY_SIZE(flows))
{
	struct silent_flow flow = flows[_i].flow;

	flow.wait = S(1);
	print_begin();
	idle_print_flow(&flow);
	ck_assert_str_eq(print_end(), flows[_i].text);
}

TEST(another_address_is_printed)
{
	struct silent_flow flow = {.wait = S(1), .fate = FATE_FORGOTTEN, .sign = SIGN_ADDRESS};
	struct reason reason;

	ck_assert_int_eq(address_from_ip(&flow.after, "192.0.2.1", 5000, &reason), 0);
	print_begin();
	idle_print_flow(&flow);
	ck_assert_str_eq(print_end(), SILENT "forgotten: now 192.0.2.1:5000\n");
}

TEST_EACH(the_start_names_the_flows, 2)
{
	struct arguments arguments = {.up_to_ms = 2000, .fresh = _i == 0};
	struct target target = {.name = "h", .text = "192.0.2.7:7", .protocol = "udp"};
	struct idle_report report = {.arguments = &arguments, .target = &target, .round = 1};

	print_begin();
	idle_print_start(&report, (size_t)_i + 1);
	ck_assert_str_eq(print_end(),
			 _i == 0 ? "IDLE h (192.0.2.7:7) over udp: 1 fresh flow, silent for up to "
				   "2s\n"
				 : "IDLE h (192.0.2.7:7) over udp: 2 established flows, silent for "
				   "up to 2s\n");
}

#define BLIND                                                                                      \
	"The far side does not report our address, so that a NAT may have assigned another\n"      \
	"one unnoticed: use a STAMP reflector (echod: mode = stamp).\n"
#define SEES                                                                                       \
	"A NAT that assigns the same port again, or a firewall that accepts the flow as\n"         \
	"a new one, is not noticed.\n"

static const struct {
	struct memory memory;
	bool datagram, located;
	const char *text;
} ends[] = {
	{{.answered = 0}, true, false, "\nno reply to any flow\n"},
	{{.answered = 2, .kept = S(9)},
	 true,
	 false,
	 "\nNo flow was forgotten within 9.0 s.\n" BLIND},
	{{.answered = 2, .kept = S(9)}, true, true, "\nNo flow was forgotten within 9.0 s.\n" SEES},
	{{.answered = 2, .kept = S(9)}, false, false, "\nNo flow was forgotten within 9.0 s.\n"},
	{{.answered = 2, .kept = S(4), .forgotten = S(8)},
	 true,
	 false,
	 "\nFlows are forgotten when silent for 4.0 to 8.0 s.\n"
	 "Keep alive: send something at least every 2 s.\n"},
	{{.answered = 2, .closed = S(8)},
	 false,
	 false,
	 "\nThe far side, or a proxy, closes connections silent for 8.0 s.\n"
	 "Keep alive: send something at least every 4 s.\n"},
};

TEST_EACH(the_end_says_what_follows, ARRAY_SIZE(ends))
{
	struct target target = {.datagram = ends[_i].datagram};
	struct idle_report report = {.target = &target};

	print_begin();
	idle_print_end(&report, &ends[_i].memory, ends[_i].located);
	ck_assert_str_eq(print_end(), ends[_i].text);
}
