/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The files of etc/examples, served as they are, and met by the plain clients that one writes in
 * ten lines of Python.
 */

#include "config.h"

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/program.h"

#define TEXT_MAX 4096

static const char tcp_client[] = "import socket, sys\n"
				 "host, port = sys.argv[1], int(sys.argv[2])\n"
				 "with socket.create_connection((host, port)) as s:\n"
				 "    s.sendall(b'Hello, world')\n"
				 "    data = s.recv(1024)\n"
				 "print('Received', repr(data))\n";

static const char udp_client[] = "import socket, sys\n"
				 "server = (sys.argv[1], int(sys.argv[2]))\n"
				 "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
				 "    s.sendto(b'Hello, world', server)\n"
				 "    data, address = s.recvfrom(1024)\n"
				 "print('Received', repr(data), address == server)\n";

/* Reads to the end, like a client that expects one reply and a closed connection. */
static const char one_reply_client[] = "import socket, sys\n"
				       "host, port = sys.argv[1], int(sys.argv[2])\n"
				       "with socket.create_connection((host, port)) as s:\n"
				       "    s.sendall(b'Hello, world')\n"
				       "    with s.makefile('rb') as f:\n"
				       "        print(f.read())\n";

static const char greeted_client[] = "import socket, sys\n"
				     "host, port = sys.argv[1], int(sys.argv[2])\n"
				     "with socket.create_connection((host, port)) as s:\n"
				     "    print(s.recv(1024).decode())\n"
				     "    s.sendall(b'Hello, server')\n"
				     "    print(s.recv(1024).decode())\n";

static const char unix_client[] = "import socket, sys\n"
				  "with socket.socket(socket.AF_UNIX) as s:\n"
				  "    s.connect(sys.argv[1])\n"
				  "    s.sendall(b'Hello, world')\n"
				  "    print('Received', repr(s.recv(1024)))\n";

static const char unixgram_client[] =
	"import os, socket, sys\n"
	"own = sys.argv[1] + '.client'\n"
	"with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:\n"
	"    s.bind(own)\n"
	"    s.sendto(b'Hello, world', sys.argv[1])\n"
	"    data, address = s.recvfrom(1024)\n"
	"os.unlink(own)\n"
	"print('Received', repr(data), address == sys.argv[1])\n";

static const char *example(const char *name)
{
	static char path[TEXT_MAX];
	const char *top = getenv("TOP_SRCDIR");

	snprintf(path, sizeof(path), "%s/etc/examples/%s.conf", top != NULL ? top : ".", name);
	return path;
}

/* The example as it stands, its files in the directory of the test and not in /tmp. */
static struct echod *start_example(const char *name)
{
	char line[TEXT_MAX], *config, *file;
	FILE *in = fopen(example(name), "r"), *out;
	struct echod *echod;
	size_t size;

	ck_assert_msg(in != NULL, "cannot read %s", example(name));
	out = open_memstream(&config, &size);
	ck_assert_ptr_nonnull(out);
	while (fgets(line, sizeof(line), in) != NULL) {
		file = strstr(line, ":/tmp/");
		if (file != NULL)
			fprintf(out, "%.*s:@DIR@/%s", (int)(file - line), line, file + 6);
		else
			fputs(line, out);
	}
	fclose(in);
	fclose(out);
	echod = echod_start(config);
	free(config);
	return echod;
}

static void read_all(int fd, char text[static TEXT_MAX])
{
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, text + size, TEXT_MAX - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = '\0';
}

/* Runs SCRIPT against WHERE, and the port there if it is not 0. */
static void expect_client(const char *script, const char *where, uint16_t port, const char *output)
{
	char number[8], text[TEXT_MAX];
	const char *arguments[] = {"python3", "-c", script, where, number, NULL};
	struct program program;

	if (!installed("python3"))
		skip("python3 is not installed");
	snprintf(number, sizeof(number), "%d", port);
	program_start(&program, arguments);
	read_all(program.out, text);
	ck_assert_int_eq(program_wait(&program), 0);
	ck_assert_str_eq(text, output);
}

static const char stamp_client[] =
	"import socket, struct, sys\n"
	"server = (sys.argv[1], int(sys.argv[2]))\n"
	"with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
	"    for number in (7, 8):\n"
	"        s.sendto(struct.pack('!LQHH28x', number, 1 << 60, 1, 42), server)\n"
	"        got = struct.unpack('!LQHHQLQHHB3x', s.recv(1024))\n"
	"        print(got[0], got[3], got[4] < got[1], *got[5:7])\n";

