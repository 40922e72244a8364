/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See scrape.h. To add a metric of each target, add a row to `families`, and its value to counts or
 * watch_state.
 */

#include "config.h"

#include "echom/status/scrape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "echom/status/process_metrics.h"
#include "echom/watching/watches.h"

#define SLICE (2 * NS_PER_MS)
#define ENTRIES_BETWEEN_LOOKS 16 /* at the clock */
#define ROOM_FOR_ENTRY 16384	 /* a histogram, or 16 labels all of whose letters are escaped */

/* A copy of what the metrics of one target are. */
struct entry {
	struct label_text *labels; /* held */
	const struct watch_settings *settings;
	struct counts counts;
	struct watch_state state;
};

struct scrape {
	const struct watches *watches; /* not owned */
	uint64_t started_at;
	struct watchlist *list; /* held, for the settings; NULL until copying begins */
	uint64_t generation;
	struct entry *entries;
	size_t room;
	size_t copied;
	size_t count; /* of entries, when all are copied */
	size_t family;
	size_t next; /* the entry to write next, or to copy */
};

enum unit { UNIT_NUMBER, UNIT_NS, UNIT_NS_OR_NONE /* no line if it is 0 */ };

struct family {
	const char *name;
	const char *type;
	const char *help;
	size_t offset; /* of a uint64_t in an entry */
	enum unit unit;
	void (*write)(const struct family *family, const struct entry *entry,
		      struct bounded_text *text);
};

/* Nanoseconds as seconds. */
static void write_seconds(struct bounded_text *text, uint64_t ns)
{
	bounded_text_add(text, "%" PRIu64 ".%09u\n", ns / NS_PER_S, (unsigned)(ns % NS_PER_S));
}

static void write_value(const struct family *family, const struct entry *entry,
			struct bounded_text *text)
{
	const uint64_t value = *(const uint64_t *)((const char *)entry + family->offset);

	if (family->unit == UNIT_NS_OR_NONE && value == 0)
		return;
	bounded_text_add(text, "%s{%s} ", family->name, entry->labels->bytes);
	if (family->unit == UNIT_NUMBER)
		bounded_text_add(text, "%" PRIu64 "\n", value);
	else
		write_seconds(text, value);
}

/* Made once: to write a floating-point number takes longer than the rest of the line. */
static const char *bound_text(size_t index)
{
	static char texts[RTT_BOUNDS][24];

	if (texts[index][0] == '\0')
		(void)snprintf(texts[index], sizeof(texts[index]), "%.12g",
			       (double)rtt_bound(index) / (double)NS_PER_S);
	return texts[index];
}

static void write_rtt(const struct family *family, const struct entry *entry,
		      struct bounded_text *text)
{
	const char *labels = entry->labels->bytes;
	uint64_t sum = 0;

	for (size_t i = 0; i < RTT_BOUNDS; i++) {
		sum += entry->counts.rtt[i];
		bounded_text_add(text, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n", family->name,
				 labels, bound_text(i), sum);
	}
	sum += entry->counts.rtt[RTT_BOUNDS];
	bounded_text_add(text, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n%s_sum{%s} ", family->name,
			 labels, sum, family->name, labels);
	write_seconds(text, entry->counts.rtt_sum);
	bounded_text_add(text, "%s_count{%s} %" PRIu64 "\n", family->name, labels, sum);
}

/* What is not known has no line. */
static void write_known(const struct family *family, const struct entry *entry,
			struct bounded_text *text)
{
	const int64_t value = *(const int64_t *)((const char *)entry + family->offset);

	if (value != STATE_UNKNOWN)
		bounded_text_add(text, "%s{%s} %" PRId64 "\n", family->name, entry->labels->bytes,
				 value);
}

static void write_ways(const struct family *family, const struct entry *entry,
		       struct bounded_text *text)
{
	static const char *const names[WAYS] = {[WAY_THERE] = "there", [WAY_BACK] = "back"};
	const int64_t *values = (const int64_t *)((const char *)entry + family->offset);

