/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The build context: a directory that is never left.
 *
 * Paths are relative to its root, clean, without a leading "/".  Every file is opened by openat2(2)
 * beneath the root; a link that leads out is an error, FIFOs, sockets and devices are refused and
 * never opened.
 */
#ifndef PACKER_CONTEXT_H
#define PACKER_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/stamp.h"
#include "base/str.h"
#include "base/strlist.h"
#include "manifests/ignore.h"

struct context;

/* Opens the directory. */
struct context *context_open(const char *path, struct err *e);
void context_close(struct context *c);
SCOPE_DEFINE(context, struct context *, context_close)

/*
 * From now on the names that a walk by names reads are kept, and the next context_walk of the same
 * directory takes them where it has not changed.  For a caller who walks all directories twice, in
 * one order: what is not walked again is kept until context_close.  Once.
 */
int context_remember(struct context *c, struct err *e);

/* The device that its root is on, and the type of that file system (statfs); false: not known. */
bool context_where(const struct context *c, dev_t *device, long *type);

/* Rules of what is not seen; taken over. */
void context_set_ignore(struct context *c, struct ignore *rules);

/* A small file: 1 and its content, 0 not there, -1.  Rules do not hide it (the manifest itself). */
int context_read(const struct context *c, const char *path, uint64_t limit, struct str *out,
		 struct err *e);

/*
 * What a COPY's source names: the path itself, or all that a pattern matches, sorted.  Links are
 * followed for the path itself, inside the context.  ERR_NOT_FOUND when a path without a pattern is
 * not there (the message names one that is nearly the same) or is hidden. Appends to `out`.
 */
int context_match(const struct context *c, const char *pattern, struct strlist *out, struct err *e);

/* Whether a COPY can have this source: 1, 0 for a pattern that matches nothing; fails as
 * context_match. */
int context_check(const struct context *c, const char *pattern, struct err *e);

/* The file behind `path`, links followed inside the context. */
int context_stat(const struct context *c, const char *path, struct stat *st, struct err *e);

/*
 * Calls `each` for everything below directory `dir` that neither the context's rules nor `exclude`
 * (may be NULL) hide, a directory before what it holds, names sorted.  `path` is in the context;
 * `below` is the part of it below `dir`; links are not followed, `target` is a link's.
 */
struct context_entry {
	const char *path;
	const char *below;
	const struct stat *st;
	const char *target; /* NULL: no link */
};
int context_walk(const struct context *c, const char *dir, const struct ignore *exclude,
		 int (*each)(void *ctx, const struct context_entry *entry, struct err *e),
		 void *ctx, struct err *e);

/* The same, when names are all that is wanted: `st` and `target` are NULL where a directory tells
 * what its entries are.  See context_remember. */
int context_walk_names(const struct context *c, const char *dir, const struct ignore *exclude,
		       int (*each)(void *ctx, const struct context_entry *entry, struct err *e),
		       void *ctx, struct err *e);

/* Opens a regular file that a walk or context_stat found; ERR_SYS when it is another by now. */
int context_open_file(const struct context *c, const char *path, const struct stamp *seen,
		      struct err *e);

#endif
