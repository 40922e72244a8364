/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Files that are refused: for each the line and the reason that must be reported, and nothing
 * else. Among them everything that the INI library by itself would let through.
 */

#include "config.h"

#include "unit/config_text.h"

#define REFUSAL(text, line, reason)                                                                \
	{                                                                                          \
		text, sizeof(text) - 1, line, reason                                               \
	}
#define MANY_LINES 1000

#define TEN "1234567890"
#define NINETY TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LISTENER "[listener a]\naddress = :1\n"

static const struct {
	const char *bytes;
	size_t length;
	int line;
	const char *reason;
} refusals[] = {
	/* clang-format off */
	/* what inih cuts, joins or passes over */
	REFUSAL("# " NINETY NINETY "123456789\n", 1, "more than 190 bytes"),
	REFUSAL(";" NINETY NINETY TEN "\r\n", 1, "more than 190 bytes"),
	REFUSAL("[server]\n# " NINETY NINETY TEN "[x]\n", 2, "more than 190 bytes"),
	REFUSAL("[defaults]\nprefix = " NINETY NINETY "12\n", 2, "more than 190 bytes"),
	REFUSAL("[defaults]\nprefix = " NINETY NINETY NINETY "\n", 2, "more than 190 bytes"),
	REFUSAL("[listener " NINETY NINETY TEN "]\nno = where\n", 1, "more than 190 bytes"),
	REFUSAL("[server]\nworkers = 2\0 3\n", 2, "NUL"),
	REFUSAL("[server]\n\0\n", 2, "NUL"),
	REFUSAL("# comment\0\n", 1, "NUL"),
	REFUSAL("[server\0]\nworkers = 2\n", 1, "NUL"),
	REFUSAL("[server]\nworkers = 2\n user = root\n", 3, "blank before the key"),
	REFUSAL("[server]\n\tworkers = 2\n", 2, "blank before the key"),
	REFUSAL("[server]\nworkers = 2\n  3\n", 3, "blank before the key"),
	REFUSAL(" [server]\nworkers = 2\n", 1, "blank before the ["),
	REFUSAL("[server] workers = 2\n", 1, "after the ]"),
	REFUSAL("[server] # comment\n", 1, "after the ]"),
	REFUSAL("[server]]\n", 1, "after the ]"),
	REFUSAL("[server\nworkers = 2\n", 1, "missing ] after the section name"),
	REFUSAL("[listener " NINETY "]\naddress = :1\n", 1, "is not a name"),
	REFUSAL("[server]\nworkers = 2\nworkers = 3\n", 3, "already set on line 2"),
	REFUSAL("[server]\nworkers: 2\n", 2, "a : instead of the ="),
	REFUSAL("[server]\nworkers:2=3\n", 2, "a : instead of the ="),
	REFUSAL("[server]\rworkers = 2\r", 1, "carriage return"),
	REFUSAL("[server]\nworkers = 2\rlog_level = info\n", 2, "carriage return"),
	REFUSAL("[server]\r\r\n", 1, "carriage return"),
	REFUSAL("[defaults]\ngreeting = a ; b\n", 2, "\\x3b"),
	REFUSAL("[defaults]\ngreeting = a\t;b\n", 2, "\\x3b"),
	REFUSAL("[defaults]\ngreeting = ;b\n", 2, "\\x3b"),
	REFUSAL("[defaults]\ngreeting =;b\n", 2, "\\x3b"),
	REFUSAL("[server]\nworkers\n", 2, "neither key = value"),
	REFUSAL("[server]\nworkers 2\n", 2, "neither key = value"),
	/* other shapes */
	REFUSAL("[server]\nworkers =\n", 2, "no value"),
	REFUSAL("[server]\nworkers = \t \n", 2, "no value"),
	REFUSAL("[server]\nworkers =", 2, "no value"),
	REFUSAL("[server]\n= 2\n", 2, "no key"),
	REFUSAL("[server]\nthe workers = 2\n", 2, "more than one word"),
	REFUSAL("[server]\nworkers ;x = 2\n", 2, "more than one word"),
	REFUSAL("[defaults]\ngreeting = a\x01\n", 2, "control character"),
	REFUSAL("# \x7f\n", 1, "control character"),
	REFUSAL("[server]\f\n", 1, "control character"),
	REFUSAL("workers = 2\n", 1, "outside any section"),
	REFUSAL("\xef\xbb\xbfworkers = 2\n", 1, "outside any section"),
	REFUSAL("\n\xef\xbb\xbf[server]\n", 2, "neither key = value"),
	/* sections */
	REFUSAL("[]\n", 1, "unknown section []"),
	REFUSAL("[Server]\n", 1, "unknown section [Server]"),
	REFUSAL("[tcp]\nport = 7\n", 1, "use [server], [defaults] or [listener NAME]"),
	REFUSAL("[listeners a]\n", 1, "unknown section"),
	REFUSAL("[list]\n", 1, "unknown section"),
	REFUSAL("[lastener a]\n", 1, "unknown section"),
	REFUSAL("[listener:a]\n", 1, "unknown section"),
	REFUSAL("[server]\n[defaults]\n[server]\n", 3, "[server] is already on line 1"),
	REFUSAL("[defaults]\n\n[defaults]\n", 3, "[defaults] is already on line 1"),
	REFUSAL("[listener]\naddress = :1\n", 1, "needs a name"),
	REFUSAL("[listener ]\naddress = :1\n", 1, "needs a name"),
	REFUSAL("[listener a b]\naddress = :1\n", 1, "\"a b\" is not a name"),
	REFUSAL("[listener a/b]\naddress = :1\n", 1, "1 to 32 of A-Z a-z 0-9 . _ -"),
	REFUSAL("[listener \xc3\xa9]\naddress = :1\n", 1, "is not a name"),
	REFUSAL("[listener a23456789012345678901234567890123]\naddress = :1\n", 1, "1 to 32"),
	REFUSAL("[listener a]\n", 1, "[listener a] has no address"),
	REFUSAL("\n[listener a]\nprotocol = tcp\n[server]\n", 2, "has no address"),
	REFUSAL(LISTENER "[listener a]\naddress = :2\n", 3, "[listener a] already exists"),
	REFUSAL(LISTENER "[listener b]\naddress = :1\n", 4, "[listener a] has *:1 already"),
	REFUSAL(LISTENER "[listener b]\naddress = [::]:1\n", 4, "[listener a] has [::]:1 already"),
	REFUSAL(LISTENER "address = :2 :1\n", 3, "[listener a] has *:1 already"),
	REFUSAL(LISTENER "address = 0.0.0.0:1\n", 3, "[listener a] has 0.0.0.0:1 already"),
	REFUSAL("[listener a]\naddress = unix:/x unixgram:/x\n", 2, "has unixgram:/x already"),
	/* keys */
	REFUSAL("[server]\nworker = 2\n", 2,
		"unknown key \"worker\": allowed in [server] are workers,"),
	REFUSAL("[server]\nWorkers = 2\n", 2, "unknown key \"Workers\""),
	REFUSAL("[defaults]\nport = 7\n", 2, "allowed in [defaults] are mode, allow, deny,"),
	REFUSAL(LISTENER "port = 7\n", 3, "allowed in [listener] are address, protocol,"),
	REFUSAL("[defaults]\naddress = :7\n", 2, "address does not belong in [defaults]"),
	REFUSAL("[defaults]\nprotocol = tcp\n", 2, "protocol does not belong in [defaults]"),
	REFUSAL("[server]\nidle_timeout = 1s\n", 2, "does not belong in [server]"),
	REFUSAL(LISTENER "workers = 1\n", 3, "workers does not belong in [listener]"),
	REFUSAL(LISTENER "protocol = tcp\nprotocol = udp\n", 4, "already set on line 3"),
	REFUSAL("[defaults]\nprefix = a\nprefix = b\n", 3, "already set on line 2"),
	/* values */
	REFUSAL("[server]\nworkers = 0\n", 2,
		"workers: \"0\" is not a whole number from 1 to 1024, nor auto"),
	REFUSAL("[server]\nworkers = 1025\n", 2, "from 1 to 1024"),
	REFUSAL("[server]\nworkers = Auto\n", 2, "nor auto"),
	REFUSAL("[server]\nworkers = 2 3\n", 2, "\"2 3\" is not a whole number"),
	REFUSAL("[server]\nlog_level = trace\n", 2, "error, warning, notice, info or debug"),
	REFUSAL("[server]\nuser = no/body\n", 2, "not the name of a user"),
	REFUSAL("[server]\nuser = nobody-of-that-name\n", 2,
		"user: no user \"nobody-of-that-name\" on this system"),
	REFUSAL("[server]\nmax_clients = 0\n", 2, "from 1 to 1048576"),
	REFUSAL("[server]\nmax_clients = 1048577\n", 2, "from 1 to 1048576"),
	REFUSAL("[server]\ndrain_timeout = 601\n", 2, "from 0 to 10m"),
	REFUSAL("[server]\ndrain_timeout = 10 s\n", 2, "whole number with ms, s, m, h or d"),
	REFUSAL("[server]\nsandbox = yes\n", 2, "sandbox: \"yes\" is not no, auto or kill"),
	REFUSAL("[server]\nbusy_poll = 1001ms\n", 2,
		"busy_poll: \"1001ms\" is not a duration from 0 to 1s: a whole number with us"),
	REFUSAL("[server]\nbusy_poll = 1m\n", 2, "from 0 to 1s"),
	REFUSAL("[server]\ndrain_timeout = 10us\n", 2, "whole number with ms, s, m, h or d"),
	REFUSAL("[server]\nmetrics = 9107\n", 2, "metrics: \"9107\" has no port"),
	REFUSAL("[server]\nmetrics = *:9107\n", 2,
		"allowed are IPV4:PORT, [IPV6]:PORT and localhost:PORT"),
	REFUSAL("[server]\nmetrics = example.net:9107\n", 2, "not an IP address"),
	REFUSAL("[server]\nmetrics = unix:/run/m\n", 2, "port \"/run/m\""),
	REFUSAL("[listener a]\naddress = 7\n", 2, "address: \"7\" has no port"),
	REFUSAL("[listener a]\naddress = :1, :2\n", 2, "port \"1,\""),
	REFUSAL("[listener a]\naddress = www.example.net:7\n", 2, "allowed are *:PORT"),
	REFUSAL("[listener a]\naddress = *:65536\n", 2, "from 0 to 65535"),
	REFUSAL("[listener a]\naddress = unix:run/x\n", 2, "starts with /"),
	REFUSAL(LISTENER "protocol = sctp\n", 3, "\"sctp\" is neither tcp nor udp"),
	REFUSAL(LISTENER "protocol = TCP\n", 3, "neither tcp nor udp"),
	REFUSAL(LISTENER "protocol = tcp,udp\n", 3, "neither tcp nor udp"),
	REFUSAL(LISTENER "protocol = udp udp\n", 3, "udp is named twice"),
	REFUSAL("[server]\nmetrics = [::ffff:127.0.0.1]:9107\n", 2,
		"metrics: \"::ffff:127.0.0.1\" is an IPv4 address"),
	REFUSAL("[server]\nmetrics = [::1]:7\n[listener a]\naddress = unix:/x *:7\n", 2,
		"metrics: [listener a] serves TCP at *:7: choose another port"),
	REFUSAL("[server]\nmetrics = 127.0.0.1:7\n[listener a]\naddress = 127.0.0.1:7\n", 2,
		"metrics: [listener a] serves TCP at 127.0.0.1:7: choose another port"),
	REFUSAL("[defaults]\nallow = example.net\n", 2,
		"allow: \"example.net\" is not ADDRESS or ADDRESS/BITS"),
	REFUSAL("[defaults]\ndeny = 192.0.2.7/24\n", 2,
		"deny: \"192.0.2.7/24\" has host bits set: the network is 192.0.2.0/24"),
	REFUSAL("[defaults]\ndeny = ::1/129\n", 2, "from 0 to 128"),
	REFUSAL("[defaults]\nmax_clients_per_ip = -1\n", 2, "from 0 to"),
	REFUSAL("[defaults]\nidle_timeout = 366d\n", 2, "from 0 to 365d"),
	REFUSAL("[defaults]\nidle_timeout = never\n", 2, "not a duration"),
	REFUSAL("[defaults]\nstall_timeout = 1.5s\n", 2, "not a duration"),
	REFUSAL("[defaults]\ngreeting = \\q\n", 2, "allowed are \\n \\r \\t \\\\ and \\xHH"),
	REFUSAL("[defaults]\ngreeting = a\\\n", 2, "is not an escape"),
	REFUSAL("[defaults]\nprefix = \\x4\n", 2, "is not an escape"),
	REFUSAL("[defaults]\nprefix = \\xg0\n", 2, "is not an escape"),
	REFUSAL("[defaults]\nreply_once = maybe\n", 2, "yes or no"),
	REFUSAL("[defaults]\nudp_rate = 4294967296\n", 2, "from 0 to 4294967295"),
	REFUSAL("[defaults]\nudp_rate = 1k\n", 2, "not a whole number"),
	REFUSAL("[defaults]\nudp_guard = 2\n", 2, "yes or no"),
	REFUSAL("[defaults]\nudp_ttl_guard = y\n", 2, "yes or no"),
	REFUSAL("[defaults]\nreflect_dscp = ef\n", 2, "yes or no"),
	REFUSAL("[defaults]\nmode = Echo\n", 2, "mode: \"Echo\" is not echo, stamp or echoplus"),
	REFUSAL("[defaults]\nstamp_sessions = 1048577\n", 2, "from 0 to 1048576"),
	REFUSAL("[defaults]\nstamp_dscp = ef\n", 2,
		"stamp_dscp: \"ef\" is neither any nor received"),
	REFUSAL("[defaults]\nstamp_key = /nowhere/key\n", 2,
		"stamp_key: /nowhere/key: cannot open: No such file or directory"),
	REFUSAL(LISTENER "mode = stamp\nprotocol = tcp\n", 4,
		"protocol: [listener a] has mode = stamp, which is UDP only: write udp, or "
		"leave it out"),
	REFUSAL(LISTENER "mode = stamp\nstamp_sessions = 1\nudp_rate = 0\n", 4,
		"stamp_sessions: [listener a] has udp_rate = 0"),
	REFUSAL(LISTENER "mode = echoplus\nprotocol = udp tcp\n", 4,
		"protocol: [listener a] has mode = echoplus, which is UDP only: write udp, or "
		"leave it out"),
	REFUSAL("[defaults]\nmode = echoplus\n" LISTENER "protocol = tcp\n", 5,
		"protocol: [listener a] has mode = echoplus"),
	REFUSAL("[defaults]\nmode = echoplus\n" LISTENER "address = unixgram:/x\n", 2,
		"mode: echoplus is UDP only, and [listener a] has unixgram:/x: give that address "
		"a listener of its own"),
	REFUSAL(LISTENER "address = unix:/x\nmode = echoplus\n", 4,
		"mode: echoplus is UDP only, and [listener a] has unix:/x"),
	REFUSAL("[listener a]\nmode = stamp\naddress = unix:/x :1\n", 2,
		"mode: stamp is UDP only, and [listener a] has unix:/x"),
	REFUSAL(LISTENER "mode = echoplus\nstamp_sessions = 1\nudp_rate = 0\n", 4,
		"stamp_sessions: [listener a] has udp_rate = 0, so that a loop with another "
		"server might never end: set a rate, or allow"),
	REFUSAL("[defaults]\nudp_rate = 0\nstamp_sessions = 1\n" LISTENER "mode = echoplus\n", 3,
		"stamp_sessions: [listener a] has udp_rate = 0"),
	/* clang-format on */
};

