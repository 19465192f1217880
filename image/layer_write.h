/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a layer in one pass: tar headers and content in, a framed blob with its index out
 * (image/layer_blob.h).
 *
 * Each input byte is read once; no temporary copy of the tar exists.  Frame cuts depend on the
 * entries alone, compressed bytes on frame, encoding and level alone: never on the number of
 * workers.
 *
 * Calls: layer_writer_new -> layer_writer_add* -> layer_writer_finish -> layer_writer_free.
 */
#ifndef IMAGE_LAYER_WRITE_H
#define IMAGE_LAYER_WRITE_H

#include <stddef.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/scope.h"
#include "base/str.h"
#include "image/entry.h"
#include "image/layer_blob.h"

/*
 * Gives the content of the entry being added, in order: exactly `len` bytes into `buf` (fewer is
 * the source's error to set).  Called until all of `size` was given.
 */
struct layer_source {
	int (*read)(void *ctx, void *buf, size_t len, struct err *e);
	void *ctx;
};

struct layer_writer;

/* Writes to `fd` (borrowed) from its current offset, which must be 0. */
struct layer_writer *layer_writer_new(int fd, const struct layer_options *opt, struct err *e);

/* Content counts in the current phase of `progress` (borrowed; NULL), piece by piece. */
void layer_writer_set_progress(struct layer_writer *w, struct progress *progress);

/*
 * Entries in entry_path_compare order with no path twice (ERR_FORMAT).  data_offset, data_size and
 * extents of `en` are ignored: the writer finds them.  `src` may be NULL when `size` is 0.
 */
int layer_writer_add(struct layer_writer *w, const struct entry *en, const struct layer_source *src,
		     struct err *e);
int layer_writer_finish(struct layer_writer *w, struct layer_result *out, struct err *e);

/* Of a layer that was finished and does not carry its index: the encoded index, as
 * layer_index_decode takes it, until layer_writer_free.  NULL: it is in the blob. */
const struct str *layer_writer_index(const struct layer_writer *w);

void layer_writer_free(struct layer_writer *w);
SCOPE_DEFINE(layer_writer, struct layer_writer *, layer_writer_free)

#endif
