/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking a path inside an image's tree: one walk for the merge and for the catalog.
 *
 * Symlinks are followed inside the tree: absolute targets start at its root, and ".." never climbs
 * above it (as chroot(2) does).  No recursion; at most RESOLVE_LINKS_MAX links, and each of them
 * adds at most LIMIT_SYMLINK bytes to the path, so a walk ends whatever the tree says.
 */
#ifndef IMAGE_RESOLVE_H
#define IMAGE_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { RESOLVE_LINKS_MAX = 40 /* path_resolution(7) */, RESOLVE_ROOT = 0 };

/* How a tree is asked; `tree` is passed on. */
struct resolve_tree {
	const void *tree;
	/* 1 and the child, 0 not there, -1.  Asked of directories only. */
	int (*lookup)(const void *tree, uint32_t dir, const char *name, size_t len, uint32_t *out,
		      struct err *e);
	/* The kind as S_IFMT bits. */
	int (*type)(const void *tree, uint32_t node, uint32_t *out, struct err *e);
	/* Appends a symlink's target. */
	int (*readlink)(const void *tree, uint32_t link, struct str *out, struct err *e);
	/* The directory that holds `node`; the root's is the root. */
	int (*parent)(const void *tree, uint32_t node, uint32_t *out, struct err *e);
};

/*
 * As stat(2) walks, or lstat(2) without `follow`: 1 and the node, 0 not there, -1 with
 * ERR_UNSUPPORTED for too many links, ERR_NOMEM, or what the tree says.
 */
int resolve_path(const struct resolve_tree *t, const char *path, bool follow, uint32_t *out,
		 struct err *e);

/*
 * The longest prefix of `path` that is there, links followed, as `*out`; the components after it
 * are appended to `rest`, joined by "/" (".." among them takes its predecessor away).
 */
int resolve_prefix(const struct resolve_tree *t, const char *path, uint32_t *out, struct str *rest,
		   struct err *e);

#endif
