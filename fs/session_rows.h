/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of an edit session: which inodes and names of an image are others now.
 *
 * No meaning here: fs/session.h says what they do.  Format: docs/shale-session.5.scd.
 * Errors and threads: as fs/session_db.h.
 */
#ifndef FS_SESSION_ROWS_H
#define FS_SESSION_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/limits.h"
#include "fs/session_db.h"

/* Where the content of a regular file is, besides what it still has of the base. */
enum session_place {
	SESSION_NOWHERE, /* nothing was written to it */
	SESSION_IN_ROW,
	SESSION_IN_FILE,
};

struct session_inode {
	uint64_t ino; /* catalog inode + 1 for one of the base */
	uint32_t mode, uid, gid, nlink;
	uint32_t rdev_major, rdev_minor;
	uint64_t size;
	struct timespec atim, mtim, ctim;
	uint64_t parent;     /* of a directory */
	uint64_t lower_size; /* regular: bytes of the base's content that show where nothing was
				written */
	enum session_place place;
	uint32_t version; /* of the data file, which has it in its name */
	bool has_xattrs;  /* its xattrs are rows here; else those of the base */
	bool is_stored;   /* false: no row, as the base has it */
};

struct session_name {
	uint64_t parent;
	uint64_t ino;   /* 0: the base's name is gone (a whiteout) */
	uint64_t order; /* of creation, for readdir; 0 for a name that the base has, too */
	uint32_t type;  /* S_IFMT bits */
	size_t len;
	char name[LIMIT_NAME + 1]; /* NUL at the end */
};

/* Blocks of a file that are in its data file, `end` exclusive. */
struct session_extent {
	uint64_t start, end;
};

/* What a request was answered with: kept with what the request changed. */
struct session_reply {
	uint64_t unique;
	uint64_t ino; /* that it made or found; 0 */
};

/* 1, 0 no row, -1. */
int session_db_inode(struct session_db *db, uint64_t ino, struct session_inode *out, struct err *e);
/* The first row above `after`: 1, 0, -1. */
int session_db_inode_next(struct session_db *db, uint64_t after, struct session_inode *out,
			  struct err *e);
int session_db_put_inode(struct session_db *db, const struct session_inode *in, struct err *e);
/* The row and all that belongs to it; of a directory its names, too. */
int session_db_remove_inode(struct session_db *db, const struct session_inode *in, struct err *e);

int session_db_name(struct session_db *db, uint64_t parent, const char *name, size_t len,
		    struct session_name *out, struct err *e);
/* The first that was made after `order`; names of the base are left out. */
int session_db_name_made(struct session_db *db, uint64_t parent, uint64_t order,
			 struct session_name *out, struct err *e);
/* The first bytewise above `name`; "" with `len` 0 for the first of all. */
int session_db_name_above(struct session_db *db, uint64_t parent, const char *name, size_t len,
			  struct session_name *out, struct err *e);
/* The first directory above `after` that has rows: 1, 0, -1. */
int session_db_parent_next(struct session_db *db, uint64_t after, uint64_t *out, struct err *e);
int session_db_put_name(struct session_db *db, const struct session_name *in, struct err *e);
int session_db_remove_name(struct session_db *db, uint64_t parent, const char *name, size_t len,
			   struct err *e);

/* Value and its length; `value` (LIMIT_XATTR_VALUE) may be NULL. */
int session_db_xattr(struct session_db *db, uint64_t ino, const char *name, void *value,
		     size_t *len, struct err *e);
/* The first name above `name` ("" at first). */
int session_db_xattr_above(struct session_db *db, uint64_t ino, const char *name,
			   char out[static LIMIT_XATTR_NAME + 1], size_t *value_len, struct err *e);
int session_db_put_xattr(struct session_db *db, uint64_t ino, const char *name, const void *value,
			 size_t len, struct err *e);
/* 1 removed, 0 was not there. */
int session_db_remove_xattr(struct session_db *db, uint64_t ino, const char *name, struct err *e);

/* Content of a small file, or the target of a link: up to `size` bytes of it into `buf`. */
int session_db_content(struct session_db *db, uint64_t ino, void *buf, size_t size, size_t *len,
		       struct err *e);
int session_db_put_content(struct session_db *db, uint64_t ino, const void *bytes, size_t len,
			   struct err *e);
int session_db_remove_content(struct session_db *db, uint64_t ino, struct err *e);

/* The first extent that ends above block `at`: 1, 0, -1. */
int session_db_extent(struct session_db *db, uint64_t ino, uint64_t at, struct session_extent *out,
		      struct err *e);
/* Joined with what it touches. */
int session_db_add_extent(struct session_db *db, uint64_t ino, const struct session_extent *x,
			  struct err *e);
/* Nothing is left from block `at` on. */
int session_db_cut_extents(struct session_db *db, uint64_t ino, uint64_t at, struct err *e);

int session_db_put_reply(struct session_db *db, unsigned slot, const struct session_reply *r,
			 struct err *e);
int session_db_forget_replies(struct session_db *db, struct err *e);
/* The reply to `unique`: 1, 0, -1. */
int session_db_reply(struct session_db *db, uint64_t unique, struct session_reply *out,
		     struct err *e);

#endif
