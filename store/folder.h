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
#include "base/str.h"
#include "store/store.h"

/*
 * An fd of the folder `name` of `dirfd` (AT_FDCWD for a path).  ERR_NOT_FOUND; ERR_UNTRUSTED for a
 * symbolic link, another owner than this user, or one that others may write; ERR_FORMAT for what is
 * no directory.  `shown` names it in messages.
 */
int folder_open(int dirfd, const char *name, const char *shown, struct err *e);

/* A regular file for reading: an fd, or -1 with ERR_NOT_FOUND, ERR_FORMAT for anything else of that
 * name, ERR_SYS.  `st` may be NULL. */
int folder_open_file(int dirfd, const char *name, struct stat *st, struct err *e);

/* All of a regular file; as folder_open_file, and ERR_LIMIT. */
int folder_read_file(int dirfd, const char *name, uint64_t limit, struct str *out, struct err *e);

/* Calls `each` for every name, as lstat(2) has it; it may remove it.  A name that goes away
 * meanwhile is left out. */
int folder_visit(int dirfd,
		 int (*each)(void *ctx, const char *name, const struct stat *st, struct err *e),
		 void *ctx, struct err *e);

/* 1 removed, 0 was not there, -1 with ERR_SYS. */
int folder_remove(int dirfd, const char *name, struct err *e);

/* The digest that `len` bytes of a name say in hex, sha256 or sha512 by their number. */
bool folder_parse_hex(const char *name, size_t len, struct digest *out);

/* A nameless file for what cannot be kept: in `dir` of the store, or, when the store cannot be
 * written, in $TMPDIR. */
int folder_spill(const struct store *s, enum store_dir dir, struct err *e);

#endif
