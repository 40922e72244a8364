/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Drawing with characters. Owns nothing; the reports and the live line call it.
 */

#include "config.h"

#include "echoc/say/terminal.h"

#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

unsigned terminal_columns(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

bool terminal_is(FILE *out)
{
	return isatty(fileno(out)) == 1;
}

bool terminal_is_unicode(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* U+2588 is the full block, U+258F an eighth of it: three bytes each in UTF-8. */
static char *put_block(char *at, unsigned eighths)
{
	*at++ = (char)0xe2;
	*at++ = (char)0x96;
	*at++ = (char)(0x90 - (int)eighths);
	return at;
}

const char *terminal_bar(double part, unsigned columns, bool unicode, bool padded,
			 char text[static BAR_TEXT_MAX])
{
	unsigned used = 0;
	unsigned eighths;
	char *at = text;

	if (columns > BAR_COLUMNS_MAX)
		columns = BAR_COLUMNS_MAX;
	part = part < 0 || !isfinite(part) ? 0 : part > 1 ? 1 : part;
	eighths = (unsigned)lround(part * columns * 8);
	if (eighths == 0 && part > 0)
		eighths = 1; /* something is not nothing */
	if (!unicode)
		eighths = (eighths + 7) / 8 * 8;
	for (; eighths >= 8; eighths -= 8, used++) {
		if (unicode)
			at = put_block(at, 8);
		else
			*at++ = '#';
	}
	if (eighths > 0) {
		at = put_block(at, eighths);
		used++;
	}
	while (padded && used++ < columns)
		*at++ = ' ';
	*at = '\0';
	return text;
}

const char *number_text(uint64_t number, char text[static NUMBER_TEXT_MAX])
{
	char plain[NUMBER_TEXT_MAX / 2];
	int length = snprintf(plain, sizeof(plain), "%" PRIu64, number);
	char *at = text;

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*at++ = ',';
		*at++ = plain[i];
	}
	*at = '\0';
	return text;
}

const char *duration_text(double ns, char text[static NUMBER_TEXT_MAX])
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	unsigned unit = 0;

	if (!isfinite(ns)) {
		snprintf(text, NUMBER_TEXT_MAX, "-");
		return text;
	}
	while (ns >= 999.5 && unit < 3) {
		ns /= 1000.0;
		unit++;
	}
	snprintf(text, NUMBER_TEXT_MAX, "%.*f %s",
		 ns < 9.995   ? 2
		 : ns < 99.95 ? 1
			      : 0,
		 ns, units[unit]);
	return text;
}

const char *ms_text(double ns, char text[static NUMBER_TEXT_MAX])
{
	if (isfinite(ns))
		snprintf(text, NUMBER_TEXT_MAX, "%.3f", ns / 1e6);
	else
		snprintf(text, NUMBER_TEXT_MAX, "-");
	return text;
}
