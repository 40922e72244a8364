/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What Prometheus gets: by family, whole, and in pieces that fit. */

#include "config.h"

#include "echom/status/scrape.h"
#include "unit/faults.h"
#include "unit/moving_clock.h"
#include "unit/watches_scene.h"

#define PIECE (20 * 1024)
#define LABELS "target=\"one\",address=\"[2001:db8::1]:7\",protocol=\"tcp\""

static char text[8 << 20];

TEST_CASE("a scrape", set_up_watches, tear_down_watches);

/* All of it, in pieces; how many there were. */
static unsigned write_all(struct scrape *scrape)
{
	unsigned pieces = 0;
	size_t length = 0;
	bool more;

	do {
		struct bounded_text piece;

		bounded_text_begin(&piece, text + length, PIECE);
		more = scrape_write(scrape, &piece);
		ck_assert(!piece.cut);
		length += piece.length;
		ck_assert_uint_lt(length + PIECE, sizeof(text));
		pieces++;
	} while (more);
	return pieces;
}

static void scrape_all(void)
{
	struct scrape *scrape = scrape_new(watches, 5 * NS_PER_S);

	ck_assert_ptr_nonnull(scrape);
	(void)write_all(scrape);
	scrape_free(scrape);
}

static void expect_line(const char *line)
{
	const char *found = strstr(text, line);

	ck_assert_msg(found != NULL, "no line %s", line);
	ck_assert_msg(found == text || found[-1] == '\n', "not at the start of a line: %s", line);
	ck_assert_msg(found[strlen(line)] == '\n', "goes on: %s", line);
}

TEST(without_targets_only_the_process_has_figures)
{
	scrape_all();
	expect_line("echom_build_info{version=\"" PACKAGE_VERSION "\"} 1");
	expect_line("echom_start_time_seconds 5.000");
	expect_line("echom_schedule_lateness_seconds_count 0");
	ck_assert_ptr_null(strstr(text, "target="));
}

TEST(each_figure_is_a_line_with_the_labels_of_its_target)
{
	struct watch *one;

	watch("[target one]\naddress = [2001:db8::1]\nprotocol = tcp\nlabels = site=ams\n");
	one = watches->items[0];
	one->counts = (struct counts){.sent = 10,
				      .received = 7,
				      .lost = 3,
				      .late = 2,
				      .duplicates = 1,
				      .rtt_sum = 1234567890,
				      .rtt_min = 1500,
				      .rtt = {[1] = 4, [RTT_BOUNDS] = 3}};
	one->replied_at = 7 * NS_PER_S;
	one->up = true;
	scrape_all();
	expect_line("echom_probes_sent_total{" LABELS "} 10");
	expect_line("echom_probes_received_total{" LABELS "} 7");
	expect_line("echom_probes_lost_total{" LABELS "} 3");
	expect_line("echom_probes_late_total{" LABELS "} 2");
	expect_line("echom_probes_outstanding{" LABELS "} 0");
	expect_line("echom_rtt_seconds_bucket{" LABELS ",le=\"5e-05\"} 0");
	expect_line("echom_rtt_seconds_bucket{" LABELS ",le=\"0.0001\"} 4");
	expect_line("echom_rtt_seconds_bucket{" LABELS ",le=\"26.2144\"} 4");
	expect_line("echom_rtt_seconds_bucket{" LABELS ",le=\"+Inf\"} 7");
	expect_line("echom_rtt_seconds_sum{" LABELS "} 1.234567890");
	expect_line("echom_rtt_seconds_count{" LABELS "} 7");
	expect_line("echom_rtt_min_seconds{" LABELS "} 0.000001500");
	expect_line("echom_last_reply_timestamp_seconds{" LABELS "} 7.000000000");
	expect_line("echom_up{" LABELS "} 1");
	expect_line("echom_target_info{" LABELS ",site=\"ams\"} 1");
}

