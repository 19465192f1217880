/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a whole layer blob once: proves what it is, and derives what is needed to seek in it.
 *
 * layer_derive is for layers of any producer (tar, gzip with any number of members, zstd with any
 * number of frames; docker's types too): it decompresses in constant memory, computes the diff_id,
 * reads the tar strictly, and makes a layer index.  An uncompressed tar can be sought in as it is:
 * its frames are ranges of the blob (FRAME_RAW).  So can a gzip blob whose members are no
 * longer than frames of ours, whoever wrote it (FRAME_GZIP, image/gzip_frames.h).  Anything else is
 * re-framed while it is read: zstd frames go to `reframe_fd`, to be kept by the store beside the
 * blob, which stays as it is byte for byte.  A blob is read once; of a gzip blob that turns out to
 * have a member too long, what was read up to that is read again.
 *
 * layer_prove is for layers with an index: every frame is read through the index, and the tar they
 * give must have the index's diff_id and the same tree.
 *
 * ERR_FORMAT: not what the media type says, malformed, trailing garbage, a zstd frame that needs a
 * dictionary.  ERR_LIMIT: window, expansion ratio, sizes.  ERR_DIGEST.
 */
#ifndef IMAGE_LAYER_SCAN_H
#define IMAGE_LAYER_SCAN_H

#include "base/digest.h"
#include "base/err.h"
#include "base/progress.h"
#include "base/str.h"
#include "image/layer_index.h"
#include "image/mediatype.h"
#include "image/tar_read.h"

struct derive_options {
	unsigned workers;          /* that compress the new frames */
	struct progress *progress; /* counts blob bytes; may be NULL */
	struct tar_losses *losses; /* adds to them; may be NULL */
};

struct derive_result {
	struct digest diff_id;
	uint64_t tar_size;
	bool is_reframed; /* frames are in reframe_fd, else in the blob */
	struct str index; /* encoded, as layer_index_decode takes it; the caller finis it */
};

/* `blob_fd` is read with pread from 0 to `blob_size`.  `reframe_fd` -1: there is no room for
 * frames, and a layer that needs them is ERR_SYS with ENOSPC. */
int layer_derive(int blob_fd, uint64_t blob_size, enum layer_encoding encoding, int reframe_fd,
		 const struct derive_options *opt, struct derive_result *out, struct err *e);

/* `fd`: the file that holds the frames. */
int layer_prove(int fd, const struct layer_index *ix, struct progress *progress, struct err *e);

/* `len` bytes of the tar stream from `tar_offset`, through the index.  For single small files; the
 * mount has its own frame cache. */
int layer_read(int fd, const struct layer_index *ix, uint64_t tar_offset, void *buf, size_t len,
	       struct err *e);

#endif
