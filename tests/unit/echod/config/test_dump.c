/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The dump: what it looks like. That it reads back as the same configuration, whatever the file, is
 * checked by fuzz_configuration and its corpus.
 */

#include "config.h"

#include "echod/config/settings.h"
#include "unit/config_text.h"

TEST(the_dump_names_every_key_with_the_value_in_force)
{
	struct config *config = load_good("[listener a]\naddress = :1 localhost:2\n"
					  "protocol = udp tcp\nidle_timeout = 90\n"
					  "greeting = \\x48i \xc3\xa9\\n\n"
					  "[defaults]\nallow = 192.0.2.0/24\nstall_timeout = 60s\n"
					  "[server]\nmetrics = localhost:9107\nsandbox = no\n");
	char *text = dump_text(config);

	ck_assert_str_eq(text, "[server]\n"
			       "workers = auto\n"
			       "log_level = notice\n"
			       "#user = (none)\n"
			       "sandbox = no\n"
			       "max_clients = auto\n"
			       "drain_timeout = 10s\n"
			       "busy_poll = 0\n"
			       "metrics = 127.0.0.1:9107\n"
			       "\n"
			       "[defaults]\n"
			       "mode = echo\n"
			       "allow = 192.0.2.0/24\n"
			       "#deny = (none)\n"
			       "max_clients_per_ip = 0\n"
			       "#proxy_from = (none)\n"
			       "idle_timeout = 1h\n"
			       "stall_timeout = 1m\n"
			       "#greeting = (none)\n"
			       "#prefix = (none)\n"
			       "reply_once = no\n"
			       "udp_rate = 1000\n"
			       "udp_guard = yes\n"
			       "udp_ttl_guard = yes\n"
			       "reflect_dscp = no\n"
			       "stamp_sessions = 0\n"
			       "#stamp_key = (none)\n"
			       "stamp_dscp = any\n"
			       "\n"
			       "[listener a]\n"
			       "address = *:1 localhost:2\n"
			       "protocol = tcp udp\n"
			       "mode = echo\n"
			       "allow = 192.0.2.0/24\n"
			       "#deny = (none)\n"
			       "max_clients_per_ip = 0\n"
			       "#proxy_from = (none)\n"
			       "idle_timeout = 90s\n"
			       "stall_timeout = 1m\n"
			       "greeting = Hi \\xc3\\xa9\\n\n"
			       "#prefix = (none)\n"
			       "reply_once = no\n"
			       "udp_rate = 1000\n"
			       "udp_guard = yes\n"
			       "udp_ttl_guard = yes\n"
			       "reflect_dscp = no\n"
			       "#stamp_sessions = (no effect here)\n"
			       "#stamp_key = (no effect here)\n"
			       "#stamp_dscp = (no effect here)\n");
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

TEST(a_list_that_goes_on_is_another_one)
{
	struct config *config = load_text("[defaults]\nproxy_from = ::1\n[listener a]\n"
					  "address = :1\nprotocol = udp\nproxy_from = ::1 ::1\n");
	char *text = dump_text(config);

	ck_assert_ptr_nonnull(strstr(text, "\nproxy_from = ::1 ::1\n"));
	free(text);
	config_release(config);
}

TEST(a_mode_shows_that_it_is_udp)
{
	struct config *config = load_good("[listener a]\naddress = :1\nmode = echoplus\n");
	char *text = dump_text(config);

	ck_assert_ptr_nonnull(strstr(text, "\nprotocol = udp\nmode = echoplus\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n#idle_timeout = (no effect here)\n"));
	ck_assert_ptr_nonnull(strstr(text, "\nstamp_sessions = 0\n"));
	config_release(config);
	config_release(load_good(text));
	free(text);
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
