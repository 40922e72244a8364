/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The tables of sessions of a configuration, and which of them the next one keeps. */

#include "config.h"

#include "echod/guard/session_tables.h"

#include "echod/guard/sessions.h"
#include "unit/config_text.h"
#include "unit/faults.h"

#define PLUS "address = 127.0.0.1:0\nmode = echoplus\n"
#define NOW INT64_C(1000000000000)

static struct session_tables *tables, *next;

static struct session_tables *make(const char *text, const struct session_tables *before)
{
	struct config *config = load_good(text);
	struct session_tables *made = session_tables_new(config, before);

	config_release(config);
	return made;
}

static void tear_down(void)
{
	session_tables_free(tables);
	session_tables_free(next);
	tables = next = NULL;
}

/* How many sessions a table takes, each of a source of its own. */
static unsigned room_in(struct sessions *sessions)
{
	struct session_key whose = {0};
	unsigned count = 0;

	ck_assert_ptr_nonnull(sessions);
	do {
		count++;
		whose.source.s6_addr32[0] = htonl(count);
	} while (sessions_enter(sessions, &whose, false, NOW));
	return count - 1;
}

TEST_CASE("tables", NULL, tear_down);

TEST(only_modes_with_sessions_have_a_table)
{
	tables = make("[listener a]\naddress = :1\n[listener b]\n" PLUS, NULL);
	ck_assert_ptr_nonnull(tables);
	ck_assert_ptr_null(session_tables_find(tables, "a"));
	ck_assert_ptr_null(session_tables_find(tables, "c"));
	ck_assert_ptr_null(session_tables_find(NULL, "b"));
	ck_assert_uint_eq(room_in(session_tables_find(tables, "b")), SESSIONS_WHERE_NEEDED);
	ck_assert_uint_eq(session_tables_count(tables, NOW), SESSIONS_WHERE_NEEDED);
	ck_assert_uint_eq(session_tables_count(NULL, NOW), 0);
}

/* As a socket that is handed over under an unknown name uses them. */
TEST(the_defaults_have_a_table_too)
{
	tables = make("[defaults]\nmode = echoplus\nstamp_sessions = 7\n", NULL);
	ck_assert_uint_eq(room_in(session_tables_find(tables, "[defaults]")), 7);
	ck_assert_uint_eq(room_in(session_tables_find(tables, "echo")), 7);
}

TEST(sessions_survive_what_does_not_change_their_number)
{
	struct sessions *sessions;

	tables = make("[listener a]\n" PLUS "stamp_sessions = 5\n", NULL);
	sessions = session_tables_find(tables, "a");
	next = make("[listener b]\naddress = :1\n[listener a]\n" PLUS
		    "stamp_sessions = 5\nudp_rate = 3\n",
		    tables);
	ck_assert_ptr_eq(session_tables_find(next, "a"), sessions);
	session_tables_free(tables);
	tables = make("[listener a]\n" PLUS "stamp_sessions = 6\n", next);
	ck_assert_ptr_ne(session_tables_find(tables, "a"), sessions);
	ck_assert_uint_eq(room_in(sessions), 5);
	session_tables_free(next);
	next = make("[listener a]\naddress = :1\nmode = stamp\nstamp_sessions = 6\n", tables);
	ck_assert_ptr_ne(session_tables_find(next, "a"), session_tables_find(tables, "a"));
	session_tables_free(next);
	next = make("[listener a]\naddress = :1\n", tables);
	ck_assert_ptr_null(session_tables_find(next, "a"));
}

TEST(a_table_that_cannot_be_had_is_none)
{
	struct config *config = load_good("[listener a]\n" PLUS "[listener b]\n"
					  "address = 127.0.0.1:1\nmode = echoplus\n");
	unsigned failed = 0;

	for (bool happened = true; happened; failed++) {
		fault_after(failed, MEMORY, ENOMEM);
		next = session_tables_new(config, NULL);
		happened = fault_over();
		ck_assert_int_eq(next == NULL, happened);
		ck_assert(!happened || fault_blocks() == 0);
	}
	ck_assert_uint_eq(failed, 6); /* two for each table, and one for all */
	config_release(config);
	session_tables_free(NULL);
}
