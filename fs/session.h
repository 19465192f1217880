/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edit session: an image's tree that can be changed, by inode numbers as a file system has them.
 *
 * The base is a view and never changes.  What differs is rows of a database (fs/session_rows.h)
 * and, for content that is not small, files named by inode number; both live in a folder that the
 * caller opened and locked.  Inode numbers: catalog inode + 1 for those of the base, under whatever
 * name they are now; new ones follow and are not used twice.
 *
 * Every function that changes something does it whole or not: when it returns 0, a killed process
 * loses nothing of it; after session_sync a power loss neither.
 * Errors are ERR_SYS with the errno of POSIX (ENOENT, ENOTEMPTY, ENOSPC, ...); ERR_NOT_FOUND for an
 * inode that is none; ERR_FORMAT for a damaged session; those of view.h for the base.
 *
 * Threads: any; one mutex.
 */
#ifndef FS_SESSION_H
#define FS_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "base/scope.h"
#include "fs/session_caller.h"
#include "fs/view.h"

#define SESSION_ROOT UINT64_C(1)

struct session;

enum {
	SESSION_CREATE = 1,    /* the folder may be new */
	SESSION_TAKE_OVER = 2, /* from a process that died while it was mounted */
	SESSION_READ = 4,      /* the copy that session_freeze makes; nothing can be changed */
	SESSION_NO_BASE = 8,   /* `base` is any: the session's own image is lost */
};

/*
 * `dirfd`, `datafd`: the session's folder and its folder data (borrowed until session_close).  The
 * caller holds the folder's lock, except for SESSION_READ.  ERR_FORMAT: the database is damaged;
 * ERR_UNSUPPORTED: of a newer shale.
 */
int session_open(struct view *base, int dirfd, int datafd, unsigned flags, struct session **out,
		 struct err *e);
void session_close(struct session *s); /* syncs; what cannot be synced is logged */
SCOPE_DEFINE(session, struct session *, session_close)

struct view *session_base(const struct session *s); /* borrowed */

/* Whether `unique` was carried out: 1 and the inode that it made or found, 0, -1. */
int session_replay(struct session *s, uint64_t unique, uint64_t *ino, struct err *e);

int session_stat(struct session *s, uint64_t ino, struct stat *st, struct err *e);

/* 1 found, 0 not there, -1.  "." and ".." too. */
int session_lookup(struct session *s, uint64_t dir, const char *name, uint64_t *ino, struct err *e);

struct session_dirent {
	uint64_t ino;
	uint32_t type; /* S_IFMT bits */
	uint64_t next; /* where the entry after it is */
	char name[LIMIT_NAME + 1];
};

/*
 * The entry at `at`: 0, or the `next` of an earlier one: 1, 0 at the end, -1.  "." and ".." come
 * first.  Names that stay while a directory is read are given once, whatever happens to others.
 */
int session_readdir(struct session *s, uint64_t dir, uint64_t at, struct session_dirent *out,
		    struct err *e);

/* Target of a link, NUL at the end. */
int session_readlink(struct session *s, uint64_t ino, char out[static LIMIT_SYMLINK + 1],
		     struct err *e);

/* `mode` with its S_IFMT bits: a file, directory, device, FIFO, socket; a link with `target`. */
struct session_new {
	const char *name;
	uint32_t mode;
	uint32_t rdev_major, rdev_minor;
	const char *target; /* NULL: no link */
};
int session_create(struct session *s, const struct session_caller *who, uint64_t dir,
		   const struct session_new *what, uint64_t *ino, struct err *e);
int session_link(struct session *s, const struct session_caller *who, uint64_t ino, uint64_t dir,
		 const char *name, struct err *e);
int session_unlink(struct session *s, const struct session_caller *who, uint64_t dir,
		   const char *name, struct err *e);
int session_rmdir(struct session *s, const struct session_caller *who, uint64_t dir,
		  const char *name, struct err *e);

struct session_move {
	uint64_t from_dir;
	const char *from;
	uint64_t to_dir;
	const char *to;
	unsigned flags; /* RENAME_NOREPLACE, RENAME_EXCHANGE */
};
int session_rename(struct session *s, const struct session_caller *who,
		   const struct session_move *m, struct err *e);

enum {
	SESSION_SET_MODE = 1,
	SESSION_SET_UID = 2,
	SESSION_SET_GID = 4,
	SESSION_SET_SIZE = 8,
	SESSION_SET_ATIME = 16,
	SESSION_SET_MTIME = 32,
	SESSION_SET_ATIME_NOW = 64,
	SESSION_SET_MTIME_NOW = 128,
	SESSION_KILL_PRIV = 256, /* setuid, setgid go, as for a caller without CAP_FSETID */
	SESSION_KEEP_PRIV = 512, /* security.capability, which any write takes away, stays, too */
};
/* What `set` says of `st`: st_mode (permission bits), st_uid, st_gid, st_size, st_atim, st_mtim. */
int session_setattr(struct session *s, const struct session_caller *who, uint64_t ino,
		    const struct stat *st, unsigned set, struct err *e);

/* As getxattr(2) and listxattr(2), see catalog.h. */
int session_getxattr(struct session *s, uint64_t ino, const char *name, void *buf, size_t size,
		     size_t *len, struct err *e);
int session_listxattr(struct session *s, uint64_t ino, char *buf, size_t size, size_t *len,
		      struct err *e);
/* NOLINTNEXTLINE(readability-function-size): setxattr(2), who asks for it, and of whom */
int session_setxattr(struct session *s, const struct session_caller *who, uint64_t ino,
		     const char *name, const void *value, size_t len, int flags, struct err *e);
int session_removexattr(struct session *s, const struct session_caller *who, uint64_t ino,
			const char *name, struct err *e);

/* The kernel was told of an inode, or forgot it: one without a name lives until the last of it. */
int session_remember(struct session *s, uint64_t ino, struct err *e);
void session_forget(struct session *s, uint64_t ino, uint64_t count);

int session_sync(struct session *s, struct err *e); /* all that was done is on the disk */
int session_sync_inode(struct session *s, uint64_t ino, struct err *e); /* to the inode */
/* As session_sync when it is due, and what can wait; for a thread that calls it now and then. */
int session_settle(struct session *s, struct err *e);

/* Free space of the file system that holds the session. */
int session_statfs(struct session *s, struct statvfs *out, struct err *e);

#endif
