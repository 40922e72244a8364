/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The file and the manual that describe the settings name each of them once, with the default that
 * the table has. The lines that are looked for:
 *   etc/echod.conf    "#KEY = DEFAULT"; without a default, "#KEY = " and any example; a key that is
 *                     required stands there uncommented.
 *   man/echod.conf.5  ".It Ic KEY = DEFAULT"; without a default ".It Ic KEY = Ar ...".
 */

#include "config.h"

#include "echod/config/settings.h"
#include "unit/config_text.h"

struct document {
	size_t count;
	char lines[2000][256];
};

static struct document document;

static void read_document(const char *name)
{
	const char *top = getenv("TOP_SRCDIR");
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "cannot open %s", path);
	for (document.count = 0; document.count < ARRAY_SIZE(document.lines); document.count++) {
		char *line = document.lines[document.count];

		if (!fgets(line, sizeof(document.lines[0]), file))
			break;
		line[strcspn(line, "\n")] = '\0';
	}
	(void)fclose(file);
}

/* How many lines are LINE, or begin with it when WHOLE is false. */
static unsigned count_lines(const char *wanted, bool whole)
{
	unsigned found = 0;

	for (size_t i = 0; i < document.count; i++) {
		const char *line = document.lines[i];

		found += whole ? strcmp(line, wanted) == 0
			       : strncmp(line, wanted, strlen(wanted)) == 0;
	}
	return found;
}

/* That of `sandbox` can be chosen when echod is built. */
static const char *documented_default(const struct setting *setting)
{
	return strcmp(setting->key, "sandbox") == 0 ? "auto" : setting->default_text;
}

TEST(the_shipped_file_has_every_key_at_its_default)
{
	char wanted[128];

	read_document("etc/echod.conf");
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];

		(void)snprintf(wanted, sizeof(wanted), "%s%s = %s", setting->required ? "" : "#",
			       setting->key, documented_default(setting));
		ck_assert_msg(count_lines(wanted, setting->default_text[0] != '\0') == 1,
			      "etc/echod.conf: no line, or more than one, \"%s\"", wanted);
	}
}

TEST(the_shipped_file_has_no_other_key)
{
	char key[64];

	read_document("etc/echod.conf");
	for (size_t i = 0; i < document.count; i++) {
		const char *line = document.lines[i];

		/* Examples have no blank behind the #, sentences do. */
		if (sscanf(line, "#%63[a-z_] = ", key) == 1 && strstr(line, " = "))
			ck_assert_msg(schema_find(&config_schema, key) != NULL,
				      "etc/echod.conf: %s", line);
	}
}

/*
 * The shipped file as it stands, or with its examples in force, but for that of a file of its own:
 * there is none.
 */
static char *shipped_file(bool with_examples)
{
	char key[64], *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	read_document("etc/echod.conf");
	for (size_t i = 0; i < document.count; i++) {
		const char *line = document.lines[i];
		bool example = with_examples && sscanf(line, "#%63[a-z_] = ", key) == 1 &&
			       strcmp(key, "stamp_key") != 0;

		fprintf(out, "%s\n", example ? line + 1 : line);
	}
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

TEST(the_shipped_file_changes_nothing)
{
	char *text = shipped_file(false);
	struct config *config = load_good(text), *nothing = load_good("");
	char *dump = dump_text(config), *default_dump = dump_text(nothing);

	ck_assert_str_eq(dump, default_dump);
	config_release(config);
	config_release(nothing);
	free(text);
	free(dump);
	free(default_dump);
}

/* All but those for another mode than the one that the file has. */
TEST(the_examples_in_the_shipped_file_are_taken)
{
	char *text = shipped_file(true);
	struct config *config = load_text(text);
	unsigned others = 0;

	for (const char *at = said.lines; (at = strstr(at, " has no mode ")) != NULL; at++)
		others++;
	ck_assert_msg(config != NULL && said.warnings == others, "%s", said.lines);
	config_release(config);
	free(text);
}

TEST(the_manual_has_every_key_with_its_default)
{
	char wanted[128];

	read_document("man/echod.conf.5");
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];
		bool whole = setting->default_text[0] != '\0';

		(void)snprintf(wanted, sizeof(wanted), ".It Ic %s = %s", setting->key,
			       whole ? documented_default(setting) : "Ar");
		ck_assert_msg(count_lines(wanted, whole) == 1,
			      "man/echod.conf.5: no line, or more than one, \"%s\"", wanted);
	}
}
