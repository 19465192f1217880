/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of entries of layers, read through the layers' indexes.
 *
 * Frames lie in the order of the tar that they come from, which is not that of a layer of ours:
 * names that are neighbours here may be frames apart there.  So the last frames are kept decoded,
 * at most TREE_CONTENT_BYTES and one frame.
 *
 * Every frame is verified before it is decoded: ERR_DIGEST for one that changed.  Threads: one.
 */
#ifndef PACKER_TREE_CONTENT_H
#define PACKER_TREE_CONTENT_H

#include "base/err.h"
#include "base/limits.h"
#include "base/scope.h"
#include "image/entry.h"
#include "image/layer_index.h"

#define TREE_CONTENT_BYTES (32 * LIMIT_MIB)

struct tree_content;

/* `fds[i]` holds the frames of `indexes[i]`; all is borrowed. */
struct tree_content *tree_content_new(const struct layer_index *const *indexes, const int *fds,
				      struct err *e);
void tree_content_free(struct tree_content *c);
SCOPE_DEFINE(tree_content, struct tree_content *, tree_content_free)

/* One entry that is read from its start to its end; `extent` and `offset` begin at 0. */
struct tree_content_file {
	struct tree_content *content;
	const struct entry *en;
	size_t layer;    /* of `indexes` */
	size_t extent;   /* the next one to read from */
	uint64_t offset; /* in the file */
};

/* The next `len` bytes of a struct tree_content_file, holes as zeros: a layer_source's read. */
int tree_content_read(void *file, void *buf, size_t len, struct err *e);

#endif
