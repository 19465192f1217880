/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and folders of a store, opened without ever following a link.
 *
 * Private to store/.  A folder that is not there has the fd -1, and holds nothing.
 */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/stamp.h"
#include "base/str.h"
#include "store/store.h"

/* That an open file or folder belongs to this user or to root, and that nobody else may write to
 * it: 0, or -1 with ERR_UNTRUSTED, ERR_SYS.  `shown` names it in messages. */
int folder_check_owner(int fd, const char *shown, struct err *e);

/*
 * An fd of the folder `name` of `dirfd` (AT_FDCWD for a path).  ERR_NOT_FOUND; ERR_UNTRUSTED for a
 * symbolic link, and as folder_check_owner; ERR_FORMAT for what is no directory.
 */
int folder_open(int dirfd, const char *name, const char *shown, struct err *e);

/* A regular file for reading: an fd, or -1 with ERR_NOT_FOUND, ERR_FORMAT for anything else of that
 * name, ERR_SYS.  `st` may be NULL. */
int folder_open_file(int dirfd, const char *name, struct stat *st, struct err *e);

/* The same for a file that is believed as it is; as folder_check_owner, too. */
int folder_open_own(int dirfd, const char *name, struct stat *st, struct err *e);

/* All of a file; as folder_open_own, and ERR_LIMIT. */
int folder_read_own(int dirfd, const char *name, uint64_t limit, struct str *out, struct err *e);

/* Which file has a name, if one has. */
struct folder_stamp {
	bool is_there;
	struct stamp file;
};
struct folder_stamp folder_stamp(int dirfd, const char *name);
bool folder_stamp_equal(const struct folder_stamp *a, const struct folder_stamp *b);

/* Calls `each` for every name, as lstat(2) has it; it may remove it.  A name that goes away
 * meanwhile is left out. */
int folder_visit(int dirfd,
		 int (*each)(void *ctx, const char *name, const struct stat *st, struct err *e),
		 void *ctx, struct err *e);

/* 1 removed, 0 was not there, -1 with ERR_SYS.  A directory goes when it is empty. */
int folder_remove(int dirfd, const char *name, struct err *e);

/* The digest that `len` bytes of a name say in hex, sha256 or sha512 by their number. */
bool folder_parse_hex(const char *name, size_t len, struct digest *out);

/* Whether a write failed because there was no room. */
bool folder_is_full(const struct err *e);

/* Where nameless files go, the first choice first; only one in the store can get a name. */
enum folder_place {
	FOLDER_IN_STORE,
	FOLDER_IN_TMPDIR,
	FOLDER_IN_MEMORY,
};

/* The first place for a store: one that cannot be written is not tried. */
enum folder_place folder_first_place(const struct store *s);

/* A nameless file; `dir` for FOLDER_IN_STORE. */
int folder_spill(const struct store *s, enum store_dir dir, enum folder_place place, struct err *e);

/* After a failure: when there was no room, and `last` was not tried yet, clears the error and moves
 * on to the next place. */
bool folder_try_next(enum folder_place *place, enum folder_place last, struct err *e);

#endif
