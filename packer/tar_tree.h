/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree in somebody else's tar (plain, gzip, zstd, xz or bzip2), to be read at any place.
 *
 * The tar is read strictly, as a layer is (image/tar_read.h, image/layer_scan.h), with the same
 * limits; names and links are data, and nothing is ever unpacked to the host.  A plain tar is read
 * where it is; of a compressed one the store holds a nameless copy until tar_tree_fini.
 */
#ifndef PACKER_TAR_TREE_H
#define PACKER_TAR_TREE_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/scope.h"
#include "image/layer_index.h"
#include "image/tar_read.h"
#include "store/store.h"

struct tar_tree {
	int fd; /* holds the frames of the index */
	struct layer_index *ix;
};

#define TAR_TREE_INIT    \
	{                \
		-1, NULL \
	}

struct tar_tree_options {
	const struct store *store; /* for what has to be copied */
	unsigned workers;
	struct progress *progress; /* may be NULL */
	struct tar_losses *losses; /* adds to them; may be NULL */
};

/*
 * Whether `fd`, from its start, is such a tar, by its content alone: 1, 0 for anything else, -1.
 * The first member decides, as for docker: an empty tar is none, and what is malformed later is one
 * all the same.
 */
int tar_tree_probe(int fd, struct err *e);

/*
 * `fd` (borrowed) has `size` bytes and is called `what` for the progress.  ERR_FORMAT for a name
 * that a layer would take for a whiteout, too.
 */
int tar_tree_open(struct tar_tree *out, int fd, uint64_t size, const char *what,
		  const struct tar_tree_options *opt, struct err *e);
void tar_tree_fini(struct tar_tree *t);
SCOPE_DEFINE_VALUE(tar_tree, struct tar_tree, tar_tree_fini)

#endif
