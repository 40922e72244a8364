/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The file of echom: what is accepted, refused and dumped, and when two targets are the same. */

#include "config.h"

#include "daemon/settings/settings.h"
#include "echom/config/settings.h"
#include "echom/config/watchlist.h"
#include "unit/said.h"

static struct watchlist *load(const char *text)
{
	char path[SAID_PATH_MAX];
	int fd = said_file(text, strlen(text), path);
	const struct settings_source source = {.path = path, .must_exist = true};
	struct watchlist *list;

	listen_for(path);
	list = watchlist_load(&source, hear);
	close(fd);
	return list;
}

static struct watchlist *load_good(const char *text)
{
	struct watchlist *list = load(text);

	ck_assert_msg(list != NULL, "%s", said.lines);
	ck_assert_str_eq(said.lines, "");
	return list;
}

TEST(a_target_has_the_defaults_unless_it_says_otherwise)
{
	struct watchlist *list = load_good("[defaults]\ninterval = 200ms\nlabels = site=ams\n"
					   "[target a]\naddress = 192.0.2.1\n"
					   "[target b]\naddress = [2001:db8::1]:9\nprotocol = tcp\n"
					   "interval = 5s\nlabels = role=core tier=1\n");

	ck_assert_uint_eq(list->count, 2);
	ck_assert_str_eq(watch_name(&list->targets[0]), "a");
	ck_assert_str_eq(list->targets[0].address, "192.0.2.1:7");
	ck_assert_uint_eq(list->targets[0].protocol, WATCH_UDP);
	ck_assert_uint_eq(list->targets[0].interval, 200);
	ck_assert_uint_eq(list->targets[0].timeout, 1000);
	ck_assert_uint_eq(list->targets[0].size, 64);
	ck_assert_uint_eq(list->targets[0].resolve, 300 * 1000);
	ck_assert_uint_eq(list->targets[0].labels.count, 1);
	ck_assert_str_eq(list->targets[0].labels.items[0].value, "ams");
	ck_assert_str_eq(list->targets[1].address, "[2001:db8::1]:9");
	ck_assert_uint_eq(list->targets[1].protocol, WATCH_TCP);
	ck_assert_uint_eq(list->targets[1].interval, 5000);
	ck_assert_uint_eq(list->targets[1].labels.count, 2);
	ck_assert_str_eq(list->targets[1].labels.items[1].name, "tier");
	watchlist_release(list);
}

static const struct {
	const char *protocol, *address, *completed;
} ports[] = {
	{"udp", "a", "a:7"},	   {"tcp", "::1", "[::1]:7"},	      {"stamp", "a", "a:862"},
	{"stamp", "a:7", "a:7"},   {"stamp", "[::1]", "[::1]:862"},   {"stamp", "::1", "[::1]:862"},
	{"udp", "a:862", "a:862"}, {"udp", "[::1]:862", "[::1]:862"},
};

/* Wherever the protocol is given. */
TEST_EACH(an_address_without_a_port_has_that_of_its_protocol, 2 * ARRAY_SIZE(ports))
{
	static const char *const between[] = {"", "[defaults]\n"};
	struct watchlist *list;
	char text[128];

	(void)snprintf(text, sizeof(text), "[target x]\naddress = %s\n%sprotocol = %s\n",
		       ports[_i / 2].address, between[_i % 2], ports[_i / 2].protocol);
	list = load_good(text);
	ck_assert_str_eq(list->targets[0].address, ports[_i / 2].completed);
	watchlist_release(list);
}

TEST(flows_by_default_are_for_the_targets_that_can_have_them)
{
	struct watchlist *list = load_good("[defaults]\nflows = 8\n[target a]\naddress = a\n"
					   "[target b]\naddress = b\nprotocol = tcp\n"
					   "[target c]\naddress = c\nprotocol = stamp\n");

	ck_assert_uint_eq(list->targets[0].flows, 8);
	ck_assert_uint_eq(list->targets[1].flows, 1);
	ck_assert_uint_eq(list->targets[2].flows, 8);
	watchlist_release(list);
}