/* The contract: what dashboards and rules are made of. */
static const struct {
	const char *name, *type;
	bool each_way; /* a line for each direction */
} families[] = {
	{"echom_probes_sent_total", "counter", false},
	{"echom_probes_received_total", "counter", false},
	{"echom_probes_lost_total", "counter", false},
	{"echom_probes_outstanding", "gauge", false},
	{"echom_probes_duplicates_total", "counter", false},
	{"echom_probes_late_total", "counter", false},
	{"echom_probes_out_of_order_total", "counter", false},
	{"echom_probes_corrupt_total", "counter", false},
	{"echom_probes_truncated_total", "counter", false},
	{"echom_reconnects_total", "counter", false},
	{"echom_resolve_failures_total", "counter", false},
	{"echom_rtt_seconds", "histogram", false},
	{"echom_jitter_seconds", "gauge", false},
	{"echom_rtt_min_seconds", "gauge", false},
	{"echom_up", "gauge", false},
	{"echom_outages_total", "counter", false},
	{"echom_outage_seconds_total", "counter", false},
	{"echom_outage_longest_seconds", "gauge", false},
	{"echom_last_reply_timestamp_seconds", "gauge", false},
	{"echom_lost_direction_total", "counter", true},
	{"echom_hops", "gauge", true},
	{"echom_dscp_changed", "gauge", true},
	{"echom_flows_lossy", "gauge", false},
	{"echom_target_info", "gauge", false},
};

/* All that can be known of it is. */
static void know_all(struct watch *one)
{
	struct reflector *reflector = one->reflector;

	one->replied_at = one->counts.rtt_min = NS_PER_S;
	for (size_t i = 0; i < reflector->count; i++)
		reflector->ports[i].counts = reflector->ports[i].consistent = true;
	for (enum way way = WAY_THERE; way < WAYS; way++)
		reflector->dscp_changed[way] = 1;
	one->hops = (struct hops){.there = 3, .back = 4};
}

static void expect_family(size_t index)
{
	const char *name = families[index].name, *way = ",direction=\"there\"";
	bool is_histogram = strcmp(families[index].type, "histogram") == 0;
	char line[256];

	(void)snprintf(line, sizeof(line), "# TYPE %s %s", name, families[index].type);
	expect_line(line);
	(void)snprintf(line, sizeof(line), "\n# HELP %s ", name);
	ck_assert_msg(strstr(text, line) != NULL, "nowhere: %s", line);
	(void)snprintf(line, sizeof(line),
		       "\n%s%s{target=\"one\",address=\"a:862\",protocol=\"stamp\"%s} ", name,
		       is_histogram ? "_count" : "", families[index].each_way ? way : "");
	ck_assert_msg(strstr(text, line) != NULL, "nowhere: %s", line);
}

TEST(every_family_has_its_heading_and_its_labels)
{
	unsigned headings = 0;

	watch("[target one]\naddress = a\nprotocol = stamp\nflows = 2\n");
	know_all(watches->items[0]);
	scrape_all();
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		expect_family(i);
	for (const char *at = text; (at = strstr(at, "# TYPE ")); at++)
		headings++;
	ck_assert_uint_eq(headings, ARRAY_SIZE(families) + 3); /* and those of echom itself */
	expect_line("# TYPE echom_build_info gauge");
	expect_line("# TYPE echom_start_time_seconds gauge");
	expect_line("# TYPE echom_schedule_lateness_seconds histogram");
}

TEST(what_was_never_measured_has_no_line)
{
	watch("[target one]\naddress = a\n");
	scrape_all();
	ck_assert_ptr_null(strstr(text, "\nechom_rtt_min_seconds{"));
	ck_assert_ptr_null(strstr(text, "\nechom_last_reply_timestamp_seconds{"));
	ck_assert_ptr_null(strstr(text, "direction="));
	ck_assert_ptr_null(strstr(text, "\nechom_flows_lossy{"));
	ck_assert_ptr_nonnull(strstr(text, "\nechom_up{target=\"one\",address=\"a:7\","));
}

