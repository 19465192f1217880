/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a catalog file: header, records, and the layout that follows from section sizes.
 * Format: docs/shale-catalog.5.scd.  All numbers are little endian.
 *
 * Unpacking copies numbers out and judges nothing: who uses a number checks it.
 *
 * Private to image/catalog*.c.
 */
#ifndef IMAGE_CATALOG_FORMAT_H
#define IMAGE_CATALOG_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/limits.h"
#include "image/catalog.h"

#define CATALOG_MAGIC "SHLCTLG\n" /* the newline tells of transfers that change text */

enum {
	CATALOG_VERSION = 1,
	CATALOG_HEADER_SIZE = 4096, /* a page, so that blocks are made of whole pages */
	CATALOG_BLOCK =
		16 * 1024,  /* bytes that one digest covers; measured: docs/shale-catalog.5.scd */
	CATALOG_ALIGN = 64, /* of sections: no inode lies in two blocks */
	CATALOG_TABLE_ALIGN = 4096, /* a page of its own: see catalog_settle */
	CATALOG_XATTR_UNIT = 8,     /* xattr sets are named by offset / 8: 32 bits reach 32 GiB */

	CATALOG_LAYER_SIZE = 192,
	CATALOG_INODE_SIZE = 64,
	CATALOG_DIRENT_SIZE = 16,
	CATALOG_EXTENT_SIZE = 24,
	CATALOG_LINK_SIZE = 4,
	CATALOG_FRAME_SIZE = 56,
	CATALOG_XATTR_HEAD = 8, /* of a set: members, bytes; of a member: bytes of name and value */
};

#define CATALOG_NONE     UINT32_MAX       /* no xattrs; no name (the root) */
#define CATALOG_FILE_MAX (64 * LIMIT_GIB) /* far above what LIMIT_ENTRIES inodes take */

enum catalog_section {
	CATALOG_LAYERS,
	CATALOG_INODES,
	CATALOG_DIRENTS,
	CATALOG_NAMES,
	CATALOG_TARGETS,
	CATALOG_XATTRS,
	CATALOG_EXTENTS,
	CATALOG_LINKS,
	CATALOG_FRAMES,
	CATALOG_SECTION_COUNT,
};

struct catalog_span {
	uint64_t offset; /* in the file */
	uint64_t size;
};

enum catalog_header_flags { CATALOG_HAS_XATTRS = 1 };

struct catalog_header {
	uint64_t file_size;
	uint32_t flags;
	uint32_t inode_count;
	uint32_t dirent_count;
	uint32_t layer_count;
	uint64_t content_size;
	struct catalog_span sections[CATALOG_SECTION_COUNT];
	struct catalog_span table;
	uint8_t table_sha256[DIGEST_SHA256_LEN];
};

struct catalog_layer_record {
	struct catalog_layer layer;
	uint64_t tar_size;
	uint64_t first_frame; /* in the section of frames */
};

enum catalog_inode_flags { CATALOG_HAS_EXTENTS = 1 };

struct catalog_inode {
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink;
	uint64_t size;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t xattrs; /* offset of the set / CATALOG_XATTR_UNIT, or CATALOG_NONE */
	uint32_t name; /* dirent; for a hardlinked inode the first of its links; or CATALOG_NONE */
	uint16_t layer;
	uint16_t flags;
	/* Regular: tar offset, or first extent and their count; directory: first dirent and their
	 * count; symlink: offset of the target; device: major and minor. */
	uint64_t where;
	uint64_t data_bytes;
};

struct catalog_dirent_record {
	uint32_t inode;
	uint32_t parent;
	uint32_t name_offset;
	uint8_t name_len;
	uint8_t type; /* S_IFMT bits >> CATALOG_TYPE_SHIFT */
};
enum { CATALOG_TYPE_SHIFT = 12 };

/* `where` when it is two numbers, the first one in the low half. */
static inline uint64_t catalog_pair(uint32_t first, uint32_t second)
{
	return (uint64_t)second << 32 | first;
}

/* All offsets and the file's size, from the sections' sizes; false above CATALOG_FILE_MAX. */
bool catalog_layout(struct catalog_header *h);
uint64_t catalog_block_count(const struct catalog_header *h);

void catalog_pack_header(const struct catalog_header *h, uint8_t out[static CATALOG_HEADER_SIZE]);
/* Checks magic, version, the header's digest, every size and count.  ERR_FORMAT, ERR_DIGEST. */
int catalog_unpack_header(const uint8_t in[static CATALOG_HEADER_SIZE], struct catalog_header *out,
			  struct err *e);

/* Unpacking: ERR_FORMAT for an unknown digest or encoding. */
void catalog_pack_layer(const struct catalog_layer_record *l,
			uint8_t out[static CATALOG_LAYER_SIZE]);
int catalog_unpack_layer(const uint8_t in[static CATALOG_LAYER_SIZE],
			 struct catalog_layer_record *out, struct err *e);

void catalog_pack_inode(const struct catalog_inode *i, uint8_t out[static CATALOG_INODE_SIZE]);
void catalog_unpack_inode(const uint8_t in[static CATALOG_INODE_SIZE], struct catalog_inode *out);
void catalog_pack_dirent(const struct catalog_dirent_record *d,
			 uint8_t out[static CATALOG_DIRENT_SIZE]);
void catalog_unpack_dirent(const uint8_t in[static CATALOG_DIRENT_SIZE],
			   struct catalog_dirent_record *out);
void catalog_pack_extent(const struct extent *x, uint8_t out[static CATALOG_EXTENT_SIZE]);
void catalog_unpack_extent(const uint8_t in[static CATALOG_EXTENT_SIZE], struct extent *out);
void catalog_pack_frame(const struct frame *f, uint8_t out[static CATALOG_FRAME_SIZE]);
void catalog_unpack_frame(const uint8_t in[static CATALOG_FRAME_SIZE], struct frame *out);
/* The head of an xattr set or member. */
void catalog_pack_xattr(uint32_t first, uint32_t second, uint8_t out[static CATALOG_XATTR_HEAD]);
void catalog_unpack_xattr(const uint8_t in[static CATALOG_XATTR_HEAD], uint32_t *first,
			  uint32_t *second);
void catalog_pack_link(uint32_t dirent, uint8_t out[static CATALOG_LINK_SIZE]);
uint32_t catalog_unpack_link(const uint8_t in[static CATALOG_LINK_SIZE]);

#endif
