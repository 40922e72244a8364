/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Loading: files that are none, addresses of -l, warnings, references, what needs a restart, and
 * memory that runs out.
 */

#include "config.h"

#include <sys/resource.h>

#include "daemon/settings/config_file.h"
#include "unit/config_text.h"

static struct config *load_path(const char *path, bool must_exist)
{
	struct config_source source = {.path = path, .must_exist = must_exist};

	return load_source(&source);
}

TEST_CASE("configuration");

TEST(a_missing_file_is_an_error_only_when_it_was_named)
{
	const char *path = test_path("missing");
	struct config *config;

	ck_assert_ptr_null(load_path(path, true));
	ck_assert_str_eq(said.lines, "F: not found: create it, or name another with -c\n");
	config = load_path(path, false);
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(said.length, 0);
	ck_assert(!config->from_file);
	ck_assert_ptr_nonnull(config_listener(config, "echo"));
	config_release(config);
}

TEST(what_is_no_file_is_refused_without_waiting_for_it)
{
	const char *path = test_path("fifo");

	ck_assert_ptr_null(load_path(test_directory(), false));
	ck_assert_str_eq(said.lines, "F: is a directory, not a file\n");
	ck_assert_ptr_null(load_path("/dev/null", false));
	ck_assert_str_eq(said.lines, "F: is a device, not a file\n");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_ptr_null(load_path(path, false));
	ck_assert_str_eq(said.lines, "F: is a fifo, not a file\n");
}

TEST(an_unreadable_file_is_refused_whether_or_not_it_was_named)
{
	const char *path = test_path("unreadable");

	ck_assert_int_ge(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0000), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_ptr_null(load_path(path, false));
	ck_assert_str_eq(said.lines, "F: cannot open: Permission denied: the user that the "
				     "daemon runs as must be able to read it\n");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}

TEST(advice_is_given_only_where_it_helps)
{
	struct rlimit none = {.rlim_cur = 0}, before;
	const char *path = test_path("file");

	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(load_path(path, true));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_str_eq(said.lines, "F: cannot open: Too many open files: raise "
				     "LimitNOFILE= (ulimit -n)\n");
	ck_assert_ptr_null(load_path(test_path("file/x"), true));
	ck_assert_str_eq(said.lines, "F: cannot open: Not a directory\n");
}

TEST(a_file_may_have_64_kib)
{
	static char text[CONFIG_FILE_MAX + 1];

	memset(text, '\n', sizeof(text));
	config_release(load_bytes(text, sizeof(text) - 1));
	ck_assert_uint_eq(said.length, 0);
	ck_assert_ptr_null(load_bytes(text, sizeof(text)));
	ck_assert_str_eq(said.lines, "F: is larger than 65536 bytes, the maximum\n");
}