/* The name of the metric that LINE is about, without what a histogram appends. */
static size_t name_length(const char *line)
{
	static const char *const parts[] = {"_bucket", "_sum", "_count"};
	size_t length = strcspn(line, "{ ");

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t part = strlen(parts[i]);

		if (length > part && memcmp(line + length - part, parts[i], part) == 0)
			return length - part;
	}
	return length;
}

TEST(a_family_is_in_one_group_behind_its_heading)
{
	const char *heading = "";
	unsigned samples = 0;

	watch(many_targets(300));
	scrape_all();
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			heading = line + 7;
		} else if (line[0] != '#') {
			ck_assert_msg(name_length(line) == strcspn(heading, " ") &&
					      memcmp(line, heading, name_length(line)) == 0,
				      "%s is not below its heading", line);
			samples += strncmp(line, "echom_up{", 9) == 0;
		}
	}
	ck_assert_uint_eq(samples, 300);
}

TEST(a_long_text_comes_in_pieces)
{
	struct scrape *scrape;

	watch(many_targets(300));
	scrape = scrape_new(watches, 0);
	ck_assert_uint_gt(write_all(scrape), 10);
	scrape_free(scrape);
}

TEST(one_that_is_given_up_releases_what_it_holds)
{
	struct scrape *scrape;
	struct bounded_text piece;

	watch(many_targets(100));
	scrape = scrape_new(watches, 0);
	bounded_text_begin(&piece, text, PIECE);
	ck_assert(scrape_write(scrape, &piece));
	watch(many_targets(1));
	bounded_text_begin(&piece, text, PIECE);
	ck_assert(scrape_write(scrape, &piece)); /* of those that are no longer watched */
	scrape_free(scrape);
	scrape_free(NULL);
}

/* So far that another list comes while it is copied. */
static struct scrape *scrape_in_part(size_t targets)
{
	struct scrape *scrape;
	struct bounded_text piece;

	watch(many_targets(targets));
	scrape = scrape_new(watches, 0);
	clock_step_ms = 5;
	bounded_text_begin(&piece, text, PIECE);
	ck_assert(scrape_write(scrape, &piece));
	ck_assert_uint_eq(piece.length, 0);
	clock_step_ms = 0;
	return scrape;
}

TEST_EACH(another_list_while_it_is_copied_begins_it_anew, 2)
{
	static const size_t counts[] = {200, 3};
	struct scrape *scrape = scrape_in_part(100);
	char last[32], next[32];

	watch(many_targets(counts[_i]));
	(void)write_all(scrape);
	scrape_free(scrape);
	(void)snprintf(last, sizeof(last), "echom_up{target=\"t%zu\"", counts[_i] - 1);
	(void)snprintf(next, sizeof(next), "echom_up{target=\"t%zu\"", counts[_i]);
	ck_assert_ptr_nonnull(strstr(text, last));
	ck_assert_ptr_null(strstr(text, next));
}

TEST(without_memory_for_another_list_nothing_is_written)
{
	struct scrape *scrape = scrape_in_part(100);
	struct bounded_text piece;
	bool more;

	watch(many_targets(200));
	bounded_text_begin(&piece, text, PIECE);
	fault_next(MEMORY, ENOMEM);
	more = scrape_write(scrape, &piece);
	ck_assert(fault_over());
	ck_assert(!more);
	ck_assert_uint_eq(piece.length, 0);
	scrape_free(scrape);
}

TEST(without_memory_there_is_none)
{
	watch(many_targets(1));
	for (unsigned skip = 0; skip < 2; skip++) {
		struct scrape *scrape;

		fault_after(skip, MEMORY, ENOMEM);
		scrape = scrape_new(watches, 0);
		ck_assert(fault_over());
		ck_assert_ptr_null(scrape);
		ck_assert_int_eq(fault_blocks(), 0);
	}
}
