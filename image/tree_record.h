/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts every member of a tar stream into a layer index, with its holes.
 *
 * Used where a stream becomes an index (layer_derive) and where an index is proved by its stream
 * (layer_prove), so that both see the same tree.
 */
#ifndef IMAGE_TREE_RECORD_H
#define IMAGE_TREE_RECORD_H

#include <stdint.h>

#include "base/err.h"
#include "image/layer_index.h"
#include "image/tar_read.h"

/* Told where the stream's parts are, as soon as they are known; may be NULL. */
struct tree_watcher {
	/* A member's header ends, and its payload of `payload` bytes (0: none) begins, at
	 * `offset`. */
	int (*member)(void *ctx, uint64_t offset, uint64_t payload, struct err *e);
	/* All bytes before `offset` belong to members that were told. */
	int (*passed)(void *ctx, uint64_t offset, struct err *e);
	void *ctx;
};

/* The whole of `in`, to its end.  Errors of tar_reader_next, `in`, and the watcher. */
int tree_record(const struct tar_input *in, struct layer_index_builder *out,
		const struct tree_watcher *watcher, struct err *e);

#endif