static struct config *load_with(const char *text, const struct listen_address *addresses,
				size_t count)
{
	struct config_source source = {.path = test_path("file"),
				       .must_exist = true,
				       .addresses = addresses,
				       .address_count = count};
	FILE *file = fopen(source.path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	return load_source(&source);
}

static struct listen_address parse(const char *text)
{
	struct listen_address address;
	struct reason reason;

	ck_assert_int_eq(listen_address_parse(&address, text, &reason), 0);
	return address;
}

TEST(addresses_of_the_command_line_replace_the_listeners)
{
	struct listen_address addresses[] = {parse("*:7007"), parse("[::1]:8"), parse("unix:/x")};
	struct config *config = load_with("[server]\nworkers = 2\n"
					  "[defaults]\nudp_rate = 5\nallow = 192.0.2.0/24\n"
					  "[listener a]\naddress = :1\ndeny = ::1\n"
					  "[listener b]\naddress = :2\n",
					  addresses, ARRAY_SIZE(addresses));
	static const char *const names[] = {"echo", "echo2", "echo3"};

	ck_assert_msg(config != NULL, "%s", said.lines);
	ck_assert_uint_eq(config->server.workers, 2);
	ck_assert_uint_eq(config->listener_count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct listener_config *listener = config_listener(config, names[i]);

		ck_assert_ptr_nonnull(listener);
		ck_assert_uint_eq(listener->addresses.count, 1);
		ck_assert(listen_address_collides(&listener->addresses.items[0], &addresses[i]));
		ck_assert_uint_eq(listener->protocols, PROTOCOL_TCP | PROTOCOL_UDP);
		ck_assert_uint_eq(listener->udp_rate, 5);
		ck_assert_uint_eq(listener->allow.count, 1);
		ck_assert_uint_eq(listener->deny.count, 0);
	}
	config_release(config);
}

TEST(the_file_is_checked_also_when_its_listeners_are_replaced)
{
	struct listen_address addresses[] = {parse("*:7007"), parse("0.0.0.0:7007")};

	ck_assert_ptr_null(load_with("[listener a]\naddress = :1\nport = 7\n", addresses, 1));
	ck_assert_ptr_eq(strstr(said.lines, "F:3: unknown key \"port\""), said.lines);
	ck_assert_ptr_null(load_with("", addresses, 2));
	ck_assert_str_eq(said.lines, "-l 0.0.0.0:7007: another -l already has this address, or "
				     "part of it\n");
}

TEST(metrics_may_stand_beside_what_is_elsewhere)
{
	config_release(load_good("[server]\nmetrics = 127.0.0.1:7\n"
				 "[listener a]\naddress = 127.0.0.2:7 [::]:7 *:8 unix:/x\n"
				 "[listener b]\naddress = 127.0.0.1:7\nprotocol = udp\n"));
	config_release(load_good("[server]\nmetrics = [2001:db8::1]:8\n"));
	config_release(load_good("[server]\nmetrics = [0:0:1::1]:8\n"));
	config_release(load_good("[server]\nmetrics = 127.0.0.1:0\n"
				 "[listener a]\naddress = 127.0.0.1:0\n"));
}

TEST(metrics_are_compared_with_the_listeners_that_are_opened)
{
	struct listen_address other = parse("127.0.0.1:8");
	struct config *config;

	config = load_with("[server]\nmetrics = 127.0.0.1:7\n[listener a]\naddress = *:7\n", &other,
			   1);
	ck_assert_msg(config != NULL, "%s", said.lines);
	config_release(config);
	ck_assert_ptr_null(load_with("[server]\nmetrics = 127.0.0.1:8\n", &other, 1));
	ck_assert_str_eq(said.lines, "F:2: metrics: [listener echo] serves TCP at 127.0.0.1:8: "
				     "choose another port\n");
}

/* Whether an interface that is not there is an error, and a metrics port that is taken. */
TEST(addresses_that_are_not_opened_need_not_be_there)
{
	static const char text[] = "[server]\nmetrics = 127.0.0.1:7\n"
				   "[listener a]\naddress = [fe80::1%nosuch0]:7 *:7\n"
				   "address = [fe80::1%4294967295]:7\n";
	struct listen_address other = parse("127.0.0.1:8");
	struct config_source source = {.path = test_path("file"), .handed = true};
	struct config *config;
	char *dump;

	ck_assert_ptr_null(load_with(text, NULL, 0));
	ck_assert_str_eq(said.lines,
			 "F:2: metrics: [listener a] serves TCP at *:7: choose another port\n"
			 "F:4: address: [fe80::1%nosuch0]:7: there is no network interface "
			 "\"nosuch0\"\n"
			 "F:5: address: [fe80::1%4294967295]:7: there is no network interface "
			 "\"4294967295\"\n");
	config = load_with(text, &other, 1);
	ck_assert_msg(config != NULL && said.length == 0, "%s", said.lines);
	config_release(config);
	config = load_source(&source);
	ck_assert_msg(config != NULL && said.length == 0, "%s", said.lines);
	dump = dump_text(config);
	ck_assert_ptr_nonnull(strstr(dump, "[fe80::1%nosuch0]:7 *:7 [fe80::1%4294967295]:7"));
	free(dump);
	config_release(config);
}

TEST(sessions_go_without_a_rate_where_allow_names_the_sources)
{
	struct config *config = load_good("[listener a]\naddress = *:1\nmode = echoplus\n"
					  "stamp_sessions = 1\nudp_rate = 0\n"
					  "allow = 192.0.2.0/24\n");

	ck_assert_uint_eq(config_listener(config, "a")->stamp_sessions, 1);
	config_release(config);
}

TEST(proxies_that_may_be_anybody_are_a_warning)
{
	struct config *config = load_text("[defaults]\nproxy_from = 10.0.0.0/8 ::/0\n"
					  "[listener a]\naddress = :1\nallow = 0.0.0.0/0 ::/0\n"
					  "proxy_from = 0.0.0.0/0 ::1\nproxy_from = 0.0.0.0/1\n");

	ck_assert_ptr_nonnull(config);
	ck_assert_str_eq(
		said.lines,
		"F:2: warning: proxy_from: with ::/0 any client can claim any address: "
		"list the load balancers only\n"
		"F:6: warning: proxy_from: with 0.0.0.0/0 any client can claim any address: "
		"list the load balancers only\n");
	config_release(config);
}

TEST(counts_without_a_rate_are_a_warning)
{
	struct config *config =
		load_text("[defaults]\nudp_rate = 0\n"
			  "[listener a]\naddress = :1\nmode = echoplus\n"
			  "[listener b]\naddress = :2\nmode = echoplus\nallow = ::1\n"
			  "[listener c]\naddress = :3\nmode = stamp\n"
			  "[listener d]\naddress = :4\nmode = echoplus\n"
			  "udp_rate = 1\n");

	ck_assert_ptr_nonnull(config);
	ck_assert_str_eq(said.lines,
			 "F:2: warning: udp_rate: a loop of [listener a], which counts its "
			 "replies, with another server might never end: set a rate, or allow\n");
	config_release(config);
}

TEST(keys_without_effect_are_a_warning)
{
	static const char *const texts[][2] = {
		{"address = :1\nprotocol = udp\nidle_timeout = 1\n", "serves no TCP"},
		{"address = :1\nprotocol = udp\nstall_timeout = 1\n", "serves no TCP"},
		{"address = :1\nprotocol = udp\ngreeting = a\n", "serves no TCP"},
		{"address = :1\nprotocol = udp\nreply_once = no\n", "serves no TCP"},
		{"address = unixgram:/x\nprefix = a\n", "serves no TCP"},
		{"address = unixgram:/x\nmax_clients_per_ip = 1\n", "serves no TCP"},
		{"address = unix:/x\nmax_clients_per_ip = 1\n", "serves no TCP"},
		{"address = unix:/x\nproxy_from = ::1\n", "serves no TCP"},
		{"address = :1\nprotocol = udp\nproxy_from = ::1\n", "serves no TCP"},
		{"address = :1 unix:/x\nproxy_from = 10.0.0.0/8 ::1\nproxy_from = ::2\n", NULL},
		{"address = :1\nprotocol = tcp\nudp_rate = 1\n", "serves no UDP"},
		{"address = :1\nprotocol = tcp\nudp_guard = no\n", "serves no UDP"},
		{"address = unix:/x\nudp_ttl_guard = no\n", "serves no UDP"},
		{"address = unix:/x\nprotocol = udp\n", "has no IP address"},
		{"address = :1 unix:/x\nprotocol = udp\nprefix = a\n", NULL},
		{"address = :1\nprotocol = tcp\nprefix = a\n", NULL},
		{"address = unixgram:/x :1\nprotocol = udp\nudp_rate = 1\n", NULL},
		{"address = :1\nprotocol = udp\nallow = ::1\n", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char file[128];
		struct config *config;

		(void)snprintf(file, sizeof(file), "[listener a]\n%s", texts[i][0]);
		config = load_text(file);
		ck_assert_ptr_nonnull(config);
		ck_assert_uint_eq(said.warnings, texts[i][1] ? 1 : 0);
		if (texts[i][1]) {
			ck_assert_ptr_nonnull(strstr(said.lines, "warning: "));
			ck_assert_ptr_nonnull(strstr(said.lines, texts[i][1]));
			ck_assert_ptr_nonnull(strstr(said.lines, "[listener a]"));
		}
		config_release(config);
	}
	config_release(load_text("[defaults]\nprefix=a\n[listener a]\naddress=:1\nprotocol=udp\n"));
	ck_assert_uint_eq(said.length, 0);
}

TEST(a_configuration_lives_until_its_last_reference_is_released)
{
	struct config *config = load_good("[defaults]\nallow = ::1\n");

	ck_assert_ptr_eq(config_hold(config), config);
	ck_assert_uint_eq(atomic_load(&config->references), 2);
	config_release(config);
	ck_assert_ptr_nonnull(config_listener(config, "echo"));
	config_release(config);
	config_release(NULL);
}

static char changed[128];

static void note_change(const char *key)
{
	size_t used = strlen(changed);

	(void)snprintf(changed + used, sizeof(changed) - used, "%s ", key);
}

/* Apart, since its default can be chosen when echod is built. */
TEST(another_sandbox_waits_for_a_restart)
{
	struct config *now = load_good("[server]\nsandbox = no\n");
	struct config *next = load_good("[server]\nsandbox = kill\n");

	changed[0] = '\0';
	config_compare(now, next, note_change);
	ck_assert_str_eq(changed, "sandbox ");
	config_release(now);
	config_release(next);
}

TEST(only_settings_that_wait_for_a_restart_are_named)
{
	static const char *const texts[][2] = {
		{"", ""},
		{"[server]\nworkers = auto\n", ""},
		{"[server]\nworkers = 2\n", "workers "},
		{"[server]\nuser = root\n", "user "},
		{"[server]\nmetrics = 127.0.0.1:1\n", "metrics "},
		{"[server]\nmetrics = [::1]:1\nworkers = 1\nuser = root\n",
		 "workers user metrics "},
		{"[server]\nlog_level = info\nmax_clients = 3\ndrain_timeout = 0\n"
		 "busy_poll = 5us\n",
		 ""},
		{"[defaults]\nidle_timeout = 3\n[listener a]\naddress = :1\n", ""},
	};
	struct config *now = load_good("");

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct config *next = load_good(texts[i][0]);

		changed[0] = '\0';
		config_compare(now, next, note_change);
		ck_assert_str_eq(changed, texts[i][1]);
		changed[0] = '\0';
		config_compare(next, now, note_change);
		ck_assert_str_eq(changed, texts[i][1]);
		config_release(next);
	}
	config_release(now);
}
