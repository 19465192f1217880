/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blob of a layer while it is written: frames in the order in which they are cut, then what
 * follows them.
 *
 * zstd: frames | the layer index in a skippable frame | the seek table of zstd's seekable format.
 * gzip: the frames as members (RFC 1952), and nothing else; its layer index is for the store to
 * keep.  Any decoder gives the plain tar back.  diff_id, blob digest, frame digests and layer index
 * come from the same pass.  Knows nothing of tar: who has a stream cuts it (image/framer.h) and
 * tells its entries.
 *
 * Source: zstd contrib/seekable_format, "zstd_seekable_compression_format.md".
 * Calls: layer_blob_new -> layer_blob_sync_early? -> (layer_blob_framer, layer_blob_entries)* ->
 * layer_blob_finish -> layer_blob_index? -> layer_blob_free.
 * Threads: one thread calls; the framer has its own.
 */
#ifndef IMAGE_LAYER_BLOB_H
#define IMAGE_LAYER_BLOB_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"
#include "image/compression.h"
#include "image/descriptor.h"
#include "image/framer.h"
#include "image/layer_index.h"

struct layer_options {
	struct compression compression;
	unsigned workers; /* threads that compress; 0: in the caller's thread */
};

struct layer_result {
	struct digest blob;
	uint64_t blob_size;
	struct digest diff_id;
	uint64_t tar_size;
	enum frame_encoding encoding;
	struct digest index;   /* of the encoded layer index */
	uint64_t index_offset; /* in the blob; 0: it is not there */
	uint64_t index_size;   /* bytes there */
	uint64_t entry_count;
};

struct layer_blob;

/* Writes to `fd` (borrowed) from its current offset on.  ERR_USAGE as compression_check. */
struct layer_blob *layer_blob_new(int fd, const struct layer_options *opt, struct err *e);

/* The file holds nothing else, and will be synced: the disk may begin while it is written. */
void layer_blob_sync_early(struct layer_blob *b);

/* Where the bytes of the tar stream go, and its entries, in tar order; borrowed.  Of the framer,
 * layer_blob_finish does the rest. */
struct framer *layer_blob_framer(struct layer_blob *b);
struct layer_index_builder *layer_blob_entries(struct layer_blob *b);

/* Writes what is left. */
int layer_blob_finish(struct layer_blob *b, struct layer_result *out, struct err *e);

/* Of a blob that was finished and does not carry its index: the encoded index, as
 * layer_index_decode takes it, until layer_blob_free.  NULL: it is in the blob. */
const struct str *layer_blob_index(const struct layer_blob *b);

void layer_blob_free(struct layer_blob *b);
SCOPE_DEFINE(layer_blob, struct layer_blob *, layer_blob_free)

/* The layer's descriptor: media type, digest, size, and the annotations of an index that is in the
 * blob. */
int layer_result_descriptor(const struct layer_result *r, struct descriptor *out, struct err *e);

#endif
