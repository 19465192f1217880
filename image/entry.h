/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries: the members of a layer's tar stream, as every reader and writer here passes them on.
 *
 * A path is canonical: no leading "/" or "./", no "." or ".." or empty component, no trailing "/";
 * the root is "".  Bytes, not text.  Whiteouts are still plain entries named ".wh.<name>" here
 * (image/whiteout.h says what they mean).
 */
#ifndef IMAGE_ENTRY_H
#define IMAGE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/xattr.h"

enum entry_kind {
	ENTRY_REG,
	ENTRY_DIR,
	ENTRY_SYMLINK,
	ENTRY_HARDLINK, /* another name of the entry at `link`, an earlier path or one of a lower
			   layer */
	ENTRY_CHAR,
	ENTRY_BLOCK,
	ENTRY_FIFO,
};

/* A range of a file that has data in the tar stream; what lies between ranges is a hole. */
struct extent {
	uint64_t file_offset;
	uint64_t tar_offset; /* in the uncompressed stream */
	uint64_t length;     /* > 0 */
};

/* All pointers are borrowed from whoever produced the entry. */
struct entry {
	const char *path;
	size_t path_len;
	const char *link; /* symlink: the target verbatim; hardlink: a canonical path; else NULL */
	size_t link_len;
	enum entry_kind kind;
	uint32_t mode; /* permission bits with setuid, setgid, sticky: 07777 */
	uint32_t uid;
	uint32_t gid;
	uint32_t rdev_major; /* char, block */
	uint32_t rdev_minor;
	int64_t mtime; /* seconds */
	uint32_t mtime_nsec;
	uint64_t size;              /* ENTRY_REG: bytes of content, holes included */
	const struct xattr *xattrs; /* sorted by name */
	size_t xattr_count;
	uint64_t data_offset; /* ENTRY_REG: where the payload starts in the tar stream */
	uint64_t data_size;   /* bytes of payload in the stream; != size for GNU sparse members */
	/* Sorted, disjoint, inside the payload.  No extents and size > 0: one hole. */
	const struct extent *extents;
	size_t extent_count;
};

/*
 * Canonical form of a member's name (`len` bytes) into `out` (LIMIT_PATH + 1 bytes).  Strips
 * leading "/" and "./" and trailing "/", collapses "//" and "/./".  ERR_FORMAT for a ".."
 * component or a NUL, ERR_LIMIT for a path or a component that is too long.
 */
int entry_canonical_path(const char *name, size_t len, char *out, size_t *out_len, struct err *e);

/* S_IFMT bits | mode, as stat(2) has it; a hardlink has none of its own (0). */
uint32_t entry_st_mode(const struct entry *en);

/* The kind that the S_IFMT bits of a mode say; false for a socket, which no layer can hold. */
bool entry_kind_of(uint32_t st_mode, enum entry_kind *out);

/*
 * Order of a layer written by shale: component by component, bytewise, so that a directory comes
 * right before what it holds.  As strcmp.
 */
int entry_path_compare(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
