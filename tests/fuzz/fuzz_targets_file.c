/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Any bytes as a file of targets. What is refused has a reason with a place in the file; what is
 * accepted reads back the same when it is written, group by group.
 */

#include "config.h"

#include "echom/config/file_sd.h"
#include "fuzz/fuzz.h"

static struct watchlist configured;

static bool read_set(struct target_set *set, const char *text, size_t length)
{
	struct reason reason;
	size_t line, column, count;
	int end = 0;

	FUZZ_CHECK(target_set_begin(set, &configured) == 0);
	if (file_sd_read(set, 0, text, length, &reason) == 0)
		return true;
	FUZZ_CHECK(sscanf(reason.text, "%zu:%zu: %n", &line, &column, &end) == 2 && end > 0);
	FUZZ_CHECK(line >= 1 && column >= 1 && reason.text[end] != '\0');
	count = 1;
	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	FUZZ_CHECK(line <= count && column <= length + 1);
	FUZZ_CHECK(!strpbrk(reason.text, "\n\r\033"));
	target_set_clear(set);
	return false;
}

static void write_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		FUZZ_CHECK((unsigned char)*text >= ' ');
		fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	}
	fputc('"', out);
}

static char *write_set(const struct target_set *set, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	FUZZ_CHECK(out);
	fputc('[', out);
	for (size_t i = 0; i < set->count; i++) {
		const struct labels *labels = &set->targets[i].labels;

		fprintf(out, "%s{\"labels\":{", i > 0 ? "," : "");
		for (size_t j = 0; j < labels->count; j++) {
			fputs(j > 0 ? "," : "", out);
			write_string(out, labels->items[j].name);
			fputc(':', out);
			write_string(out, labels->items[j].value);
		}
		fputs("},\"targets\":[", out);
		write_string(out, watch_name(&set->targets[i]));
		fputs("]}", out);
	}
	fputc(']', out);
	FUZZ_CHECK(fclose(out) == 0);
	return text;
}

static void check_same(const struct target_set *a, const struct target_set *b)
{
	FUZZ_CHECK(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct labels *first = &a->targets[i].labels;
		const struct labels *second = &b->targets[i].labels;

		FUZZ_CHECK(strcmp(watch_name(&a->targets[i]), watch_name(&b->targets[i])) == 0);
		FUZZ_CHECK(strcmp(watch_name(&a->targets[i]), a->targets[i].address) == 0);
		FUZZ_CHECK(first->count == second->count && first->count <= LABELS_MAX);
		for (size_t j = 0; j < first->count; j++) {
			FUZZ_CHECK(strcmp(first->items[j].name, second->items[j].name) == 0);
			FUZZ_CHECK(strcmp(first->items[j].value, second->items[j].value) == 0);
		}
	}
}

static void check_twins(const struct target_set *set)
{
	size_t earlier, later;
	int found = target_set_find_twins(set, &earlier, &later);

	FUZZ_CHECK(found >= 0);
	if (found) {
		FUZZ_CHECK(earlier < later && later < set->count);
		FUZZ_CHECK(strcmp(watch_name(&set->targets[earlier]),
				  watch_name(&set->targets[later])) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target_set set, again;
	size_t length;
	char *text;

	if (!read_set(&set, (const char *)data, size))
		return 0;
	check_twins(&set);
	text = write_set(&set, &length);
	FUZZ_CHECK(read_set(&again, text, length));
	check_same(&set, &again);
	target_set_clear(&again);
	target_set_clear(&set);
	free(text);
	return 0;
}
