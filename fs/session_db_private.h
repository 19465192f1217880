/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared statements, and the batch of requests that they are in.  Private to fs/session_db.c,
 * fs/session_statement.c, fs/session_batch.c, fs/session_held.c, fs/session_rows.c and
 * fs/session_check.c.
 *
 * Functions return 0, or -1 with the errors of fs/session_db.h, where they do not say more.
 *
 * Shape of a change of rows; each parameter in the order of the statement:
 *
 *	struct session_change c = session_change(db, STATEMENT_PUT_EXTENT, CHANGE_BOTH);
 *	session_change_put_number(&c, ino); ...
 *	return session_change_run(&c, e) < 0 ? -1 : 0;
 */
#ifndef FS_SESSION_DB_PRIVATE_H
#define FS_SESSION_DB_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "fs/session_db.h"
#include "fs/session_held.h"
#include "fs/session_redo.h"
#include "fs/session_rows.h"

enum session_statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_MARK,
	STATEMENT_META,
	STATEMENT_PUT_META,
	STATEMENT_PUT_NEXT,
	STATEMENT_INODE,
	STATEMENT_INODE_NEXT,
	STATEMENT_PUT_INODE,
	STATEMENT_REMOVE_INODE,
	STATEMENT_REMOVE_INODE_NAMES,
	STATEMENT_REMOVE_INODE_XATTRS,
	STATEMENT_NAME,
	STATEMENT_NAME_MADE,
	STATEMENT_NAME_ABOVE,
	STATEMENT_PARENT_NEXT,
	STATEMENT_PUT_NAME,
	STATEMENT_REMOVE_NAME,
	STATEMENT_XATTR,
	STATEMENT_XATTR_ABOVE,
	STATEMENT_PUT_XATTR,
	STATEMENT_REMOVE_XATTR,
	STATEMENT_CONTENT,
	STATEMENT_PUT_CONTENT,
	STATEMENT_REMOVE_CONTENT,
	STATEMENT_EXTENT,
	STATEMENT_PUT_EXTENT,
	STATEMENT_REMOVE_EXTENTS,
	STATEMENT_CUT_EXTENT,
	STATEMENT_PUT_REPLY,
	STATEMENT_REPLY,
	STATEMENT_FORGET_REPLIES,
	STATEMENT_COUNT,
};

struct session_db {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	int wal_frames;
	struct session_held held;
	struct session_redo redo;
	uint64_t batch;     /* the number of the one that is being filled */
	unsigned changes;   /* of the batch */
	struct str record;  /* of the request: its changes so far */
	unsigned noted;     /* changes in it */
	bool is_in_request; /* between session_db_begin and session_db_commit or _rollback */
	bool is_small;      /* the batch is of one request */
	bool is_opened;     /* the log was read */
	/* A commit failed, and may be whole in the WAL all the same: after a kill what comes later
	 * in the log of this batch would be lost. */
	bool must_flush;
	bool is_note_lost; /* there was no memory for a change */
	/* SQLite has lost the batch, by an error: it is in the redo log alone. */
	bool is_behind;
};

/* The statement, ready for its parameters. */
sqlite3_stmt *session_statement(struct session_db *db, enum session_statement which);
/* All of them, once the tables are there. */
int session_prepare(struct session_db *db, struct err *e);

/* Runs it to its end: the rows that it changed, or -1.  Nothing of it is noted. */
int session_run(struct session_db *db, sqlite3_stmt *st, struct err *e);

/* The first row: 1 and the caller reads its columns and calls session_done; 0 none; -1. */
int session_row(struct session_db *db, sqlite3_stmt *st, struct err *e);
void session_done(sqlite3_stmt *st);
/* Parameter `at`, from 1; the bytes are used until it was run. */
void session_bind_bytes(sqlite3_stmt *st, int at, const void *bytes, size_t len);

/* How a change of rows is made. */
enum session_change_how {
	CHANGE_NOTED = 1,                       /* for the redo log */
	CHANGE_NOW = 2,                         /* in the database */
	CHANGE_BOTH = CHANGE_NOTED | CHANGE_NOW /* as most are */
};

/* The bytes are used until it was run. */
struct session_change {
	struct session_db *db;
	sqlite3_stmt *st; /* NULL: it is noted only */
	enum session_change_how how;
	int count; /* of parameters so far */
};
struct session_change session_change(struct session_db *db, enum session_statement which,
				     enum session_change_how how);
void session_change_put_number(struct session_change *c, uint64_t value);
void session_change_put_bytes(struct session_change *c, const void *bytes, size_t len);
/* Makes the change: the rows that it changed, 0 when it is noted only; -1, with ERR_NOMEM when it
 * could not be noted. */
int session_change_run(struct session_change *c, struct err *e);

/* fs/session_rows.c: all parameters of these. */
void session_change_put_inode(struct session_change *c, const struct session_inode *in);
void session_change_put_reply(struct session_change *c, unsigned slot,
			      const struct session_reply *r);

/* Does what one record of the redo log says.  ERR_FORMAT. */
int session_change_replay(struct session_db *db, const struct str *record, struct err *e);

/* The row of meta with this key; not noted. */
int session_db_put_meta(struct session_db *db, const char *key, uint64_t value, struct err *e);

/* What SQLite said last. */
int session_db_fail(const struct session_db *db, const char *what, struct err *e);

#endif
