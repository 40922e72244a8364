/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See listeners.h. Uses the open sockets and the table of settings, so that new settings are shown
 * automatically.
 */

#include "config.h"

#include "echod/status/listeners.h"

#include <string.h>

#include "daemon/http/html.h"
#include "echod/config/settings.h"

/* The number of items shown of a long list. */
#define ITEMS_SHOWN 8

/* The maximum size of a listener on the page. */
#define LISTENER_MAX (16 * 1024)
#define ADDRESSES_SHOWN 16

/* With more listeners, the list is closed until someone opens it. */
#define LISTENERS_OPEN 8

/* Whether it has the value of DEFAULTS, a section of the same kind; NULL: the built-in one. */
static bool is_default(const struct setting *setting, const void *section, const void *defaults)
{
	const void *value = setting_value_const(setting, section);
	char text[VALUE_TEXT_MAX];

	if (defaults)
		return setting_equal(setting, section, defaults);
	if (!setting->type->format(setting, value, 0, text))
		text[0] = '\0';
	return strcmp(text, setting->default_text) == 0;
}

/* A setting with its key. */
static void add_setting(struct bounded_text *page, const struct setting *setting,
			const void *section)
{
	const void *value = setting_value_const(setting, section);
	char text[VALUE_TEXT_MAX];
	size_t items = 0;

	bounded_text_add(page, "<div><dt>%s =</dt><dd>", setting->key);
	for (; setting->type->format(setting, value, items, text); items++) {
		if (items >= ITEMS_SHOWN)
			continue;
		bounded_text_add(page, "%s", items > 0 ? " " : "");
		html_text(page, text);
	}
	if (items == 0)
		bounded_text_add(page, "none");
	if (items > ITEMS_SHOWN)
		bounded_text_add(page, " and %zu more", items - ITEMS_SHOWN);
	bounded_text_add(page, "</dd></div>");
}

static bool is_shown(const struct setting *setting, unsigned sections, unsigned concerns)
{
	return (setting->sections & sections) != 0 &&
	       (setting->applies_to == APPLIES_TO_ALL || (setting->applies_to & concerns) != 0);
}

/*
 * Those settings allowed in SECTIONS that concern it and differ from DEFAULTS; see is_default().
 * A TITLE stands above them. Returns how many there are.
 */
static size_t add_settings(struct bounded_text *page, const char *title, unsigned sections,
			   unsigned concerns, const void *section, const void *defaults)
{
	size_t shown = 0;

	for (size_t i = 0; i < setting_count; i++) {
		if (!is_shown(&settings[i], sections, concerns) ||
		    is_default(&settings[i], section, defaults))
			continue;
		if (shown++ == 0)
			bounded_text_add(page, "%s<dl>", title);
		add_setting(page, &settings[i], section);
	}
	if (shown > 0)
		bounded_text_add(page, "</dl>\n");
	return shown;
}

static unsigned concerns_of(enum socket_kind kind)
{
	switch (kind) {
	case SOCKET_TCP:
		return APPLIES_TO_IP | APPLIES_TO_TCP | APPLIES_TO_TCP_ADDRESSES;
	case SOCKET_UDP:
		return APPLIES_TO_IP | APPLIES_TO_UDP;
	case SOCKET_UNIX:
		return APPLIES_TO_TCP;
	default:
		return 0;
	}
}

static bool same_listener(const struct binding *a, const struct binding *b)
{
	return strcmp(a->listener, b->listener) == 0;
}

/* All addresses of the listener whose first one is number FIRST; returns what they serve. */
static unsigned add_addresses(struct bounded_text *page, const struct socket_table *table,
			      size_t first)
{
	const struct binding *bindings = table->bindings;
	char text[ADDRESS_TEXT_MAX];
	unsigned concerns = 0;
	size_t count = 0;

	bounded_text_add(page, "<ul>");
	for (size_t i = first; i < table->count; i++) {
		if (!same_listener(&bindings[i], &bindings[first]) || bindings[i].socket_count == 0)
			continue;
		concerns |= concerns_of(bindings[i].kind);
		if (count++ >= ADDRESSES_SHOWN)
			continue;
		bounded_text_add(page, "<li><b>%s</b> ", socket_kind_names[bindings[i].kind]);
		html_text(page, address_format(&bindings[i].address, text));
		bounded_text_add(page, "</li>");
	}
	if (count > ADDRESSES_SHOWN)
		bounded_text_add(page, "<li>and %zu more</li>", count - ADDRESSES_SHOWN);
	bounded_text_add(page, "</ul>");
	return concerns;
}

static void add_listener(struct bounded_text *page, const struct config *config,
			 const struct socket_table *table, size_t first)
{
	const char *name = table->bindings[first].listener;
	const struct listener_config *settings_of = config_listener(config, name);
	unsigned concerns;

	bounded_text_add(page, "<article><h3>");
	html_text(page, name);
	bounded_text_add(page, "</h3>");
	concerns = add_addresses(page, table, first);
	if (!settings_of)
		settings_of = &config->defaults;
	/* Settings not allowed in [defaults] are about addresses, which are already shown. */
	add_settings(page, "", IN_DEFAULTS, concerns | mode_applies_to(settings_of->mode),
		     settings_of, &config->defaults);
	bounded_text_add(page, "</article>\n");
}

static bool is_first(const struct socket_table *table, size_t index)
{
	const struct binding *bindings = table->bindings;

	if (bindings[index].socket_count == 0)
		return false;
	for (size_t i = 0; i < index; i++) {
		if (bindings[i].socket_count > 0 && same_listener(&bindings[i], &bindings[index]))
			return false;
	}
	return true;
}

static size_t count_listeners(const struct socket_table *table)
{
	size_t count = 0;

	for (size_t i = 0; i < table->count; i++)
		count += is_first(table, i);
	return count;
}

static void add_listeners(struct bounded_text *page, const struct config *config,
			  const struct socket_table *table, size_t keep)
{
	size_t shown = 0;

	for (size_t i = 0; i < table->count; i++) {
		if (!is_first(table, i))
			continue;
		if (bounded_text_room(page) < LISTENER_MAX + keep) {
			bounded_text_add(page, "<p>Only the first %zu are shown.</p>\n", shown);
			return;
		}
		add_listener(page, config, table, i);
		shown++;
	}
}

void status_listeners_write(struct bounded_text *page, const struct config *config,
			    const struct socket_table *table, size_t keep)
{
	size_t count = count_listeners(table);

	if (count == 0) {
		bounded_text_add(page, "<p>Nothing is served any more.</p>\n");
		return;
	}
	bounded_text_add(page, "<details class=card%s><summary>%zu listener%s</summary>\n",
			 count <= LISTENERS_OPEN ? " open" : "", count, count == 1 ? "" : "s");
	add_listeners(page, config, table, keep);
	bounded_text_add(page, "</details>\n");
}

void status_settings_write(struct bounded_text *page, const struct config *config)
{
	size_t shown;

	bounded_text_add(page, "<div class=card>");
	shown = add_settings(page, "<h3>[server]</h3>", IN_SERVER, 0, &config->server, NULL);
	shown += add_settings(page, "<h3>[defaults]</h3>", IN_DEFAULTS, ~0U, &config->defaults,
			      NULL);
	bounded_text_add(page, "%s</div>\n", shown == 0 ? "All at their defaults." : "");
}
