/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an archive, in order, with a buffer and their offset.
 *
 * ERR_FORMAT "the archive is cut short" where the input ends too early; else the input's errors.
 *
 * Private to image/tar_*.c.
 */
#ifndef IMAGE_TAR_STREAM_H
#define IMAGE_TAR_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"
#include "image/tar_read.h"
#include "image/tar_write.h"

struct tar_stream {
	struct tar_input in;
	bool has_input_failed;
	uint8_t *buf;
	size_t at, end;  /* what was read ahead */
	uint64_t offset; /* of `at` in the archive */
};

int tar_stream_init(struct tar_stream *s, const struct tar_input *in, struct err *e);
void tar_stream_fini(struct tar_stream *s);

/* 1 and TAR_BLOCK bytes; 0 when the archive ends here. */
int tar_stream_block(struct tar_stream *s, void *block, struct err *e);

/* Up to `len` (> 0) bytes, at least one. */
ssize_t tar_stream_read(struct tar_stream *s, void *buf, size_t len, struct err *e);

/* Appends exactly `len` bytes. */
int tar_stream_append(struct tar_stream *s, struct str *out, uint64_t len, struct err *e);

int tar_stream_skip(struct tar_stream *s, uint64_t len, struct err *e);

/* Reads to the end of the input and counts: 1 when all bytes are zero, else 0. */
int tar_stream_zeros(struct tar_stream *s, uint64_t *count, struct err *e);

#endif
