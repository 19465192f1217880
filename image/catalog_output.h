/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream of a catalog's blocks on their way to the file: gathers, hashes block by block,
 * writes.
 *
 * Calls: init -> put* and align* -> finish; fini at any time.  Private to catalog_write*.c.
 */
#ifndef IMAGE_CATALOG_OUTPUT_H
#define IMAGE_CATALOG_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct catalog_output {
	int fd;
	uint64_t written; /* file offset of what is in `buffer` */
	uint8_t *buffer;
	size_t filled;
	struct str digests; /* of the blocks so far: the digest table */
};

/* Starts behind the header's place.  ERR_NOMEM. */
int catalog_output_init(struct catalog_output *o, int fd, struct err *e);
void catalog_output_fini(struct catalog_output *o);

/* The file offset of the next byte. */
uint64_t catalog_output_offset(const struct catalog_output *o);

/* ERR_SYS, ERR_NOMEM. */
int catalog_output_put(struct catalog_output *o, const void *bytes, size_t len, struct err *e);
/* Zeros up to a multiple of `to`. */
int catalog_output_align(struct catalog_output *o, uint64_t to, struct err *e);
/* The last blocks, and the digest table behind them. */
int catalog_output_finish(struct catalog_output *o, struct err *e);

#endif
