/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ranges of a file are holes.
 *
 * A rule over the content alone, so that a layer's index is the same whether it was made while
 * the tar was written or derived from the tar later, and never depends on a file system: cut the
 * file in blocks of HOLES_BLOCK bytes; a longest run of at least HOLES_MIN_RUN all-zero blocks (a
 * shorter last block counts as one) is a hole, all else is data.  Members that say themselves what
 * is sparse (GNU) keep their own map.  The HOLES_MAX_EXTENTS-th data range goes on to the end of
 * the file.
 *
 * Calls: holes_init -> holes_feed* (the content, in order) -> holes_finish; holes_fini at any time.
 * A struct holes starts zeroed; holes_init for the next file keeps its memory.
 */
#ifndef IMAGE_HOLES_H
#define IMAGE_HOLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "image/entry.h"

enum {
	HOLES_BLOCK = 4096, /* bytes: a page, and the block of ext4, xfs and btrfs */
	HOLES_MIN_RUN = 16, /* blocks: 64 KiB; less is not worth an extent */
	HOLES_MAX_EXTENTS = LIMIT_SPARSE_EXTENTS,
};

struct holes {
	uint64_t tar_offset; /* of the payload */
	uint64_t fed;        /* bytes so far */
	uint64_t zero_start; /* file offset where the current run of zero blocks began */
	uint64_t data_start; /* file offset where the current data range began */
	bool in_zeros;
	bool block_is_zero; /* of the block that is being fed */
	struct extent *extents;
	size_t count;
	size_t cap;
};

void holes_init(struct holes *h, uint64_t tar_offset);
int holes_feed(struct holes *h, const void *bytes, size_t len, struct err *e);
/* Then `extents` and `count` hold the data ranges; borrowed until holes_init or holes_fini. */
int holes_finish(struct holes *h, struct err *e);
void holes_fini(struct holes *h);

/* True when all `len` bytes are zero. */
bool holes_is_zero(const void *bytes, size_t len);

#endif
