/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer index: the tree of a layer in tar order, and its frames.
 *
 * Layers that shale writes carry it (compressed) in a skippable zstd frame, and the signed manifest
 * names its place and SHA-256 in annotations of the layer's descriptor; for other layers it is
 * derived once and kept by the store.  Format: docs/shale-layer-index.5.scd.
 *
 * layer_index_decode checks everything that a reader relies on: canonical paths, kinds, offsets and
 * lengths inside the stream with checked arithmetic, frames that follow each other without gap or
 * overlap, sorted and disjoint extents, canonical encoding.  ERR_FORMAT, ERR_LIMIT;
 * ERR_UNSUPPORTED for another version of the format.
 *
 * Immutable after decoding: shared between threads without locks.
 */
#ifndef IMAGE_LAYER_INDEX_H
#define IMAGE_LAYER_INDEX_H

#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "image/entry.h"
#include "image/frame.h"

/* Annotations of a layer descriptor. */
#define LAYER_INDEX_DIGEST_KEY \
	"io.shale.layer-index.digest" /* "sha256:.." of its bytes in the blob */
#define LAYER_INDEX_OFFSET_KEY "io.shale.layer-index.offset" /* decimal, in the blob */
#define LAYER_INDEX_SIZE_KEY   "io.shale.layer-index.size"   /* decimal, bytes in the blob */

struct layer_index;

/* `bytes`: as embedded or stored (compressed), verified against its digest by the caller. */
int layer_index_decode(const void *bytes, size_t len, struct layer_index **out, struct err *e);
void layer_index_free(struct layer_index *ix);
SCOPE_DEFINE(layer_index, struct layer_index *, layer_index_free)

struct digest layer_index_diff_id(const struct layer_index *ix);
/* Bytes of memory that its content takes. */
size_t layer_index_size(const struct layer_index *ix);
uint64_t layer_index_tar_size(const struct layer_index *ix);
enum frame_encoding layer_index_encoding(const struct layer_index *ix);

size_t layer_index_frame_count(const struct layer_index *ix);
struct frame layer_index_frame(const struct layer_index *ix, size_t at);
/* The frame that holds `tar_offset` (< tar size), by binary search. */
size_t layer_index_frame_at(const struct layer_index *ix, uint64_t tar_offset);

/* Room for the arrays of one decoded entry; reuse it, and fini it at the end. */
struct entry_scratch {
	struct xattr *xattrs;
	size_t xattr_cap;
	struct extent *extents;
	size_t extent_cap;
};
#define ENTRY_SCRATCH_INIT       \
	{                        \
		NULL, 0, NULL, 0 \
	}
void entry_scratch_fini(struct entry_scratch *s);
SCOPE_DEFINE_VALUE(entry_scratch, struct entry_scratch, entry_scratch_fini)

size_t layer_index_entry_count(const struct layer_index *ix);
/* Entry `at`; pointers live as long as `ix` and until the next use of `scratch`.  ERR_NOMEM
 * only. */
int layer_index_entry(const struct layer_index *ix, size_t at, struct entry_scratch *scratch,
		      struct entry *out, struct err *e);

/* Paths and kinds alone, without scratch: what a merge looks at. */
enum entry_kind layer_index_path(const struct layer_index *ix, size_t at, const char **path,
				 size_t *path_len);

/* 0 when both describe the same tar stream (diff_id, size, every entry; frames may differ), -1 with
 * ERR_FORMAT that names the first entry and member that differ. */
int layer_index_same_tree(const struct layer_index *a, const struct layer_index *b, struct err *e);

/* Building: entries in tar order and frames in stream order, in any interleaving. */
struct layer_index_builder;
struct layer_index_builder *layer_index_builder_new(struct err *e);
int layer_index_builder_add(struct layer_index_builder *b, const struct entry *en, struct err *e);
/* Entries so far. */
size_t layer_index_builder_count(const struct layer_index_builder *b);
int layer_index_builder_add_frame(struct layer_index_builder *b, const struct frame *f,
				  struct err *e);
/* Appends the compressed bytes to `out`: the same input gives the same bytes. */
int layer_index_builder_encode(struct layer_index_builder *b, enum frame_encoding encoding,
			       const struct digest *diff_id, uint64_t tar_size, struct str *out,
			       struct err *e);
void layer_index_builder_free(struct layer_index_builder *b);
SCOPE_DEFINE(layer_index_builder, struct layer_index_builder *, layer_index_builder_free)

#endif
