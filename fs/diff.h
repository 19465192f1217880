/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between the files of two images, as docker diff tells it.
 *
 * Source: moby, pkg/archive/changes.go, addChanges.  A directory in which something differs is
 * changed, too (but not the root); of an added directory all is told, of a deleted one, or of one
 * that is no directory any more, nothing below it.  Stricter than docker, which takes size and
 * mtime for the content: content is compared.  Laxer: an mtime counts only when asked for, because
 * two builds of the same files differ in nothing else.  Which names are hardlinks of which is not
 * compared.
 *
 * Changes come in the order of their paths' bytes, each as soon as it is known.  Memory does not
 * grow with the number of files, nor with that of the changes.
 *
 * Threads: one, which owns both views.
 */
#ifndef FS_DIFF_H
#define FS_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "fs/view.h"

enum diff_kind { DIFF_ADDED, DIFF_CHANGED, DIFF_DELETED };

/* What differs: bits.  None of them: only something below a directory. */
enum diff_what {
	DIFF_TYPE = 1,    /* a file became a directory, ...: content is not compared then */
	DIFF_CONTENT = 2, /* of a file; the target of a link; the number of a device */
	DIFF_MODE = 4,    /* permission bits; those of links mean nothing */
	DIFF_OWNER = 8,   /* user or group */
	DIFF_XATTRS = 16,
	DIFF_MTIME = 32,
	DIFF_WHAT_END = 64, /* above the last of them */
};

struct diff_change {
	enum diff_kind kind;
	unsigned what;    /* of DIFF_CHANGED */
	const char *path; /* from the root, with "/" in front; no NUL behind it */
	size_t path_len;
	uint32_t old_mode, new_mode; /* as stat(2); 0: not there */
	/* Bytes of a file, as stat(2); of a directory that is gone those of all files below, by
	 * each of their names, with diff_options.has_sums; else 0.  At most INT64_MAX. */
	uint64_t old_size, new_size;
};

/* One of the two images. */
struct diff_side {
	struct view *view;
	const char *name; /* for messages */
};

struct diff_options {
	bool has_times; /* an mtime that differs is a change */
	bool has_sums;
	struct progress *progress; /* counts the bytes that are compared by reading; may be NULL */
};

/*
 * Calls `each` for every change from `old` to `new` at or below `path` (followed in each image, its
 * last component only when it ends in "/").  ERR_NOT_FOUND when neither image has it; ERR_DIGEST
 * and others of view.h; whatever `each` fails with.
 */
int diff_images(const struct diff_side *old, const struct diff_side *new, const char *path,
		const struct diff_options *opt,
		int (*each)(void *ctx, const struct diff_change *c, struct err *e), void *ctx,
		struct err *e);

#endif
