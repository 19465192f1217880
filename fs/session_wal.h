/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write-ahead log of an edit session's database, after a power loss.
 *
 * Source: https://www.sqlite.org/fileformat2.html, section 4, "The Write-Ahead Log".
 */
#ifndef FS_SESSION_WAL_H
#define FS_SESSION_WAL_H

#include "base/err.h"

#define SESSION_WAL_NAME "meta.db-wal"
#define SESSION_SHM_NAME "meta.db-shm"

/*
 * Cuts the log of the session's folder `dirfd` behind the last transaction that has the mark
 * (fs/session_db.c), and syncs it; what came later may speak of data that never reached the disk,
 * the redo log, too, which is removed.
 * Nobody has the database open.  ERR_SYS.
 */
int session_wal_rewind(int dirfd, struct err *e);

#endif
