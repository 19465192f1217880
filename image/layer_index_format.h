/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a layer index: headers and records, as docs/shale-layer-index.5.scd has them.  All
 * numbers are little endian, and nothing is aligned.
 *
 * Unpacking copies numbers out and judges nothing.
 *
 * Private to image/layer_index*.c.
 */
#ifndef IMAGE_LAYER_INDEX_FORMAT_H
#define IMAGE_LAYER_INDEX_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "image/frame.h"

/* The newline tells of transfers that change text. */
#define INDEX_MAGIC         "SHLINDX\n" /* of the stored form */
#define INDEX_CONTENT_MAGIC "shlindx\n" /* of what it decompresses to */

enum {
	INDEX_VERSION = 1,
	INDEX_MAGIC_SIZE = 8,
	INDEX_STORED_SIZE = 24, /* header of the stored form */
	INDEX_HEADER_SIZE = 88,
	INDEX_FRAME_SIZE = 48,
	INDEX_ENTRY_SIZE = 60,
	INDEX_EXTENT_SIZE = 16,
	INDEX_XATTR_SIZE = 5, /* without name and value */
};

/* Numbers in the file, whatever the enums of the program are. */
enum index_encoding { INDEX_RAW = 0, INDEX_ZSTD = 1, INDEX_GZIP = 2 };

/* Where in the payload the extents of a regular file are. */
enum index_layout {
	INDEX_PLAIN = 0,  /* the payload is the file: an extent is where it is in the file */
	INDEX_DENSE = 1,  /* the same with one extent over all of it, which has no record */
	INDEX_PACKED = 2, /* GNU sparse: one behind the other, and nothing else */
};

struct index_header {
	uint32_t version;
	uint32_t header_size;
	uint32_t encoding;
	uint32_t frame_count;
	uint32_t entry_count;
	uint32_t extent_count;
	uint64_t xattrs_size;
	uint64_t texts_size;
	uint64_t tar_size;
	uint8_t diff_id[DIGEST_SHA256_LEN];
};

struct index_entry {
	uint64_t size;
	uint64_t gap; /* in the stream, from the end of the payload before to this payload */
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t uid;
	uint32_t gid;
	uint32_t rdev_major;
	uint32_t rdev_minor;
	uint32_t xattr_count;
	uint32_t extent_count;
	uint16_t path_len;
	uint16_t link_len;
	uint16_t mode;
	uint8_t kind;
	uint8_t layout;
};

struct index_extent {
	uint64_t file_offset;
	uint64_t length;
};

struct index_xattr {
	uint32_t value_len;
	uint8_t name_len;
};

uint32_t index_pack_encoding(enum frame_encoding encoding);
/* False for a number that is none. */
bool index_unpack_encoding(uint32_t number, enum frame_encoding *out);

/* Version and uncompressed size, behind the magic of the stored form. */
void index_pack_stored(uint32_t version, uint64_t size, uint8_t out[static INDEX_STORED_SIZE]);
void index_unpack_stored(const uint8_t in[static INDEX_STORED_SIZE], uint32_t *version,
			 uint32_t *zero, uint64_t *size);

void index_pack_header(const struct index_header *h, uint8_t out[static INDEX_HEADER_SIZE]);
void index_unpack_header(const uint8_t in[static INDEX_HEADER_SIZE], struct index_header *out);
/* `tar_offset` is not a part of the record: 0. */
void index_pack_frame(const struct frame *f, uint8_t out[static INDEX_FRAME_SIZE]);
void index_unpack_frame(const uint8_t in[static INDEX_FRAME_SIZE], struct frame *out);
void index_pack_entry(const struct index_entry *en, uint8_t out[static INDEX_ENTRY_SIZE]);
void index_unpack_entry(const uint8_t in[static INDEX_ENTRY_SIZE], struct index_entry *out);
void index_pack_extent(const struct index_extent *x, uint8_t out[static INDEX_EXTENT_SIZE]);
void index_unpack_extent(const uint8_t in[static INDEX_EXTENT_SIZE], struct index_extent *out);
void index_pack_xattr(const struct index_xattr *x, uint8_t out[static INDEX_XATTR_SIZE]);
void index_unpack_xattr(const uint8_t in[static INDEX_XATTR_SIZE], struct index_xattr *out);

#endif
