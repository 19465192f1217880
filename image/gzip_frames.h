/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames that a gzip blob has as it is: its members, when each of them may be one.
 *
 * A member may be one when its content has at most LIMIT_FRAME bytes, and it itself FRAME_BLOB_MAX.
 * Members that hold nothing are stepped over.  Which producer wrote the blob is not asked; but one
 * that made more members than its tar has blocks would have an index longer than the tree is worth.
 *
 * Of a blob that is damaged, or no gzip, the members are not its frames either: who then reads it
 * in another way (image/inflate.h) will say why.
 *
 * Calls: gzip_frames_new -> gzip_frames_next* until it is not GZIP_FRAMES_ONE -> gzip_frames_free.
 * Memory: LIMIT_FRAME and FRAME_BLOB_MAX bytes at most, less for small blobs and members.
 */
#ifndef IMAGE_GZIP_FRAMES_H
#define IMAGE_GZIP_FRAMES_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/scope.h"
#include "image/frame.h"

struct gzip_frames;

/* Reads `fd` (borrowed) with pread, from 0 to `size`.  Bytes of the blob count in the current phase
 * of `progress`. */
struct gzip_frames *gzip_frames_new(int fd, uint64_t size, struct progress *progress,
				    struct err *e);

enum gzip_frames_step {
	GZIP_FRAMES_END,
	GZIP_FRAMES_ONE,
	GZIP_FRAMES_UNFIT, /* the members of this blob are not its frames */
};

/*
 * The next frame, and its content (`out->length` bytes, until the next call): an enum
 * gzip_frames_step, or -1: ERR_LIMIT as image/inflate.h has it; ERR_FORMAT for a file that is
 * shorter than `size`; ERR_SYS.
 */
int gzip_frames_next(struct gzip_frames *g, struct frame *out, const void **content, struct err *e);

void gzip_frames_free(struct gzip_frames *g);
SCOPE_DEFINE(gzip_frames, struct gzip_frames *, gzip_frames_free)

#endif
