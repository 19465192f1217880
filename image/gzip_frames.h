/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames that a gzip blob has as it is: its members, when each of them may be one.
 *
 * A member may be one when its content has at most GZIP_FRAMES_CONTENT_MAX bytes.  That is not all
 * that a frame may have (LIMIT_FRAME), but no more than the writer of layers puts into one: with
 * members of 15 MiB, reading 600 small files here and there took 29 times the processor time that
 * it takes when the layer was framed anew, and a mount's cache holds two of them.  Members that
 * hold nothing are stepped over.  Which producer wrote the blob is not asked; but one that made
 * more members than its tar has blocks would have an index longer than the tree is worth.
 *
 * Of a blob that is damaged, or no gzip, the members are not its frames either: who then reads it
 * in another way (image/inflate.h) will say why.
 *
 * Calls: gzip_frames_new -> gzip_frames_next* until it is not GZIP_FRAMES_ONE -> gzip_frames_free.
 * Memory: GZIP_FRAMES_CONTENT_MAX and GZIP_FRAMES_WINDOW bytes.
 */
#ifndef IMAGE_GZIP_FRAMES_H
#define IMAGE_GZIP_FRAMES_H

#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/scope.h"
#include "image/frame.h"

enum {
	GZIP_FRAMES_CONTENT_MAX = 1 * LIMIT_MIB,
	GZIP_FRAMES_WINDOW =
		4 * LIMIT_MIB, /* of the blob; a member that it does not hold is none */
};

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
