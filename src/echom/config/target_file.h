/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One file of targets: whether it has changed, and its text in force. A file that is missing,
 * unreadable or wrong leaves that as it is; each fault is reported once. Owns its texts; called by
 * target_files.c, which knows what they mean.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "daemon/settings/findings.h"

enum file_state { FILE_GOOD, FILE_MISSING, FILE_BAD };

/* By which a change is noticed. All zeros: there is no file. */
struct file_mark {
	dev_t device;
	ino_t inode;
	off_t size;
	uint64_t modified, changed;
};

struct file_text {
	char *bytes; /* NULL: none */
	size_t length;
};

struct target_file {
	char *path;
	enum file_state state;
	struct file_mark mark; /* when it was last read */
	bool again;	       /* read it even if that is the same */
	struct file_text in_force;
	struct file_text next; /* read, and not yet in force */
	size_t count;	       /* of its targets */
	struct reason why;     /* it is not good, as last reported */
};

/* EARLIER, which may be NULL, is the same one, whose text is in force. -1 without memory. */
int target_file_begin(struct target_file *file, const char *path,
		      const struct target_file *earlier) WARN_UNUSED;
void target_file_clear(struct target_file *file);

bool target_file_has_changed(const struct target_file *file);

/* If it is readable, and says something else than what is in force, that is the next text. */
void target_file_read(struct target_file *file, report_finding *report);

/* The next text or, without one, that in force; it may have no bytes. */
const struct file_text *target_file_text(const struct target_file *file);

/* That text is wrong. WHY begins with its place in the file. */
void target_file_refuse(struct target_file *file, const char *why, report_finding *report);

/* The next text is in force; REPORT, which may be NULL, hears of it. */
void target_file_settle(struct target_file *file, report_finding *report);
