/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of a catalog to be: which name gets which dirent, which inode which number.
 *
 * Breadth first: the root is inode 0; directories are taken in the order of their numbers, and the
 * names of one, in bytewise order, are the next dirents; an inode gets its number at its first
 * name.  So a directory's dirents are contiguous, and its number is above its parent's.
 *
 * Private to catalog_write.c.
 */
#ifndef IMAGE_CATALOG_PLAN_H
#define IMAGE_CATALOG_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/merge.h"

struct catalog_link {
	uint32_t inode;
	uint32_t dirent;
};

struct catalog_plan {
	merge_node *nodes; /* by inode number: its first name */
	uint32_t inode_count;
	merge_node *dirents; /* by dirent */
	uint32_t dirent_count;
	uint32_t *numbers; /* by the merge's inode; CATALOG_NONE: none */
	/* All names of hardlinked inodes, by inode, then by dirent. */
	struct catalog_link *links;
	size_t link_count;
	size_t link_cap;
};

/* ERR_NOMEM. */
int catalog_plan_init(struct catalog_plan *p, const struct merge *m, struct err *e);
void catalog_plan_fini(struct catalog_plan *p);

/* How many names an inode of the plan has. */
uint32_t catalog_plan_names(const struct merge *m, merge_node node);

#endif
