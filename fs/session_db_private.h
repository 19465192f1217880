/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepared statements.  Private to fs/session_db.c and fs/session_rows.c.
 */
#ifndef FS_SESSION_DB_PRIVATE_H
#define FS_SESSION_DB_PRIVATE_H

#include <sqlite3.h>

#include "fs/session_db.h"

enum session_statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_MARK,
	STATEMENT_META,
	STATEMENT_PUT_META,
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
	bool is_in_transaction;
};

/* The statement, ready for its parameters. */
sqlite3_stmt *session_statement(struct session_db *db, enum session_statement which);

/* Runs it to its end: the rows that it changed, or -1. */
int session_run(struct session_db *db, sqlite3_stmt *st, struct err *e);

/* The first row: 1 and the caller reads its columns and calls session_done; 0 none; -1. */
int session_row(struct session_db *db, sqlite3_stmt *st, struct err *e);
void session_done(sqlite3_stmt *st);

/* What SQLite said last. */
int session_db_fail(const struct session_db *db, const char *what, struct err *e);

#endif
