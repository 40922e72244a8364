/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The table of settings: what must hold for every row, as all code that walks it relies on it. */

#include "config.h"

#include "echod/config/settings.h"

#include "daemon/settings/values.h"
#include "unit/config_text.h"

TEST(every_row_is_complete)
{
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];

		ck_assert_ptr_eq(schema_find(&config_schema, setting->key), setting);
		ck_assert_uint_ne(setting->sections, 0);
		ck_assert_uint_le(setting->min, setting->max);
		ck_assert_ptr_nonnull(setting->type->parse);
		ck_assert_ptr_nonnull(setting->type->format);
		ck_assert_uint_gt(setting->type->size, 0);
		/* What is kept elsewhere than with the others could not be copied between them. */
		ck_assert(setting->sections == IN_SERVER || !(setting->sections & IN_SERVER));
		ck_assert(!setting->restart || setting->sections == IN_SERVER);
		ck_assert(!setting->required || setting->default_text[0] == '\0');
	}
	ck_assert_ptr_null(schema_find(&config_schema, "nonesuch"));
	ck_assert_ptr_null(schema_find(&config_schema, ""));
}

TEST(every_default_is_a_value_that_is_allowed)
{
	struct config *config = load_good("");

	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];
		const void *section = setting->sections & IN_SERVER ? (void *)&config->server
								    : (void *)&config->defaults;
		const void *value = setting_value_const(setting, section);
		char text[VALUE_TEXT_MAX], whole[VALUE_TEXT_MAX * 2] = "";
		size_t used = 0;

		for (size_t item = 0; setting->type->format(setting, value, item, text); item++)
			used += (size_t)snprintf(whole + used, sizeof(whole) - used, "%s%s",
						 item > 0 ? " " : "", text);
		ck_assert_str_eq(whole, setting->default_text);
	}
	config_release(config);
}

TEST(only_lists_that_add_up_may_be_repeated)
{
	for (size_t i = 0; i < setting_count; i++) {
		const char *key = settings[i].key;
		bool repeatable = strcmp(key, "address") == 0 || strcmp(key, "allow") == 0 ||
				  strcmp(key, "deny") == 0 || strcmp(key, "proxy_from") == 0;

		ck_assert_int_eq(settings[i].type->repeatable, repeatable);
		ck_assert(!repeatable || settings[i].type->list);
	}
}

TEST(values_differ_when_their_texts_do)
{
	static const char *const files[] = {
		"[defaults]\nallow = ::1\n",	  "[defaults]\nallow = ::2\n",
		"[defaults]\nallow = ::1 ::2\n",  "[defaults]\ndeny = ::1\n",
		"[defaults]\nprefix = a\n",	  "[defaults]\nreply_once = yes\n",
		"[defaults]\nidle_timeout = 3\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(files); j++) {
			struct config *a = load_good(files[i]), *b = load_good(files[j]);
			bool same = true;

			for (size_t k = 0; k < setting_count; k++) {
				if (settings[k].sections & IN_DEFAULTS)
					same = same && setting_equal(&settings[k], &a->defaults,
								     &b->defaults);
			}
			ck_assert_int_eq(same, i == j);
			config_release(a);
			config_release(b);
		}
	}
}

TEST(names_have_1_to_32_plain_characters)
{
	ck_assert(is_name("a"));
	ck_assert(is_name("AZaz09._-"));
	ck_assert(is_name("12345678901234567890123456789012"));
	ck_assert(!is_name("123456789012345678901234567890123"));
	ck_assert(!is_name(""));
	ck_assert(!is_name("a b"));
	ck_assert(!is_name("a:b"));
	ck_assert(!is_name("\xc3\xa9"));
}