TEST(a_file_without_targets_is_good)
{
	struct watchlist *list = load_good("");

	ck_assert_uint_eq(list->count, 0);
	ck_assert_uint_eq(address_port(&list->server.listen), 9108);
	watchlist_release(list);
}

static const struct {
	const char *line, *error;
} refusals[] = {
	{"address = a:0", "address: port 0: must be from 1 to 65535"},
	{"address = :7", "address: missing host"},
	{"address = *", "address: \"*\" is not a host"},
	{"address = <b>", "address: \"<b>\" is not a host: letters, digits and . - _ : %"},
	{"protocol = icmp", "protocol: \"icmp\" is not udp, tcp or stamp"},
	{"interval = 9ms", "interval: \"9ms\" is not a duration from 10ms to 1h"},
	{"timeout = 61s", "timeout: \"61s\" is not a duration from 10ms to 1m"},
	{"size = 31", "size: \"31\" is not a whole number from 32 to 65507"},
	{"dscp = 64", "dscp: \"64\" is not a whole number from 0 to 63"},
	{"source = eth0", "source: \"eth0\" is not an IP address"},
	{"resolve = 0", "resolve: \"0\" is not a duration from 1s to 1d"},
	{"labels = site", "labels: \"site\" is not NAME=VALUE"},
	{"labels = 1a=b", "labels: \"1a\" is not the name of a label"},
	{"labels = =b", "labels: \"\" is not the name of a label"},
	{"labels = a-b=c", "labels: \"a-b\" is not the name of a label"},
	{"labels = __a=b", "labels: \"__a\" begins with __"},
	{"labels = le=1", "labels: \"le\" is a label of echom's own"},
	{"labels = target=x", "labels: \"target\" is a label of echom's own"},
	{"labels = a=1 b=2 a=3", "labels: label \"a\" is given twice"},
	{"flows = 0", "flows: \"0\" is not a whole number from 1 to 64"},
	{"flows = 2\nprotocol = tcp", "flows: [target x] uses TCP, with one connection: remove"},
	{"flow = 2", "unknown key"},
};

TEST_EACH(what_is_wrong_is_refused_with_its_line, ARRAY_SIZE(refusals))
{
	char text[256];

	(void)snprintf(text, sizeof(text), "[target x]\n%s\n%s\n", refusals[_i].line,
		       strncmp(refusals[_i].line, "address", 7) == 0 ? "" : "address = a");
	ck_assert_ptr_null(load(text));
	ck_assert_uint_eq(said.errors, 1);
	ck_assert_msg(strncmp(said.lines, "F:2: ", 5) == 0, "%s", said.lines);
	ck_assert_msg(strstr(said.lines, refusals[_i].error) != NULL, "%s", said.lines);
}

TEST(a_target_needs_an_address_and_a_name_of_its_own)
{
	ck_assert_ptr_null(load("[target x]\n[target y]\naddress = a\n[target y]\naddress = b\n"));
	ck_assert_ptr_nonnull(strstr(said.lines, "F:1: [target x] has no address: add one"));
	ck_assert_ptr_nonnull(strstr(said.lines, "F:4: "));
	ck_assert_uint_eq(said.errors, 2);
}

TEST(labels_are_bounded)
{
	char text[1024] = "[target x]\naddress = a\nlabels =";

	for (int i = 0; i < LABELS_MAX; i++)
		(void)snprintf(text + strlen(text), 16, " l%d=v", i);
	watchlist_release(load_good(text));
	(void)snprintf(text + strlen(text), 16, " more=v");
	ck_assert_ptr_null(load(text));
	ck_assert_ptr_nonnull(strstr(said.lines, "a target has at most 16 labels"));
	memset(text, 'v', sizeof(text));
	memcpy(text, "[target x]\naddress = a\nlabels = n=", 34);
	text[34 + LABEL_LENGTH_MAX] = '\0';
	watchlist_release(load_good(text));
	memcpy(text + 34 + LABEL_LENGTH_MAX, "v", 2);
	ck_assert_ptr_null(load(text));
	ck_assert_ptr_nonnull(strstr(said.lines, "at most 128 bytes each"));
}