	for (enum way way = WAY_THERE; way < WAYS; way++) {
		if (values[way] != STATE_UNKNOWN)
			bounded_text_add(text, "%s{%s,direction=\"%s\"} %" PRId64 "\n",
					 family->name, entry->labels->bytes, names[way],
					 values[way]);
	}
}

static void write_info(const struct family *family, const struct entry *entry,
		       struct bounded_text *text)
{
	bounded_text_add(text, "%s{%s", family->name, entry->labels->bytes);
	labels_write(&entry->settings->labels, text);
	bounded_text_add(text, "} 1\n");
}

#define COUNT(field) "counter", .offset = offsetof(struct entry, counts.field)
#define STATE(field) .offset = offsetof(struct entry, state.field)

/* clang-format off */
static const struct family families[] = {
	{"echom_probes_sent_total", COUNT(sent),
	 .help = "Probes that were due: received, lost or outstanding."},
	{"echom_probes_received_total", COUNT(received),
	 .help = "Probes whose first reply came within the timeout, intact or not."},
	{"echom_probes_lost_total", COUNT(lost),
	 .help = "Probes without a reply within the timeout."},
	{"echom_probes_outstanding", "gauge", STATE(outstanding),
	 .help = "Probes whose timeout has not passed."},
	{"echom_probes_duplicates_total", COUNT(duplicates),
	 .help = "Further replies to probes that had one."},
	{"echom_probes_late_total", COUNT(late),
	 .help = "Lost probes whose reply came after the timeout."},
	{"echom_probes_out_of_order_total", COUNT(out_of_order),
	 .help = "Received probes that were sent before one received earlier."},
	{"echom_probes_corrupt_total", COUNT(corrupt),
	 .help = "Received probes that came back altered."},
	{"echom_probes_truncated_total", COUNT(truncated),
	 .help = "Received probes that came back in part."},
	{"echom_reconnects_total", COUNT(reconnects),
	 .help = "TCP connections re-established."},
	{"echom_resolve_failures_total", COUNT(resolve_failures),
	 .help = "Lookups of the target's name that failed; the last address stays in use."},
	{"echom_rtt_seconds", "histogram", .write = write_rtt,
	 .help = "Round-trip times of received probes."},
	{"echom_jitter_seconds", "gauge", STATE(jitter), .unit = UNIT_NS,
	 .help = "Interarrival jitter (RFC 3550)."},
	{"echom_rtt_min_seconds", "gauge", .offset = offsetof(struct entry, counts.rtt_min),
	 .unit = UNIT_NS_OR_NONE, .help = "The shortest round trip since the start."},
	{"echom_up", "gauge", STATE(up),
	 .help = "1 from a reply in time until two probes in a row are lost."},
	{"echom_outages_total", "counter", STATE(outages),
	 .help = "Outages: at least two probes lost in a row."},
	{"echom_outage_seconds_total", "counter", STATE(outage_sum), .unit = UNIT_NS,
	 .help = "How long they lasted in all, from the first probe lost."},
	{"echom_outage_longest_seconds", "gauge", STATE(outage_longest), .unit = UNIT_NS,
	 .help = "The longest one, and the one that lasts."},
	{"echom_last_reply_timestamp_seconds", "gauge", STATE(replied_at),
	 .unit = UNIT_NS_OR_NONE, .help = "When the latest reply in time came."},
	{"echom_lost_direction_total", "counter", STATE(lost_on), .write = write_ways,
	 .help = "Lost probes by the way that lost them, as far as the reflector's counts tell."},
	{"echom_hops", "gauge", STATE(hops), .write = write_ways,
	 .help = "Routers on the way, as of the latest reply."},
	{"echom_dscp_changed", "gauge", STATE(dscp_changed), .write = write_ways,
	 .help = "1 if the latest packet arrived with another DSCP than it was sent with."},
	{"echom_flows_lossy", "gauge", STATE(flows_lossy), .write = write_known,
	 .help = "Source ports that lately lost more than the others."},
	{"echom_target_info", "gauge", .write = write_info,
	 .help = "The target's own labels; always 1."},
};
/* clang-format on */