TEST_EACH(a_fault_is_reported_with_its_line_and_reason_and_nothing_else, ARRAY_SIZE(refusals))
{
	const char *reason = refusals[_i].reason;
	char place[32];

	ck_assert_ptr_null(load_bytes(refusals[_i].bytes, refusals[_i].length));
	(void)snprintf(place, sizeof(place), "F:%d: ", refusals[_i].line);
	ck_assert_msg(strncmp(said.lines, place, strlen(place)) == 0 && strstr(said.lines, reason),
		      "%s%s: %s", place, reason, said.lines);
	ck_assert_msg(said.errors == 1 && said.warnings == 0, "%s", said.lines);
}

TEST(errors_are_reported_in_the_order_of_the_lines)
{
	ck_assert_ptr_null(load_text("workers = 0\n"
				     "[listener a]\n"
				     "idle = 3\n"
				     "[listener b\n"
				     "address = :1\n"
				     "deny = 10.0.0.1/8 x 10.0.0.0/8 y\n"
				     "[server] ; no\n"
				     "workers = many\n"
				     "[listener c]\n"
				     "address = [::]:1\n"
				     "greeting = \\z\n"
				     "protocol = udp\n"
				     "[colour]\n"
				     "red = 1\n"
				     "blue\n"));
	ck_assert_str_eq(
		said.lines,
		"F:1: workers is outside any section: begin with [server], [defaults] or "
		"[listener NAME]\n"
		"F:2: [listener a] has no address: add one\n"
		"F:3: unknown key \"idle\": allowed in [listener] are address, protocol, mode, "
		"allow, deny, max_clients_per_ip, proxy_from, idle_timeout, stall_timeout, "
		"greeting, prefix, reply_once, udp_rate, udp_guard, udp_ttl_guard, reflect_dscp, "
		"stamp_sessions, stamp_key, stamp_dscp\n"
		"F:4: missing ] after the section name\n"
		"F:6: deny: \"10.0.0.1/8\" has host bits set: the network is 10.0.0.0/8\n"
		"F:6: deny: \"x\" is not ADDRESS or ADDRESS/BITS\n"
		"F:6: deny: \"y\" is not ADDRESS or ADDRESS/BITS\n"
		"F:7: text after the ]: sections and comments go on lines of their own\n"
		"F:8: workers: \"many\" is not a whole number from 1 to 1024, nor auto\n"
		"F:10: address: [listener b] has [::]:1 already, or part of it\n"
		"F:11: greeting: \"\\z\" is not an escape: allowed are \\n \\r \\t \\\\ and \\xHH "
		"with "
		"two hexadecimal digits\n"
		"F:11: warning: greeting has no effect: [listener c] serves no TCP\n"
		"F:13: unknown section [colour]: use [server], [defaults] or [listener NAME]\n"
		"F:15: neither key = value, nor [section], nor a comment\n");
}

TEST(every_error_of_a_file_is_reported)
{
	static char text[MANY_LINES * 4 + 1];

	for (size_t i = 0; i < MANY_LINES; i++)
		memcpy(text + i * 4, "a:b\n", 4);
	ck_assert_ptr_null(load_bytes(text, MANY_LINES * 4));
	ck_assert_uint_eq(said.errors, MANY_LINES);
}
