/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The merge: layers, lowest first, become one tree, as overlayfs would show them.
 *
 * Names and inodes are separate from the start, so a hardlinked inode keeps its other names when
 * one of them is replaced or whited out by a higher layer.  A merge holds names and pointers into
 * the layer indexes; metadata stays in the indexes until a catalog is written.
 *
 * Rules (OCI image-spec, layer.md "Applying Changesets", and overlayfs): an entry takes the place
 * of what has its name, except that a directory over a directory replaces its metadata and keeps
 * its children; within one layer the last entry of a path wins; missing parents become root's
 * directories of mode 0755 and mtime 0; a parent that is not a directory is replaced by one: links
 * are never followed.
 *
 * Threads: one.  Limits: LIMIT_LAYERS, LIMIT_ENTRIES.
 */
#ifndef IMAGE_MERGE_H
#define IMAGE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "image/entry.h"
#include "image/layer_index.h"

struct merge;

typedef uint32_t merge_node; /* a name in the tree; MERGE_ROOT always exists */
enum { MERGE_ROOT = 0 };

struct merge *merge_new(struct err *e);

/* `ix` is borrowed and must outlive the merge.  ERR_FORMAT: a hardlink to nothing, to a directory,
 * to itself or to a later entry; a root that is no directory; a bad whiteout.  After an error the
 * merge is only good for merge_free. */
int merge_add_layer(struct merge *m, const struct layer_index *ix, struct err *e);

/* The child of a directory: 1 found, 0 not there. */
int merge_lookup(const struct merge *m, merge_node dir, const char *name, size_t len,
		 merge_node *out);

/*
 * Walks an image's path ("/etc/passwd") from the root; symlinks are followed inside the tree (".."
 * never climbs above the root), the last component's only when `follow`.  1 found, 0 not there, -1:
 * ERR_UNSUPPORTED for more than 40 links (ELOOP), ERR_NOMEM.
 */
int merge_resolve(const struct merge *m, const char *path, bool follow, merge_node *out,
		  struct err *e);

/*
 * Where a file put at `path` would really land: the longest existing prefix resolved (links
 * followed), the rest appended; canonical, into `out`.  For COPY, whose destination may lead
 * through links.
 */
int merge_real_path(const struct merge *m, const char *path, struct str *out, struct err *e);

enum entry_kind merge_kind(const struct merge *m, merge_node node);

/* The entry that describes the node's inode (never a hardlink), and its layer's place; a directory
 * that no layer names is made up: 1 from a layer, 0 made up, -1 ERR_NOMEM. */
int merge_entry(const struct merge *m, merge_node node, struct entry_scratch *scratch,
		struct entry *out, size_t *layer, struct err *e);

/* Children in name order: MERGE_ROOT when there are no more.  Names are borrowed. */
merge_node merge_first_child(const struct merge *m, merge_node dir);
merge_node merge_next_sibling(const struct merge *m, merge_node node);
const char *merge_name(const struct merge *m, merge_node node, size_t *len);
merge_node merge_parent(const struct merge *m, merge_node node);

/* Which inode a name belongs to: equal for all names of one hardlinked inode. */
uint32_t merge_inode(const struct merge *m, merge_node node);

void merge_free(struct merge *m);
SCOPE_DEFINE(merge, struct merge *, merge_free)

#endif
