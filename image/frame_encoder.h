/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the bytes of a frame from its content: one zstd frame, or one gzip member.
 *
 * They depend on content, encoding, level, and the version of the library alone.
 *
 * Threads: an encoder belongs to one thread at a time.
 */
#ifndef IMAGE_FRAME_ENCODER_H
#define IMAGE_FRAME_ENCODER_H

#include <stddef.h>

#include "base/scope.h"
#include "image/compression.h"

struct frame_encoder;

/* Of an encoding and level that compression_check takes; NULL without memory. */
struct frame_encoder *frame_encoder_new(const struct compression *c);
void frame_encoder_free(struct frame_encoder *f);
SCOPE_DEFINE(frame_encoder, struct frame_encoder *, frame_encoder_free)

/* Bytes that the frame of `len` bytes of content takes at most. */
size_t frame_encoder_bound(enum frame_encoding encoding, size_t len);

/* Writes a frame of `len` (> 0) bytes into `out`, which has frame_encoder_bound(len) bytes: how
 * many they are; 0 without memory. */
size_t frame_encoder_run(struct frame_encoder *f, const void *content, size_t len, void *out);

#endif