static const char echoplus_client[] =
	"import socket, struct, sys\n"
	"server = (sys.argv[1], int(sys.argv[2]))\n"
	"with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n"
	"    for number in (1, 2):\n"
	"        s.sendto(struct.pack('!6I', number, 0, 0, 0, 0, 9), server)\n"
	"        got = struct.unpack('!6I', s.recv(1024))\n"
	"        print(got[0], got[1], got[3] - got[2] < 1000000, *got[4:])\n";

/* As a load balancer would say it, with nc. */
static const char proxy_client[] =
	"import socket, sys\n"
	"with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as s:\n"
	"    s.sendall(b'PROXY TCP4 192.0.2.67 192.0.2.1 123 7\\r\\nHello, world')\n"
	"    data = s.recv(1024)\n"
	"print('Received', repr(data))\n";

#define RECEIVED "Received b'Hello, world'"

/* Who comes to an example, and what it prints. */
static const struct visit {
	const char *example, *script, *host;
	uint16_t port;
	const char *output;
} visits[] = {
	{"all-interfaces", tcp_client, "127.0.0.1", 50007, RECEIVED "\n"},
	{"all-interfaces", udp_client, "127.0.0.1", 50007, RECEIVED " True\n"},
	{"all-interfaces", tcp_client, "::1", 50007, RECEIVED "\n"},
	{"reply-once", one_reply_client, "127.0.0.1", 1234, "b'Received: Hello, world'\n"},
	{"loopback", tcp_client, "127.0.0.1", 65432, RECEIVED "\n"},
	{"loopback", udp_client, "127.0.0.1", 65433, RECEIVED " True\n"},
	{"stamp", stamp_client, "127.0.0.1", 862,
	 "0 42 True 7 1152921504606846976\n1 42 True 8 1152921504606846976\n"},
	{"greeting", greeted_client, "127.0.0.1", 12345, "Hello, client\nHello, server\n"},
	{"proxy", proxy_client, "127.0.0.1", 7007, RECEIVED "\n"},
	{"proxy", proxy_client, "::1", 7007, RECEIVED "\n"},
	{"echoplus", echoplus_client, "127.0.0.1", 65434, "1 1 True 0 9\n2 2 True 0 9\n"},
	{"reflect-dscp", tcp_client, "127.0.0.1", 65435, RECEIVED "\n"},
	{"reflect-dscp", udp_client, "127.0.0.1", 65435, RECEIVED " True\n"},
};

/* In a network of its own, where all ports are free. */
TEST_EACH(an_example_serves_who_it_is_for, ARRAY_SIZE(visits))
{
	const struct visit *visit = &visits[_i];

	if (strchr(visit->host, ':'))
		need_ipv6();
	need_own_network();
	start_example(visit->example);
	expect_client(visit->script, visit->host, visit->port, visit->output);
}

static const struct {
	const char *example, *absent;
} absences[] = {{"reply-once", "listening on udp"},
		{"loopback", "0.0.0.0"},
		{"stamp", "0.0.0.0"},
		{"echoplus", "0.0.0.0"},
		{"reflect-dscp", "0.0.0.0"}};

TEST_EACH(an_example_listens_nowhere_else, ARRAY_SIZE(absences))
{
	need_own_network();
	ck_assert_uint_eq(echod_log_count(start_example(absences[_i].example), absences[_i].absent),
			  0);
}

TEST(unix_sockets)
{
	struct echod *echod = start_example("unix");

	expect_client(unix_client, echod_path(echod, "echod.sock"), 0,
		      "Received b'Hello, world'\n");
	expect_client(unixgram_client, echod_path(echod, "echod-datagram.sock"), 0,
		      "Received b'Hello, world' True\n");
}

TEST(each_passes_its_own_check)
{
	static const char *const names[] = {"all-interfaces", "reply-once",   "loopback",
					    "greeting",	      "proxy",	      "unix",
					    "echoplus",	      "reflect-dscp", "stamp"};
	const char *arguments[] = {"-t", "-c", NULL, NULL};
	struct echod_setup setup = {.arguments = arguments};
	struct echod *echod;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		arguments[2] = example(names[i]);
		echod = echod_spawn(&setup);
		ck_assert_int_eq(echod_wait(echod), 0);
		ck_assert_str_eq(echod_log(echod), "");
		echod_free(echod);
	}
}
