/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of GNU sparse members: which ranges of the file the payload holds, in every form that GNU
 * tar has written them.
 *
 * Ranges must be in order, disjoint and inside the file, and fill the payload: anything else is
 * ERR_FORMAT.  ERR_LIMIT: LIMIT_SPARSE_EXTENTS.  Memory is taken for ranges that were read, never
 * for what a number promises.
 *
 * Source: GNU tar manual, "Storing Sparse Files".
 * Calls: tar_sparse_clear -> (one kind of add or read) -> tar_sparse_finish.
 *
 * Private to image/tar_*.c.
 */
#ifndef IMAGE_TAR_SPARSE_H
#define IMAGE_TAR_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/entry.h"
#include "image/tar_block.h"

struct tar_sparse {
	struct extent *extents; /* tar_offset counts from the start of the payload until finish */
	size_t count;
	size_t cap;
	uint64_t seen;   /* ranges, the empty ones too */
	uint64_t stored; /* bytes */
	uint64_t end;    /* of the last range, in the file */

	bool has_offset; /* of a range whose length is to come */
	uint64_t offset;

	/* 1.0: the number being read, and how many are to come. */
	bool has_digits;
	bool has_total;
	uint64_t number;
	uint64_t numbers_left;
};

void tar_sparse_clear(struct tar_sparse *s);
void tar_sparse_fini(struct tar_sparse *s);

/* 0.0: offsets and lengths alternate. */
int tar_sparse_add_offset(struct tar_sparse *s, uint64_t offset, struct err *e);
int tar_sparse_add_length(struct tar_sparse *s, uint64_t length, struct err *e);

/* 0.1: "offset,length,offset,length". */
int tar_sparse_add_list(struct tar_sparse *s, const char *text, size_t len, struct err *e);

/* Old: fields of a header or of the blocks after it; an empty field ends the map. */
int tar_sparse_add_fields(struct tar_sparse *s, const struct tar_sparse_field *fields, size_t count,
			  struct err *e);

/*
 * 1.0: lines of decimal numbers in the first blocks of the payload.  1: there is another block; 0:
 * that was the last one.
 */
int tar_sparse_read_block(struct tar_sparse *s, const char *block, size_t len, struct err *e);

/*
 * The map is whole; `size`: of the file; the payload has `data_size` bytes from `data_offset` of
 * the stream.
 */
int tar_sparse_finish(struct tar_sparse *s, uint64_t size, uint64_t data_offset, uint64_t data_size,
		      struct err *e);

#endif
