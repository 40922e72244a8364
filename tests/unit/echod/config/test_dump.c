/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The dump: what it looks like, and that it always reads back as the same configuration. */

#include "config.h"

#include "echod/config/settings.h"
#include "unit/config_text.h"

TEST(the_dump_names_every_key_with_the_value_in_force)
{
	struct config *config = load_good("[listener a]\naddress = :1 localhost:2\n"
					  "protocol = udp tcp\nidle_timeout = 90\n"
					  "greeting = \\x48i \xc3\xa9\\n\n"
					  "[defaults]\nallow = 192.0.2.0/24\nstall_timeout = 60s\n"
					  "[server]\nmetrics = localhost:9107\n");
	char *text = dump_text(config);

	ck_assert_str_eq(text, "[server]\n"
			       "workers = auto\n"
			       "log_level = notice\n"
			       "#user = (none)\n"
			       "max_clients = auto\n"
			       "drain_timeout = 10s\n"
			       "busy_poll = 0\n"
			       "metrics = 127.0.0.1:9107\n"
			       "\n"
			       "[defaults]\n"
			       "allow = 192.0.2.0/24\n"
			       "#deny = (none)\n"
			       "max_clients_per_ip = 0\n"
			       "idle_timeout = 1h\n"
			       "stall_timeout = 1m\n"
			       "#greeting = (none)\n"
			       "#prefix = (none)\n"
			       "reply_once = no\n"
			       "udp_rate = 1000\n"
			       "udp_guard = yes\n"
			       "udp_ttl_guard = yes\n"
			       "\n"
			       "[listener a]\n"
			       "address = *:1 localhost:2\n"
			       "protocol = tcp udp\n"
			       "allow = 192.0.2.0/24\n"
			       "#deny = (none)\n"
			       "max_clients_per_ip = 0\n"
			       "idle_timeout = 90s\n"
			       "stall_timeout = 1m\n"
			       "greeting = Hi \\xc3\\xa9\\n\n"
			       "#prefix = (none)\n"
			       "reply_once = no\n"
			       "udp_rate = 1000\n"
			       "udp_guard = yes\n"
			       "udp_ttl_guard = yes\n");
	free(text);
	config_release(config);
}

TEST(keys_without_effect_are_dumped_so_that_nothing_warns_of_them)
{
	struct config *config = load_good("[listener a]\naddress = :1\nprotocol = udp\n"
					  "[listener b]\naddress = unix:/run/x\n");
	char *text = dump_text(config);

	ck_assert_ptr_nonnull(strstr(text, "\n#idle_timeout = (no effect here)\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n#protocol = (no effect here)\n"));
	config_release(config);
	config_release(load_good(text));
	free(text);
	config = load_text("[listener a]\naddress = :1\nprotocol = udp\nidle_timeout = 3\n");
	text = dump_text(config);
	ck_assert_ptr_nonnull(strstr(text, "\nidle_timeout = 3s\n"));
	free(text);
	config_release(config);
}

TEST(networks_are_dumped_in_the_order_in_which_they_were_written)
{
	struct config *config = load_good("[listener a]\naddress = :1\n"
					  "[defaults]\n"
					  "deny = 192.0.2.128/25 ::/0 192.0.2.0/24\n"
					  "deny = 10.0.0.0/8 192.0.2.128/25\n");
	char *text = dump_text(config);
	const char *line = "\ndeny = 192.0.2.128/25 ::/0 192.0.2.0/24 10.0.0.0/8 192.0.2.128/25\n";
	size_t found = 0;

	for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
		found++;
	ck_assert_uint_eq(found, 2); /* of [defaults] and of the listener */
	free(text);
	config_release(config);
}

TEST(a_text_that_fills_its_line_still_fits_when_dumped)
{
	char file[LINE_MAX_LENGTH + 32] = "[defaults]\ngreeting=";
	struct config *config, *back;
	char *text;

	for (size_t i = 0; i < (LINE_MAX_LENGTH - strlen("greeting=")) / 3; i++)
		strcat(file, "\xe2\x82\xac");
	strcat(file, "x");
	config = load_good(file);
	text = dump_text(config);
	back = load_good(text);
	ck_assert_mem_eq(&config->defaults.greeting, &back->defaults.greeting, sizeof(struct text));
	ck_assert_uint_eq(back->defaults.greeting.length, 181);
	free(text);
	config_release(config);
	config_release(back);
}

TEST(a_dump_that_cannot_be_written_is_an_error)
{
	struct config *config = load_good("");
	FILE *full = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(full);
	ck_assert_int_eq(config_dump(config, full), -1);
	(void)fclose(full);
	config_release(config);
}

/* Random files, the same in each run ---------------------------------------------------------- */

static uint64_t random_state = 88172645463325252;

static unsigned pick(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % below);
}

