/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch of requests that is one transaction of a session's database, still open, and the redo
 * log of them.  Private, as fs/session_db_private.h.
 *
 * Errors: those of fs/session_db.h.
 */
#ifndef FS_SESSION_BATCH_H
#define FS_SESSION_BATCH_H

#include "fs/session_db.h"

/* Of the table meta: the number of the batch that is being filled. */
#define SESSION_DB_BATCH "batch"

/* Before the database is read, which may have lost the batch: it is done again.  ERR_SYS with EIO
 * within a request, which is lost with it. */
int session_batch_ready(struct session_db *db, struct err *e);
/* After an error: SQLite may have rolled back. */
void session_batch_note_loss(struct session_db *db);
/* What the redo log has of the batch is done; when the database was opened. */
int session_batch_restore(struct session_db *db, struct err *e);
/* For who reads whole tables of the database. */
int session_batch_write_held(struct session_db *db, struct err *e);
/* A number for the next batch, as a row. */
int session_batch_number(struct session_db *db, uint64_t *out, struct err *e);
/* The batch is committed; not in a request. */
int session_batch_flush(struct session_db *db, struct err *e);
/* Right after a flush: a transaction of its own for the mark. */
int session_batch_mark(struct session_db *db, struct err *e);

#endif
