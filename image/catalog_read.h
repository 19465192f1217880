/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open catalog, and the only ways in which its bytes are read: by copying a checked range of a
 * section, or one record of it.
 *
 * Private to image/catalog*.c.
 */
#ifndef IMAGE_CATALOG_READ_H
#define IMAGE_CATALOG_READ_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/mapping.h"
#include "image/catalog.h"
#include "image/catalog_format.h"

struct catalog {
	struct mapping map;
	struct catalog_header header;
	struct catalog_layer_record *layers;
	bool has_large_pages;           /* than CATALOG_TABLE_ALIGN */
	atomic_uint_least64_t *checked; /* one bit a block: matched its digest */
};

/* "the catalog is damaged: <what>"; ERR_FORMAT. */
int catalog_malformed(const char *what, struct err *e);

/* Copies `size` bytes at `offset` of a section, whose blocks match their digests.  ERR_FORMAT when
 * the section ends before; ERR_DIGEST. */
int catalog_fetch(const struct catalog *c, enum catalog_section section, uint64_t offset, void *out,
		  size_t size, struct err *e);

/* All blocks; ERR_DIGEST. */
int catalog_fetch_all(const struct catalog *c, struct err *e);

/* The record, with its mode, times and size possible.  ERR_NOT_FOUND. */
int catalog_inode_get(const struct catalog *c, uint32_t inode, struct catalog_inode *out,
		      struct err *e);
/* The same, of a kind (S_IFMT bits); else ERR_UNSUPPORTED. */
int catalog_inode_get_kind(const struct catalog *c, uint32_t inode, uint32_t type,
			   struct catalog_inode *out, struct err *e);

/* First dirent and their count, inside the section.  `dir` is a directory. */
int catalog_dirents_of(const struct catalog_inode *dir, const struct catalog *c, uint32_t *first,
		       uint32_t *count, struct err *e);
/* The record, with its numbers in bounds, and a directory's number above its parent's: so no walk
 * up or down ever comes to the same directory again. */
int catalog_dirent_get(const struct catalog *c, uint32_t dirent, struct catalog_dirent_record *out,
		       struct err *e);
/* Its name: `name_len` bytes that can be one. */
int catalog_dirent_name(const struct catalog *c, const struct catalog_dirent_record *d,
			char out[static LIMIT_NAME], struct err *e);
/* The `at`-th dirent of an inode's names: 1, 0 no more, -1. */
int catalog_dirent_of(const struct catalog *c, uint32_t inode, uint32_t at, uint32_t *dirent,
		      struct catalog_dirent_record *out, struct err *e);

/* A member of an xattr set, and where the next one is. */
struct catalog_xattr_cursor {
	uint64_t offset; /* in the section */
	uint64_t end;
	uint32_t left; /* members */
	size_t name_len;
	size_t value_len;
	uint64_t value_offset;
	char name[LIMIT_XATTR_NAME + 1]; /* NUL at the end */
};
/* Before the first member; an inode without xattrs has none left. */
int catalog_xattr_start(const struct catalog *c, const struct catalog_inode *i,
			struct catalog_xattr_cursor *out, struct err *e);
/* 1, 0 no more, -1. */
int catalog_xattr_next(const struct catalog *c, struct catalog_xattr_cursor *at, struct err *e);

/* The `at`-th extent of a file, inside the file and its layer. */
int catalog_extent_get(const struct catalog *c, const struct catalog_inode *i, uint32_t at,
		       struct extent *out, struct err *e);

#endif
