/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar stream of a layer blob of any producer: stored, gzip or zstd, decompressed in order and
 * in constant memory.
 *
 * Source: RFC 1952 (members follow each other), RFC 8878 (frames and skippable frames follow each
 * other).  What a blob is, is said by its media type and never guessed.
 *
 * ERR_FORMAT: an empty blob, other bytes than the media type says, malformed, cut short, anything
 * after the last member, a zstd frame that needs a dictionary or is of a format before 0.8.
 * ERR_LIMIT: LIMIT_ZSTD_WINDOW_LOG, LIMIT_EXPANSION_*, LIMIT_LAYER_CONTENT.  ERR_SYS, ERR_NOMEM.
 *
 * Threads: an inflate belongs to one thread at a time.
 */
#ifndef IMAGE_INFLATE_H
#define IMAGE_INFLATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/progress.h"
#include "base/scope.h"
#include "image/mediatype.h"

struct inflate;

/* Reads `fd` (borrowed) with pread, from 0 to `size`.  Bytes of the blob count in the
 * current phase of `progress`. */
struct inflate *inflate_new(int fd, uint64_t size, enum layer_encoding encoding,
			    struct progress *progress, struct err *e);

/* The `read` of a struct tar_input whose ctx is a struct inflate: bytes, 0 at the end, -1. */
ssize_t inflate_read(void *ctx, void *buf, size_t len, struct err *e);

/* That `content` bytes from the first `blob` bytes of a blob are no bomb, nor more than any layer
 * has: a few kilobytes must not become a few terabytes of work.  ERR_LIMIT. */
int inflate_check_expansion(uint64_t content, uint64_t blob, struct err *e);

void inflate_free(struct inflate *in);
SCOPE_DEFINE(inflate, struct inflate *, inflate_free)

#endif
