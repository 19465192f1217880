/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the blob of a layer anew, in another encoding or at another level, from its tar stream.
 *
 * The tar stays as it is, byte for byte, whoever wrote it, and so does the diff_id.  Of a tar that
 * shale wrote the blob is the one that the writer of layers would have made with these options
 * (image/layer_write.h).
 */
#ifndef IMAGE_LAYER_RECODE_H
#define IMAGE_LAYER_RECODE_H

#include "base/err.h"
#include "image/layer_blob.h"
#include "image/tar_read.h"

/*
 * Reads `in` to its end, and writes to `fd` from its current offset on; what `out` says of offsets
 * counts from there.  Takes memory for entries and frames until the end, as many as the layer has
 * (image/layer_index.h), but none for content beyond that of a few frames.  ERR_FORMAT and
 * ERR_LIMIT as tar_reader_next, ERR_USAGE as compression_check, ERR_SYS, and the errors of `in`;
 * `out` is then untouched.
 */
int layer_recode(const struct tar_input *in, int fd, const struct layer_options *opt,
		 struct layer_result *out, struct err *e);

#endif