static void forget(struct scrape *scrape)
{
	for (size_t i = 0; i < scrape->copied; i++)
		label_text_release(scrape->entries[i].labels);
	scrape->copied = 0;
	watchlist_release(scrape->list);
	scrape->list = NULL;
}

/* Begins anew: at first, and when there is another list. False without memory. */
static bool begin(struct scrape *scrape)
{
	const struct watches *watches = scrape->watches;

	forget(scrape);
	if (scrape->room < watches->count) {
		struct entry *grown = reallocarray(scrape->entries, watches->count, sizeof(*grown));

		if (!grown)
			return false;
		scrape->entries = grown;
		scrape->room = watches->count;
	}
	scrape->generation = watches->generation;
	if (watches->count > 0)
		scrape->list = watchlist_hold(watches->items[0]->list);
	return true;
}

struct scrape *scrape_new(const struct watches *watches, uint64_t started_at)
{
	struct scrape *scrape = calloc(1, sizeof(*scrape));

	if (!scrape)
		return NULL;
	scrape->watches = watches;
	scrape->started_at = started_at;
	if (begin(scrape))
		return scrape;
	scrape_free(scrape);
	return NULL;
}

void scrape_free(struct scrape *scrape)
{
	if (!scrape)
		return;
	forget(scrape);
	free(scrape->entries);
	free(scrape);
}

/* Its labels are held. */
static struct entry copy_of(const struct watch *watch)
{
	return (struct entry){.labels = label_text_hold(watch->labels),
			      .settings = watch->settings,
			      .counts = watch->counts,
			      .state = watch_state(watch)};
}

static void copy_one(struct scrape *scrape)
{
	const struct watch *watch = scrape->watches->items[scrape->copied];

	scrape->entries[scrape->copied++] = copy_of(watch);
}

static bool slice_is_over(uint64_t began)
{
	return clock_ns() - began >= SLICE;
}

/* True when all are copied. */
static bool copy_some(struct scrape *scrape, uint64_t began)
{
	while (scrape->copied < scrape->watches->count) {
		copy_one(scrape);
		if (scrape->copied % ENTRIES_BETWEEN_LOOKS == 0 && slice_is_over(began))
			return false;
	}
	scrape->count = scrape->copied;
	return true;
}

static void write_heading(const struct family *family, struct bounded_text *text)
{
	bounded_text_add(text, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
			 family->name, family->type);
}

static void write_entry(const struct family *family, const struct entry *entry,
			struct bounded_text *text)
{
	(family->write ? family->write : write_value)(family, entry, text);
}

/* The heading first. False: the text or the time is used up before its end. */
static bool write_family(struct scrape *scrape, struct bounded_text *text, uint64_t began)
{
	const struct family *family = &families[scrape->family];

	if (bounded_text_room(text) < ROOM_FOR_ENTRY)
		return false;
	if (scrape->next == 0)
		write_heading(family, text);
	while (scrape->next < scrape->count) {
		const struct entry *entry = &scrape->entries[scrape->next];

		if (bounded_text_room(text) < ROOM_FOR_ENTRY)
			return false;
		write_entry(family, entry, text);
		if (++scrape->next % ENTRIES_BETWEEN_LOOKS == 0 && slice_is_over(began))
			return false;
	}
	return true;
}

bool scrape_write(struct scrape *scrape, struct bounded_text *text)
{
	const struct watches *watches = scrape->watches;
	uint64_t began = clock_ns();

	if (scrape->count == 0 && watches->count > 0) {
		if (scrape->generation != watches->generation && !begin(scrape))
			return false;
		if (!copy_some(scrape, began))
			return true;
	}
	if (scrape->family == 0 && scrape->next == 0)
		process_metrics_write(&watches->shared, scrape->started_at, text);
	while (scrape->family < ARRAY_SIZE(families)) {
		if (!write_family(scrape, text, began))
			return true;
		scrape->family++;
		scrape->next = 0;
	}
	return false;
}

void scrape_write_watch(const struct watch *watch, struct bounded_text *text)
{
	const struct entry entry = copy_of(watch);

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		write_heading(&families[i], text);
		write_entry(&families[i], &entry, text);
	}
	label_text_release(entry.labels);
}