static void write_text(FILE *out, size_t room)
{
	static const char *const pieces[] = {
		"a",	"Z",	  "~",	    "\xc3\xa9", "\xff",	 "=",	  ":",	   "#",
		"\\\\", "\\n",	  "\\r",    "\\t",	"\\x3b", "\\x20", "\\x00", "\\x7f",
		"[",	"\\x20;", "x \t x", "\tb",	"a;b",	 "\\t;",
	};

	do {
		const char *piece = pieces[pick(ARRAY_SIZE(pieces))];

		if (strlen(piece) > room)
			break;
		fputs(piece, out);
		room -= strlen(piece);
	} while (pick(40) > 0);
}

static void write_networks(FILE *out, const char *key)
{
	for (unsigned lines = pick(4); lines > 0; lines--) {
		fprintf(out, "%s =", key);
		for (unsigned words = 1 + pick(5); words > 0; words--) {
			if (pick(2) > 0)
				fprintf(out, " 10.%u.%u.0/%u", pick(256), pick(256), 24 + pick(2));
			else
				fprintf(out, " 2001:db8:%x::%x", pick(65536), pick(65536));
		}
		fputc('\n', out);
	}
}

static void write_duration(FILE *out, const char *key)
{
	static const char *const units[] = {"ms", "s", "m", "h", ""};

	if (pick(2) > 0)
		fprintf(out, "%s = %u%s\n", key, pick(5000), units[pick(ARRAY_SIZE(units))]);
}

static void write_boolean(FILE *out, const char *key)
{
	if (pick(2) > 0)
		fprintf(out, "%s=%s\n", key, pick(2) > 0 ? "True" : "off");
}

static void write_shared(FILE *out)
{
	write_networks(out, "allow");
	write_networks(out, "deny");
	if (pick(2) > 0)
		fprintf(out, "max_clients_per_ip = %u\n", pick(100));
	write_duration(out, "idle_timeout");
	write_duration(out, "stall_timeout");
	for (unsigned text = 0; text < 2; text++) {
		if (pick(2) > 0)
			continue;
		fprintf(out, "%s=x", text == 0 ? "greeting" : "prefix");
		write_text(out, LINE_MAX_LENGTH - strlen("greeting=x"));
		fputc('\n', out);
	}
	write_boolean(out, "reply_once");
	if (pick(2) > 0)
		fprintf(out, "udp_rate = %u\n", pick(UINT32_MAX));
	write_boolean(out, "udp_guard");
	write_boolean(out, "udp_ttl_guard");
}

static void write_listener(FILE *out, unsigned number)
{
	static const char *const hosts[] = {
		"*", "", "localhost", "192.0.2.7", "[2001:db8::7]", "[fe80::1%lo]"};
	static const char *const protocols[] = {"tcp", "udp", "udp tcp"};
	unsigned port = number * 100;

	fprintf(out, "[listener l%u]\n", number);
	for (unsigned lines = 1 + pick(3); lines > 0; lines--) {
		fputs("address =", out);
		for (unsigned words = 1 + pick(8); words > 0; words--) {
			if (pick(8) == 0)
				fprintf(out, " unix%s:/run/%u", pick(2) > 0 ? "gram" : "", ++port);
			else
				fprintf(out, " %s:%u", hosts[pick(ARRAY_SIZE(hosts))], ++port);
		}
		fputc('\n', out);
	}
	if (pick(2) > 0)
		fprintf(out, "protocol = %s\n", protocols[pick(ARRAY_SIZE(protocols))]);
	write_shared(out);
}

static char *random_file(void)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	for (unsigned number = 1 + pick(3); number > 0; number--)
		write_listener(out, number);
	fputs("[defaults]\n", out);
	write_shared(out);
	fputs("[server]\n", out);
	if (pick(2) > 0)
		fprintf(out, "workers = %u\nmetrics = [::1]:%u\n", 1 + pick(1024), pick(65536));
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void expect_same(const struct config *a, const struct config *b)
{
	ck_assert_uint_eq(a->listener_count, b->listener_count);
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];

		if (setting->sections & IN_SERVER)
			ck_assert(setting_equal(setting, &a->server, &b->server));
		if (!(setting->sections & IN_LISTENER))
			continue;
		ck_assert(setting_equal(setting, &a->defaults, &b->defaults));
		for (size_t j = 0; j < a->listener_count; j++)
			ck_assert(setting_equal(setting, &a->listeners[j], &b->listeners[j]));
	}
	for (size_t j = 0; j < a->listener_count; j++)
		ck_assert_mem_eq(&a->listeners[j].greeting, &b->listeners[j].greeting,
				 sizeof(struct text));
}

TEST(every_dump_reads_back_as_the_same_configuration)
{
	for (unsigned round = 0; round < 300; round++) {
		char *text = random_file(), *dump, *again;
		struct config *config = load_text(text), *back;

		ck_assert_msg(config != NULL, "%s%s", said.lines, text);
		dump = dump_text(config);
		back = load_text(dump);
		ck_assert_msg(back != NULL, "%s%s", said.lines, dump);
		expect_same(config, back);
		again = dump_text(back);
		ck_assert_str_eq(dump, again);
		config_release(config);
		config_release(back);
		free(text);
		free(dump);
		free(again);
	}
}