TEST(values_of_labels_are_escaped)
{
	struct watchlist *list = load_good("[target x]\naddress = a\nlabels = a=\\\"b c=\n");
	char bytes[64];
	struct bounded_text text;

	bounded_text_begin(&text, bytes, sizeof(bytes));
	labels_write(&list->targets[0].labels, &text);
	ck_assert_str_eq(bytes, ",a=\"\\\\\\\"b\",c=\"\"");
	watchlist_release(list);
}

TEST(a_dump_reads_back_the_same)
{
	struct watchlist *list = load_good("[server]\nlisten = [::1]:1\n[target x]\naddress = a\n"
					   "source = 192.0.2.1\nlabels = a=b c=d\ndscp = 46\n");
	char *first = NULL, *second = NULL;
	size_t length;
	FILE *out = open_memstream(&first, &length);

	ck_assert_int_eq(watchlist_dump(list, out), 0);
	fclose(out);
	watchlist_release(list);
	list = load_good(first);
	out = open_memstream(&second, &length);
	ck_assert_int_eq(watchlist_dump(list, out), 0);
	fclose(out);
	ck_assert_str_eq(first, second);
	ck_assert_ptr_nonnull(strstr(first, "\naddress = a:7\n"));
	ck_assert_ptr_nonnull(strstr(first, "\nlabels = a=b c=d\n"));
	watchlist_release(list);
	free(first);
	free(second);
}

static const struct {
	const char *lines;
	bool equal;
} changes[] = {
	{"", true},
	{"labels = a=b\n", true},
	{"resolve = 1h\n", true},
	{"protocol = tcp\n", false},
	{"interval = 2s\n", false},
	{"timeout = 2s\n", false},
	{"size = 65\n", false},
	{"dscp = 1\n", false},
	{"flows = 2\n", false},
	{"protocol = stamp\n", false},
	{"source = ::1\n", false},
};

TEST_EACH(books_go_on_unless_the_probes_differ, ARRAY_SIZE(changes))
{
	struct watchlist *before = load_good("[target x]\naddress = a\n"), *after;
	char text[128];

	(void)snprintf(text, sizeof(text), "[target x]\naddress = a\n%s", changes[_i].lines);
	after = load_good(text);
	ck_assert_int_eq(watch_settings_equal(&before->targets[0], &after->targets[0]),
			 changes[_i].equal);
	watchlist_release(before);
	watchlist_release(after);
}

static const char *read_text(const char *name)
{
	static char text[1 << 16];
	char path[4096];
	FILE *file;

	ck_assert_ptr_nonnull(getenv("TOP_SRCDIR"));
	(void)snprintf(path, sizeof(path), "%s/%s", getenv("TOP_SRCDIR"), name);
	file = fopen(path, "re");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void expect_setting(const char *text, const char *start, const struct setting *setting)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "%s%s = %s", start, setting->key, setting->default_text);
	ck_assert_msg(strstr(text, line) != NULL, "nowhere: %s", line);
}

TEST(the_file_and_the_manual_have_every_setting_with_its_default)
{
	for (size_t i = 0; i < echom_schema.setting_count; i++) {
		const struct setting *setting = &echom_schema.settings[i];

		expect_setting(read_text("etc/echom.conf"), "\n#", setting);
		expect_setting(read_text("man/echom.conf.5"), "\n.It Ic ", setting);
	}
}

TEST(the_shipped_file_is_good_with_all_that_it_shows)
{
	const char *shipped = read_text("etc/echom.conf");
	static char text[1 << 16];
	char *to = text;

	watchlist_release(load_good(shipped));
	/* Lines of the form "#key" or "#[section]" are examples. */
	for (const char *at = shipped; *at != '\0'; at++) {
		bool begins = at == shipped || at[-1] == '\n';

		if (!begins || *at != '#' || at[1] == ' ' || at[1] == '\n')
			*to++ = *at;
	}
	*to = '\0';
	watchlist_release(load_good(text));
}
