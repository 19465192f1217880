/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts a tar stream into frames, compresses and hashes them on several threads, and passes them on
 * in order; computes the diff_id on the way.  Knows nothing of tar: its user says where members and
 * payloads begin.
 *
 * Calls: framer_new -> (framer_member -> framer_put (header) -> framer_payload ->
 * (framer_room -> framer_commit)* | framer_put)* -> framer_finish -> framer_free.
 * Hints that come late or never cost compression, nothing else.
 * Memory: a fixed number of frames, and an encoder for each worker (of zstd 1 MiB at level 3, 18
 * MiB at level 19; of gzip less than 1 MiB).  After an error only framer_free may be called.
 * Threads: one thread calls; `put` of the sink is called on it.
 */
#ifndef IMAGE_FRAMER_H
#define IMAGE_FRAMER_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/scope.h"
#include "image/compression.h"
#include "image/frame.h"

struct framer_options {
	/* FRAME_RAW, whatever the level: digests of the stream's pieces, nothing else. */
	struct compression compression;
	unsigned workers; /* 0: in the caller's thread */
};

/* Takes the finished frames in order; `bytes` are the frame's `blob_length` bytes. */
struct framer_sink {
	int (*put)(void *ctx, const struct frame *f, const void *bytes, struct err *e);
	void *ctx;
};

struct framer;
struct framer *framer_new(const struct framer_options *opt, const struct framer_sink *sink,
			  struct err *e);

/* A member with a header of `header` bytes, and that much payload, starts here. */
int framer_member(struct framer *f, uint64_t header, uint64_t payload, struct err *e);

/* The payload of `size` bytes starts here. */
int framer_payload(struct framer *f, uint64_t size, struct err *e);

/*
 * Where the next bytes of the stream go, at least one: fill up to `*len` bytes, then say with
 * framer_commit how many.  NULL with the error of the sink, or ERR_NOMEM.
 */
void *framer_room(struct framer *f, size_t *len, struct err *e);
void framer_commit(struct framer *f, size_t len);

/* Copies; framer_put_zeros makes the bytes up. */
int framer_put(struct framer *f, const void *bytes, size_t len, struct err *e);
int framer_put_zeros(struct framer *f, size_t len, struct err *e);

/* Bytes of the stream so far. */
uint64_t framer_offset(const struct framer *f);

/* Passes on what is left. */
int framer_finish(struct framer *f, struct digest *diff_id, struct err *e);
void framer_free(struct framer *f);
SCOPE_DEFINE(framer, struct framer *, framer_free)

#endif
