/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: the independently decodable pieces of a layer blob, and the cuts between them.
 *
 * A frame's compressed bytes are hashed and compared before a decoder sees them.
 *
 * Threads: a decoder belongs to one thread at a time; everything else is plain values.
 */
#ifndef IMAGE_FRAME_H
#define IMAGE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/scope.h"

enum frame_encoding {
	FRAME_RAW,  /* the bytes of the tar stream themselves */
	FRAME_ZSTD, /* one zstd frame, no dictionary, content size in its header */
	FRAME_GZIP, /* one gzip member */
};

/* Bytes of a frame in its file: what zstd makes at most of LIMIT_FRAME bytes, its own bound. */
#define FRAME_BLOB_MAX (LIMIT_FRAME + LIMIT_FRAME / 256)

struct frame {
	uint64_t tar_offset;               /* of its content in the uncompressed stream */
	uint64_t blob_offset;              /* of its bytes in the file */
	uint32_t blob_length;              /* bytes in the file */
	uint32_t length;                   /* bytes of content, at most LIMIT_FRAME */
	uint8_t sha256[DIGEST_SHA256_LEN]; /* of the bytes in the file */
};

struct frame_decoder;
struct frame_decoder *frame_decoder_new(struct err *e);
void frame_decoder_free(struct frame_decoder *d);
SCOPE_DEFINE(frame_decoder, struct frame_decoder *, frame_decoder_free)

/*
 * Reads the frame from `fd`, verifies, decodes exactly `f->length` bytes into `out`.  ERR_DIGEST
 * when the bytes are not the frame's or are cut short, or when they decode to anything but
 * `f->length` bytes; ERR_SYS. `out` is undefined on failure.
 */
int frame_read(struct frame_decoder *d, int fd, enum frame_encoding encoding, const struct frame *f,
	       void *out, struct err *e);

/* Lower and upper bound of what a frame may be: ERR_FORMAT or ERR_LIMIT for a frame outside a file
 * of `file_size` bytes, of no length, or longer than LIMIT_FRAME. */
int frame_check(const struct frame *f, enum frame_encoding encoding, uint64_t file_size,
		struct err *e);

#endif
