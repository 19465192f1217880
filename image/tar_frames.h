/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames a tar stream that is there already, byte for byte, and records its tree, in one pass.
 *
 * Where members and payloads begin is found by reading the tar, and told to the framer as the
 * writer of layers tells it: a tar that shale wrote is cut where it was cut when it was written.
 * Headers, padding and zeros at the end stay as they are, whoever wrote them, so that the diff_id
 * stays, too.  The cuts depend on the stream alone: not on the pieces in which it comes.
 *
 * Memory: TAR_FRAMES_PENDING bytes, and what image/tar_read.h has.
 */
#ifndef IMAGE_TAR_FRAMES_H
#define IMAGE_TAR_FRAMES_H

#include "base/err.h"
#include "base/limits.h"
#include "image/framer.h"
#include "image/layer_index.h"
#include "image/tar_read.h"

/* Bytes of members that are not known yet: the reader's read-ahead and the longest header
 * (LIMIT_PAX).  When more come they are framed without a hint. */
enum { TAR_FRAMES_PENDING = 2 * LIMIT_MIB };

/* The whole of `in`, to its end; the framer is the caller's to finish.  Errors of tar_reader_next,
 * of `in`, and of the framer. */
int tar_frames_cut(const struct tar_input *in, struct framer *framer,
		   struct layer_index_builder *entries, struct err *e);

#endif
