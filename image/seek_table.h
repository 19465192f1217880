/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Skippable zstd frames, and the seek table that ends a file in zstd's seekable format.
 *
 * Source: RFC 8878, 3.1.2 "Skippable Frames"; zstd contrib/seekable_format,
 * zstd_seekable_compression_format.md, 0.1.0.  Only written: shale seeks by its layer index, whose
 * frames carry digests; the table is for other tools.
 *
 * Calls: SEEK_TABLE_INIT -> seek_table_add* (each frame of the file, skippable ones too) ->
 * seek_table_append -> seek_table_fini.
 */
#ifndef IMAGE_SEEK_TABLE_H
#define IMAGE_SEEK_TABLE_H

#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"
#include "base/str.h"

enum {
	SKIPPABLE_HEADER_SIZE = 8, /* bytes in front of a skippable frame's content */
	SKIPPABLE_MAGIC_FIRST = 0x184D2A50,
	SKIPPABLE_MAGIC_LAYER_INDEX = 0x184D2A53, /* shale's own; the low byte is 'S' */
	SKIPPABLE_MAGIC_SEEK_TABLE = 0x184D2A5E,
};

/* Appends the header of a skippable frame with `size` bytes of content. */
int skippable_header_append(struct str *out, uint32_t magic, uint32_t size, struct err *e);

struct seek_table {
	struct str entries;
	uint32_t count;
};

#define SEEK_TABLE_INIT      \
	{                    \
		STR_INIT, 0, \
	}

/* The next frame of the file: its bytes there, and its content (0 for a skippable frame).
 * ERR_LIMIT, ERR_NOMEM. */
int seek_table_add(struct seek_table *t, uint32_t compressed, uint32_t content, struct err *e);

/* Appends the whole table as the skippable frame that must be the last of the file. */
int seek_table_append(const struct seek_table *t, struct str *out, struct err *e);

void seek_table_fini(struct seek_table *t);
SCOPE_DEFINE_VALUE(seek_table, struct seek_table, seek_table_fini)

#endif
