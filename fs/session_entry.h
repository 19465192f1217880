/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An inode of an edit session as an entry, for a layer or a tar.
 *
 * Threads: one for each struct session_entry.  Errors: as fs/session.h.
 */
#ifndef FS_SESSION_ENTRY_H
#define FS_SESSION_ENTRY_H

#include <sys/stat.h>

#include "base/limits.h"
#include "base/scope.h"
#include "base/str.h"
#include "fs/session.h"
#include "image/entry.h"

/* Room that is used again. */
struct session_entry {
	struct session *session; /* borrowed */
	struct str text;         /* names of xattrs, and values */
	struct xattr *xattrs;
	char target[LIMIT_SYMLINK + 1];
};

#define SESSION_ENTRY_INIT(of)                     \
	{                                          \
		.session = (of), .text = STR_INIT, \
	}

/* What the inode is, whatever its name: all but path, kind and xattrs.  `st` as session_stat has
 * it.  The target of a link is borrowed until the next call. */
int session_entry_describe(struct session_entry *r, const struct stat *st, struct entry *en,
			   struct err *e);
/* Its xattrs, sorted; borrowed until the next call. */
int session_entry_xattrs(struct session_entry *r, uint64_t ino, struct entry *en, struct err *e);

void session_entry_fini(struct session_entry *r);
SCOPE_DEFINE_VALUE(session_entry, struct session_entry, session_entry_fini)

#endif
