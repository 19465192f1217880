/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a file or a tree from a source (an image, a directory of the host) into a directory.
 *
 * Names from the source are single components, created in directories that this module made or that
 * the caller named; below these links are never followed, and existing files are replaced, not
 * written through.  A file appears under its name only when it is whole.  Where the destination is
 * belongs to copy_dest.h.
 *
 * Stops when base/interrupt.h has noted a signal: with what was copied until then, and nothing half
 * done.
 */
#ifndef FS_COPY_H
#define FS_COPY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/xattr.h"

struct copy_options {
	/* Owners, devices, times, xattrs, setuid bits, hardlinks as in the source; needs root.
	 * Else: permission bits, times, links; devices and FIFOs are skipped with a warning. */
	bool is_archive;
	/* The destination is what an image is to be made of: without is_archive all belongs to
	 * root, names that no image can hold are refused (ERR_FORMAT), and what else is mounted
	 * there is not entered (ERR_EXISTS).  Else files belong to the user. */
	bool is_for_image;
	struct progress *progress;
};

/* Bytes of a file that lie together. */
struct copy_span {
	const void *bytes; /* NULL: a hole */
	size_t len;        /* 0: the end of the file */
};

/*
 * Where a copy comes from, as the first member of what that needs.  It is always at one file, by
 * `name` and `st`: first at the one that is to be copied.  Each function is 0 or -1 where nothing
 * else is said, and about that file.
 */
struct copy_source {
	const struct copy_source_ops *ops;
	/* st_dev and st_ino tell what are names of one file. */
	struct stat st;
	char name[LIMIT_NAME + 1]; /* bytes */
	size_t name_len;
};

struct copy_source_ops {
	/* Goes into the directory. */
	int (*enter)(struct copy_source *s, struct err *e);
	/* To the next name of the directory that was entered last: 1, or 0: there are no more. */
	int (*next)(struct copy_source *s, struct err *e);
	/* Fills in `st`, after `next`. */
	int (*look)(struct copy_source *s, struct err *e);
	/* To that directory itself, and what it is. */
	int (*self)(struct copy_source *s, struct err *e);
	/* Out of that directory; no file until the next call of `next` or `self`. */
	int (*leave)(struct copy_source *s, struct err *e);
	/* Begins with the content of a regular file, and ends with it. */
	int (*open)(struct copy_source *s, struct err *e);
	void (*close)(struct copy_source *s);
	/* The content from `at` on, borrowed until the next call. */
	int (*span)(struct copy_source *s, uint64_t at, struct copy_span *out, struct err *e);
	/* With a NUL behind it. */
	int (*read_link)(struct copy_source *s, char target[static LIMIT_SYMLINK + 1],
			 struct err *e);
	/* An extended attribute, its name with a NUL behind it, and then the next: 1, or 0: there
	 * are no more.  Borrowed until the next call. */
	int (*xattr)(struct copy_source *s, bool is_first, struct xattr *out, struct err *e);
};

/*
 * Copies what `s` is at into the directory `base`, as `name`; NULL: the content of a directory.
 * ERR_EXISTS for a directory over a file, and what is not replaced; as the source; ERR_SYS,
 * ERR_LIMIT, ERR_NOMEM.  Messages name the file by its path from `base`.
 */
int copy_tree(struct copy_source *s, int base, const char *name, const struct copy_options *opt,
	      struct err *e);

#endif
