/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two inodes of two images are the same.  Private to fs/diff.c and
 * fs/changes.c.
 *
 * Content is read only when it has to be: not when both files are the same range of the same layer,
 * or of frames with the same digest.
 */
#ifndef FS_DIFF_INODE_H
#define FS_DIFF_INODE_H

#include "base/scope.h"
#include "fs/diff.h"

struct diff_inodes;

/* Sides and options are borrowed. */
struct diff_inodes *diff_inodes_new(const struct diff_side *old, const struct diff_side *new,
				    const struct diff_options *opt, struct err *e);
void diff_inodes_free(struct diff_inodes *d);
SCOPE_DEFINE(diff_inodes, struct diff_inodes *, diff_inodes_free)

/* The bits of diff_what, 0 for inodes that are the same; and what catalog_stat says of both. */
int diff_inodes_compare(struct diff_inodes *d, uint32_t old, uint32_t new,
			struct catalog_stat *of_old, struct catalog_stat *of_new, unsigned *what,
			struct err *e);

/* catalog_stat of one side, repaired and with its name in messages. */
int diff_side_stat(const struct diff_side *s, uint32_t inode, struct catalog_stat *out,
		   struct err *e);
/* "in 'IMAGE': ..." */
int diff_side_fail(const struct diff_side *s, struct err *e);

/* Adds to `*out` the bytes of all files below a directory, each of their names counted. */
int diff_side_sum(const struct diff_side *s, uint32_t dir, uint64_t *out, struct err *e);

#endif
