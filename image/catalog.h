/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog: an image's merged tree as one immutable file that is used by mapping it.
 *
 * Inodes, directory entries, names, symlink targets, xattrs, extents, and the frames of all layers:
 * all that a mount needs, so that mounting is opening a file, and memory does not grow with the
 * image. Inode 0 is the root; numbers are stable: a pure function of the layers.  Format:
 * docs/shale-catalog.5.scd.
 *
 * Its bytes are never trusted.  Blocks carry SHA-256 digests, which the header's own digest covers;
 * a block is checked when it is first touched; every number is checked where it is used; a file
 * cut short under us reads as damaged (base/mapping.h).  Any of this is ERR_DIGEST or
 * ERR_FORMAT, and the catalog is to be built anew.  Everything is copied out: no pointer into the
 * mapping leaves this module.
 *
 * Threads: a catalog is immutable and shared (the set of checked blocks is atomic bits).
 */
#ifndef IMAGE_CATALOG_H
#define IMAGE_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/scope.h"
#include "image/frame.h"
#include "image/merge.h"

enum { CATALOG_ROOT = 0 };

/* What a layer of the catalog is read from. */
struct catalog_layer {
	struct digest index; /* of the encoded layer index that the tree came from */
	struct digest blob;  /* of the layer's blob, as the manifest names it */
	bool is_reframed;    /* frames are in the store's derived file, not in the blob */
	enum frame_encoding encoding;
	uint64_t frame_count;
};

/* Writes the catalog of `m` to `fd` (borrowed, at offset 0; regular file).  `layers` has
 * one element for each layer of `m`; frame_count and encoding are taken from the indexes. */
int catalog_write(const struct merge *m, const struct catalog_layer *layers, int fd, struct err *e);

struct catalog;

/* Maps `fd` (borrowed; may be closed afterwards); checks header, sizes, the layer table, and that
 * the root is a directory. */
int catalog_open(int fd, struct catalog **out, struct err *e);
void catalog_free(struct catalog *c);
SCOPE_DEFINE(catalog, struct catalog *, catalog_free)

size_t catalog_layer_count(const struct catalog *c);
int catalog_layer(const struct catalog *c, size_t at, struct catalog_layer *out, struct err *e);

uint32_t catalog_inode_count(const struct catalog *c);
uint64_t catalog_content_size(const struct catalog *c); /* bytes of all regular files */
bool catalog_has_xattrs(const struct catalog *c);       /* any inode */

struct catalog_stat {
	uint32_t mode; /* S_IFMT and permission bits */
	uint32_t uid;
	uint32_t gid;
	uint32_t nlink; /* directories: 2 + subdirectories */
	uint32_t rdev_major;
	uint32_t rdev_minor;
	uint64_t size;       /* regular: bytes; symlink: length of the target; directory: 0 */
	uint64_t data_bytes; /* regular: bytes that are not holes */
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t layer; /* that describes it, and has the content of a regular file */
};

/* All of these: ERR_NOT_FOUND for an inode number that is none, ERR_UNSUPPORTED for the wrong kind
 * (a name in a file), ERR_DIGEST or ERR_FORMAT for damage. */
int catalog_stat(const struct catalog *c, uint32_t inode, struct catalog_stat *out, struct err *e);

/* 1 found, 0 not there, -1. */
int catalog_lookup(const struct catalog *c, uint32_t dir, const char *name, size_t len,
		   uint32_t *out, struct err *e);

struct catalog_dirent {
	uint32_t inode;
	uint32_t type; /* S_IFMT bits */
	size_t name_len;
	char name[LIMIT_NAME + 1]; /* bytes, NUL at the end */
};

/* The `at`-th name of a directory, from 0, in bytewise order: 1, 0 past the end, -1. */
int catalog_readdir(const struct catalog *c, uint32_t dir, uint64_t at, struct catalog_dirent *out,
		    struct err *e);

/* Of a directory; the root is its own parent. */
int catalog_parent(const struct catalog *c, uint32_t dir, uint32_t *out, struct err *e);

/* The `at`-th name of an inode (hardlinks have several): 1 and the directory and name, 0 no
 * more. */
int catalog_name(const struct catalog *c, uint32_t inode, uint32_t at, uint32_t *dir,
		 struct catalog_dirent *out, struct err *e);

/* Target and its length, without a NUL; `out` has LIMIT_SYMLINK bytes. */
int catalog_readlink(const struct catalog *c, uint32_t inode, char out[static LIMIT_SYMLINK],
		     size_t *len, struct err *e);

/* The value: 1 and its length, copied when it fits into `size` bytes; 0 no such xattr. */
int catalog_getxattr(const struct catalog *c, uint32_t inode, const char *name, void *buf,
		     size_t size, size_t *len, struct err *e);
/* NUL-terminated names, one after the other, as listxattr(2): the length; copied when it fits. */
int catalog_listxattr(const struct catalog *c, uint32_t inode, char *buf, size_t size, size_t *len,
		      struct err *e);

/* Whether two inodes, of one catalog or two, have the same xattrs: 1, 0, -1. */
int catalog_same_xattrs(const struct catalog *a, uint32_t inode_a, const struct catalog *b,
			uint32_t inode_b, struct err *e);

/* What is at `offset` of a regular file, up to the file's end: data in a layer, or a hole. */
struct catalog_range {
	bool is_hole;
	uint32_t layer;
	uint64_t tar_offset; /* of `offset` itself */
	uint64_t length;     /* bytes from `offset`; 0 at or past the end of the file */
};
int catalog_range(const struct catalog *c, uint32_t inode, uint64_t offset,
		  struct catalog_range *out, struct err *e);

/* The frame of `layer` that holds `tar_offset`, and its number there. */
int catalog_frame(const struct catalog *c, uint32_t layer, uint64_t tar_offset, uint32_t *number,
		  struct frame *out, struct err *e);

/* Frame `number` of `layer`. */
int catalog_frame_number(const struct catalog *c, uint32_t layer, uint32_t number,
			 struct frame *out, struct err *e);

/* Path of an inode's first name from the root ("/usr/bin/env"), appended to `out`. */
int catalog_path(const struct catalog *c, uint32_t inode, struct str *out, struct err *e);

/* As merge_resolve: 1 found, 0 not there, -1. */
int catalog_resolve(const struct catalog *c, const char *path, bool follow, uint32_t *out,
		    struct err *e);

/* Checks every block, and every number of every record; what fsck runs. */
int catalog_check(const struct catalog *c, struct err *e);

#endif
