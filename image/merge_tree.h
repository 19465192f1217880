/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree under a merge: nodes (names) and inodes in two tables, found by (directory, name)
 * through a hash table.  Private to merge*.c and catalog_write.c.
 *
 * Children of a directory form a list; as long as they come in name order, which is how tools write
 * layers, the list is in order and is never sorted.  A list out of order is sorted when somebody
 * asks for the first child.  Names are borrowed from the layer indexes.
 *
 * Names come from outside, so the hash is keyed: nobody can choose names that all collide.
 */
#ifndef IMAGE_MERGE_TREE_H
#define IMAGE_MERGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "image/entry.h"
#include "image/merge.h"

enum {
	MERGE_NONE = 0,            /* the root is nobody's child, sibling or bucket */
	MERGE_MADE_UP = UINT16_MAX /* layer of a directory that no layer names */
};

struct merge_name {
	const char *name;
	uint32_t hash;
	uint32_t parent;
	uint32_t inode;
	uint32_t first_child;
	uint32_t next;      /* sibling; of a free node: the next free node */
	uint32_t previous;  /* sibling; the first child's is the last child */
	uint32_t hash_next; /* in the bucket */
	uint8_t name_len;
	uint8_t kind;     /* of the inode, to save looking there: enum entry_kind */
	bool is_unsorted; /* the children are */
};

struct merge_inode {
	uint32_t entry; /* in its layer; of a free inode: the next free one */
	uint32_t names; /* that refer to it */
	uint16_t layer;
	uint8_t kind; /* enum entry_kind */
};

struct merge_tree {
	struct merge_name *names;
	size_t name_count; /* free ones included */
	size_t name_cap;
	size_t live_count;
	uint32_t free_name; /* MERGE_NONE: none */
	struct merge_inode *inodes;
	size_t inode_count; /* free ones included */
	size_t inode_cap;
	uint32_t free_inode; /* 0, the root's, is never free: none */
	uint32_t *buckets;
	size_t bucket_count; /* a power of two */
	uint64_t key[2];
	unsigned removals; /* counts directories that went: whoever remembers one looks here */
};

/* The root alone.  0, or -1 with ERR_NOMEM or ERR_SYS. */
int merge_tree_init(struct merge_tree *t, struct err *e);
void merge_tree_fini(struct merge_tree *t);

/* Makes room for `count` more names and inodes at once.  ERR_NOMEM. */
int merge_tree_reserve(struct merge_tree *t, size_t count, struct err *e);

/* The child, or MERGE_NONE; also when `dir` is no directory. */
uint32_t merge_tree_find(const struct merge_tree *t, uint32_t dir, const char *name, size_t len);

/* A new inode that no name refers to yet.  ERR_NOMEM. */
int merge_tree_new_inode(struct merge_tree *t, enum entry_kind kind, uint16_t layer, uint32_t entry,
			 uint32_t *out, struct err *e);

/* Adds a name that is not there yet; the inode gets it.  ERR_NOMEM; ERR_LIMIT for more than
 * LIMIT_ENTRIES names. */
int merge_tree_add(struct merge_tree *t, uint32_t dir, const char *name, size_t len, uint32_t inode,
		   uint32_t *out, struct err *e);

/* Removes everything below a directory, or a name with everything below it. */
void merge_tree_empty(struct merge_tree *t, uint32_t dir);
void merge_tree_remove(struct merge_tree *t, uint32_t node);

/* Makes `node` a name of `inode`, and drops what it was, with everything below. */
void merge_tree_relink(struct merge_tree *t, uint32_t node, uint32_t inode);

/* Puts a directory's list of children in order. */
void merge_tree_sort(const struct merge_tree *t, uint32_t dir);

static inline const struct merge_inode *merge_tree_inode(const struct merge_tree *t, uint32_t node)
{
	return &t->inodes[t->names[node].inode];
}

static inline bool merge_tree_is_dir(const struct merge_tree *t, uint32_t node)
{
	return t->names[node].kind == ENTRY_DIR;
}

/* The last directory that a path led to, as the names on the way: the next path often shares it. */
struct merge_step {
	uint32_t node;
	uint16_t end; /* bytes of the path up to here */
};

struct merge {
	struct merge_tree tree;
	const struct layer_index **layers;
	size_t layer_count;
	size_t layer_cap;
	uint64_t entry_count; /* of all layers */
	uint64_t index_bytes; /* their indexes */
	const char *path;     /* what `steps` walked; borrowed */
	size_t depth;
	unsigned removals; /* of the tree, when `steps` was right */
	struct merge_step steps[LIMIT_DEPTH];
};

#endif
