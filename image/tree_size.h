/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes room in an image's merged tree: content by directory and by layer.
 *
 * Content is bytes of regular files without their holes.  A file with several names counts once, in
 * the directory of the first of them.  Sums that do not fit are INT64_MAX.
 *
 * Memory does not grow with the number of files, only with the directories that are asked for.
 */
#ifndef IMAGE_TREE_SIZE_H
#define IMAGE_TREE_SIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "image/catalog.h"

/* With all that is below it, as du(1) counts. */
struct tree_size_dir {
	char *path;     /* "/usr/lib"; bytes, NUL at the end */
	uint64_t bytes; /* of content */
	uint64_t files; /* whatever is no directory */
};

struct tree_size {
	uint64_t bytes, files; /* of the whole tree */
	uint64_t *layers;      /* bytes whose layer it is, for each layer of the catalog */
	size_t layer_count;
	struct tree_size_dir *dirs; /* the largest ones, largest first, then by path; none empty */
	size_t dir_count;
	size_t dir_cap;
};

#define TREE_SIZE_INIT     \
	{                  \
		.bytes = 0 \
	}

/* At most `top` directories of at most `depth` components, without the root.  ERR_DIGEST,
 * ERR_FORMAT: the catalog is damaged.  `out` is empty on entry, and to be given to tree_size_fini
 * also after a failure. */
int tree_size_measure(const struct catalog *c, size_t top, size_t depth, struct tree_size *out,
		      struct err *e);
void tree_size_fini(struct tree_size *t);
SCOPE_DEFINE_VALUE(tree_size, struct tree_size, tree_size_fini)

#endif
