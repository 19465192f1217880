/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a layer in one pass: tar headers and content in, a framed blob with its index out.
 *
 * Blob, zstd: frames cut from the tar stream | the layer index in a skippable frame | the seek
 * table of zstd's seekable format.  gzip: the same cuts as members (RFC 1952), and nothing else;
 * its layer index is for the store to keep.  Any decoder gives the plain tar back.  diff_id, blob
 * digest, frame digests and layer index come from the same pass; each input byte is read once; no
 * temporary copy of the tar exists.  Frame cuts depend on the entries alone, compressed bytes on
 * frame, encoding and level alone: never on the number of workers.
 *
 * Source: zstd contrib/seekable_format, "zstd_seekable_compression_format.md".
 * Calls: layer_writer_new -> layer_writer_add* -> layer_writer_finish -> layer_writer_free.
 */
#ifndef IMAGE_LAYER_WRITE_H
#define IMAGE_LAYER_WRITE_H

#include "base/digest.h"
#include "base/err.h"
#include "base/progress.h"
#include "base/scope.h"
#include "base/str.h"
#include "image/compression.h"
#include "image/descriptor.h"
#include "image/entry.h"

struct layer_options {
	struct compression compression;
	unsigned workers; /* threads that compress; 0: in the caller's thread */
};

/*
 * Gives the content of the entry being added, in order: exactly `len` bytes into `buf` (fewer is
 * the source's error to set).  Called until all of `size` was given.
 */
struct layer_source {
	int (*read)(void *ctx, void *buf, size_t len, struct err *e);
	void *ctx;
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

/* The layer's descriptor: media type, digest, size, and the annotations of an index that is in the
 * blob. */
int layer_result_descriptor(const struct layer_result *r, struct descriptor *out, struct err *e);

#endif
