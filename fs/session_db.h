/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database of an edit session, and its transactions.  Its rows: fs/session_rows.h.
 *
 * Format: docs/shale-session.5.scd.
 * SQLite in WAL mode.  What a request changes is in the redo log (fs/session_redo.h) when it
 * returns, so that a killed process loses none of it; many requests become one transaction. Nothing
 * is synced but by session_db_sync, and nothing is copied from the WAL into the database before it
 * is: after a power loss session_wal_rewind finds what was synced last.
 *
 * Errors: ERR_SYS with ENOSPC for a full disk and EIO for what SQLite could not read or write,
 * ERR_FORMAT for a damaged database, ERR_UNSUPPORTED for one of a newer shale, ERR_BUSY.
 * Threads: one at a time.
 */
#ifndef FS_SESSION_DB_H
#define FS_SESSION_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/scope.h"

#define SESSION_DB_NAME "meta.db"

enum {
	SESSION_DB_VERSION = 1,
	/* How inodes of a base are numbered: by image/catalog.h, plus 1.  Rows speak of them by
	 * number alone, so another order, or a tree that is merged otherwise, is another rule. */
	SESSION_NUMBERING = 1,
};

struct session_db;

enum {
	SESSION_DB_CREATE = 1,
	SESSION_DB_READ = 2, /* a copy, by session_db_copy */
};

/* `dirfd`: the session's folder (borrowed).  With SESSION_DB_CREATE it is made when it is not
 * there. `base_count`: inodes of the base, 1 to this; ERR_FORMAT when it was made over another
 * number of them, ERR_UNSUPPORTED when they were numbered by another rule. */
#define SESSION_DB_ANY_BASE UINT64_MAX /* not compared */
int session_db_open(int dirfd, unsigned flags, uint64_t base_count, struct session_db **out,
		    struct err *e);
void session_db_close(struct session_db *db);
SCOPE_DEFINE(session_db, struct session_db *, session_db_close)

/* Every page and index; for resuming and fsck.  ERR_FORMAT. */
int session_db_check(struct session_db *db, struct err *e);

/* A copy of it as it is, for SESSION_DB_READ, as `SESSION_DB_NAME` in the folder `dirfd`, which has
 * none.  Not in a request; the copy is not synced. */
int session_db_copy(struct session_db *db, int dirfd, struct err *e);

/* A request.  Rows are changed between these two; what they changed is safe from a kill when
 * session_db_commit has returned.  After -1 of either, and of whatever is between them,
 * session_db_rollback. */
int session_db_begin(struct session_db *db, struct err *e);
int session_db_commit(struct session_db *db, struct err *e);
void session_db_rollback(struct session_db *db);

/* Of one request, or of many. */
void session_db_limit_batch(struct session_db *db, bool is_small);

/* Frames of the WAL: grows until session_db_checkpoint. */
int session_db_wal_frames(const struct session_db *db);
/* Commits a mark, and all before it, to the disk.  The data that rows speak of was synced. */
int session_db_sync(struct session_db *db, struct err *e);
/* Right after session_db_sync: moves the WAL into the database. */
int session_db_checkpoint(struct session_db *db, struct err *e);
/* The same, and the log gives its room back. */
int session_db_empty_log(struct session_db *db, struct err *e);

/* The first of `count` numbers that were never given out. */
int session_db_reserve(struct session_db *db, uint64_t count, uint64_t *first, struct err *e);

#endif
