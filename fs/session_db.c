/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a mark: SQLite syncs the WAL with all that is in it, and rows in it may speak of data files
 * that are not on the disk yet.  The kernel writes WAL pages out when it likes, too.  So after a
 * power loss only what came before the last mark is believed: session_db_sync writes the mark into
 * the WAL when all data before it was synced, and the database itself is written by a checkpoint
 * right after that alone.  The mark has a page of its own, the second of the file, which no other
 * transaction touches: fs/session_wal.c finds it by its number.
 */
#include "fs/session_db.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "fs/session_batch.h"
#include "fs/session_db_private.h"
#include "fs/session_vfs.h"

enum {
	APPLICATION_ID = 0x53484c45, /* "SHLE": file(1) can tell it */
	MARK_ROOT_PAGE = 2,
	PATH_SIZE = 64,
	CACHE_KIB = 8192,
	/* Small: each page that a transaction touches is written whole. */
	PAGE_SIZE_BYTES = 1024,
	BUSY_TIMEOUT_MS = 10000, /* for who reads beside a mount, when it checkpoints */
};

/* All that the database has, as sqlite_schema tells it again.  The first table is the mark: its
 * root is page 2. */
static const struct {
	const char *name, *sql;
} SCHEMA[] = {
	{"mark", "CREATE TABLE mark(id INTEGER PRIMARY KEY, generation INTEGER NOT NULL)"},
	{"meta", "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID"},
	{"inode",
	 "CREATE TABLE inode(ino INTEGER PRIMARY KEY, mode INTEGER NOT NULL, uid INTEGER NOT NULL,"
	 " gid INTEGER NOT NULL, nlink INTEGER NOT NULL, rdev_major INTEGER NOT NULL,"
	 " rdev_minor INTEGER NOT NULL, size INTEGER NOT NULL, atime INTEGER NOT NULL,"
	 " atime_nsec INTEGER NOT NULL, mtime INTEGER NOT NULL, mtime_nsec INTEGER NOT NULL,"
	 " ctime INTEGER NOT NULL, ctime_nsec INTEGER NOT NULL, parent INTEGER NOT NULL,"
	 " lower_size INTEGER NOT NULL, place INTEGER NOT NULL, version INTEGER NOT NULL,"
	 " has_xattrs INTEGER NOT NULL)"},
	{"name",
	 "CREATE TABLE name(parent INTEGER NOT NULL, name BLOB NOT NULL, ino INTEGER NOT NULL,"
	 " made INTEGER NOT NULL, type INTEGER NOT NULL, PRIMARY KEY(parent, name)) WITHOUT ROWID"},
	{"name_made", "CREATE INDEX name_made ON name(parent, made) WHERE made > 0"},
	{"xattr",
	 "CREATE TABLE xattr(ino INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL,"
	 " PRIMARY KEY(ino, name)) WITHOUT ROWID"},
	{"content", "CREATE TABLE content(ino INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"},
	{"extent",
	 "CREATE TABLE extent(ino INTEGER NOT NULL, end INTEGER NOT NULL, start INTEGER NOT NULL,"
	 " PRIMARY KEY(ino, end)) WITHOUT ROWID"},
	{"reply", "CREATE TABLE reply(slot INTEGER PRIMARY KEY, request INTEGER NOT NULL,"
		  " ino INTEGER NOT NULL)"},
};

int session_db_fail(const struct session_db *db, const char *what, struct err *e)
{
	const int code = sqlite3_extended_errcode(db->db);
	const int sys = sqlite3_system_errno(db->db);

	if (code == SQLITE_IOERR_NOMEM)
		return err_nomem(e);
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return err_nomem(e);
	case SQLITE_FULL:
		return err_sys(e, ENOSPC, "the session's database cannot %s", what);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table that is not there */
	case SQLITE_SCHEMA:
		return err_set(e, ERR_FORMAT, "the session's database is damaged: cannot %s: %s",
			       what, sqlite3_errmsg(db->db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_BUSY, "the session's database is in use: cannot %s", what);
	default:
		return err_sys(e, sys ? sys : EIO, "the session's database cannot %s: %s", what,
			       sqlite3_errmsg(db->db));
	}
}

static int exec(struct session_db *db, const char *text, const char *what, struct err *e)
{
	if (sqlite3_exec(db->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return session_db_fail(db, what, e);
	return 0;
}

/* One number that a statement gives. */
static int query(struct session_db *db, const char *text, int64_t *out, struct err *e)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db->db, text, -1, &st, NULL) != SQLITE_OK)
		return session_db_fail(db, "be read", e);
	const int found = session_row(db, st, e);
	if (found > 0)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	if (found == 0)
		return err_set(e, ERR_FORMAT, "the session's database is damaged: no %s", text);
	return found < 0 ? -1 : 0;
}

/* What SQLite knows of one object, against SCHEMA: its place there, or -1. */
static int find_object(struct session_db *db, const char *name, const char *sql, struct err *e)
{
	size_t i = 0;

	if (sqlite3_errcode(db->db) == SQLITE_NOMEM)
		return err_nomem(e);
	while (i < ARRAY_LEN(SCHEMA) && (!name || strcmp(name, SCHEMA[i].name) != 0))
		i++;
	if (i == ARRAY_LEN(SCHEMA))
		return err_set(e, ERR_FORMAT,
			       "the session's database is damaged: it has a table, index, view or "
			       "trigger that version %d does not have",
			       SESSION_DB_VERSION);
	if (!sql || strcmp(sql, SCHEMA[i].sql) != 0)
		return err_set(e, ERR_FORMAT,
			       "the session's database is damaged: its '%s' is not that of version "
			       "%d",
			       SCHEMA[i].name, SESSION_DB_VERSION);
	return (int)i;
}

/* A trigger would change rows, a view or a column of another type answer what no table does. */
static int check_schema(struct session_db *db, struct err *e)
{
	bool has[ARRAY_LEN(SCHEMA)] = {false};
	sqlite3_stmt *st = NULL;
	int at = 0;

	if (sqlite3_prepare_v2(db->db, "SELECT name, sql FROM sqlite_schema", -1, &st, NULL) !=
	    SQLITE_OK)
		return session_db_fail(db, "be read", e);
	/* SQLite itself refuses two objects of one name. */
	while (at >= 0 && session_row(db, st, e) > 0) {
		at = find_object(db, (const char *)sqlite3_column_text(st, 0),
				 (const char *)sqlite3_column_text(st, 1), e);
		if (at >= 0)
			has[at] = true;
	}
	sqlite3_finalize(st);
	for (size_t i = 0; !e->code && i < ARRAY_LEN(SCHEMA); i++) {
		if (!has[i])
			err_set(e, ERR_FORMAT, "the session's database is damaged: no '%s'",
				SCHEMA[i].name);
	}
	return e->code ? -1 : 0;
}

static int check_version(struct session_db *db, struct err *e)
{
	int64_t application = 0, version = 0, root = 0;

	if (query(db, "PRAGMA application_id", &application, e) < 0 ||
	    query(db, "PRAGMA user_version", &version, e) < 0)
		return -1;
	if (application != APPLICATION_ID)
		return err_set(e, ERR_FORMAT, "the session's database is none of shale");
	if (version != SESSION_DB_VERSION)
		return err_set(e, ERR_UNSUPPORTED,
			       "the session's database has version %" PRId64
			       ", and this shale knows %d",
			       version, SESSION_DB_VERSION);
	if (check_schema(db, e) < 0)
		return -1;
	if (query(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'mark'", &root, e) < 0)
		return -1;
	if (root != MARK_ROOT_PAGE)
		return err_set(e, ERR_FORMAT,
			       "the session's database is damaged: its mark is page %" PRId64,
			       root);
	return 0;
}

int session_db_put_meta(struct session_db *db, const char *key, uint64_t value, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_PUT_META);

	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)value);
	return session_run(db, st, e) < 0 ? -1 : 0;
}

static int get_meta(struct session_db *db, const char *key, uint64_t *out, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_META);

	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	const int found = session_row(db, st, e);
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(e, ERR_FORMAT, "the session's database is damaged: no '%s'", key);
	const bool is_number = sqlite3_column_type(st, 0) == SQLITE_INTEGER;
	const int64_t value = sqlite3_column_int64(st, 0);
	session_done(st);
	if (!is_number || value < 0)
		return err_set(e, ERR_FORMAT,
			       "the session's database is damaged: '%s' is no number that can be",
			       key);
	*out = (uint64_t)value;
	return 0;
}

/* Rows name inodes of the base by number: over other numbers they would be about other files. */
static int check_base(struct session_db *db, uint64_t base_count, struct err *e)
{
	uint64_t numbering = 0, count = 0, next = 0;

	if (get_meta(db, "numbering", &numbering, e) < 0 ||
	    get_meta(db, "base_count", &count, e) < 0 || get_meta(db, "next", &next, e) < 0)
		return -1;
	if (numbering != SESSION_NUMBERING)
		return err_set(e, ERR_UNSUPPORTED,
			       "the session numbers the files of its image by rule %" PRIu64
			       ", and this shale knows %d; use the one that made the session",
			       numbering, SESSION_NUMBERING);
	if (base_count == SESSION_DB_ANY_BASE)
		return 0;
	if (count != base_count)
		return err_set(e, ERR_FORMAT,
			       "the session was made over an image of %" PRIu64
			       " inodes, and its image has %" PRIu64,
			       count, base_count);
	if (next <= base_count)
		return err_set(e, ERR_FORMAT,
			       "the session's database is damaged: its next inode %" PRIu64
			       " is one of the image",
			       next);
	return 0;
}

static int create_tables(struct session_db *db, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(SCHEMA); i++) {
		if (exec(db, SCHEMA[i].sql, "be made", e) < 0)
			return -1;
	}
	return exec(db, "INSERT INTO mark VALUES(0, 0)", "be made", e);
}

static int create(struct session_db *db, uint64_t base_count, struct err *e)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		       APPLICATION_ID, SESSION_DB_VERSION);
	if (exec(db, "BEGIN", "be made", e) < 0 || exec(db, text, "be made", e) < 0 ||
	    create_tables(db, e) < 0)
		return -1;
	if (session_prepare(db, e) < 0 ||
	    session_db_put_meta(db, "numbering", SESSION_NUMBERING, e) < 0 ||
	    session_db_put_meta(db, "base_count", base_count, e) < 0 ||
	    session_batch_number(db, &db->batch, e) < 0 ||
	    session_db_put_meta(db, "next", base_count + 1, e) < 0)
		return -1;
	return exec(db, "COMMIT", "be made", e);
}

/* sqlite3_wal_hook */
static int on_commit(void *ctx, sqlite3 *db, const char *name, int frames)
{
	struct session_db *s = ctx;

	(void)db;
	(void)name;
	s->wal_frames = frames;
	return SQLITE_OK;
}

static int set_pragmas(struct session_db *db, unsigned flags, struct err *e)
{
	char text[256];

	(void)snprintf(
		text, sizeof(text),
		"PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
		"PRAGMA temp_store = MEMORY; PRAGMA cache_size = -%d; PRAGMA cache_spill = OFF;"
		"PRAGMA page_size = %d; %s",
		CACHE_KIB, PAGE_SIZE_BYTES,
		flags & SESSION_DB_READ ? "PRAGMA query_only = ON"
					: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
					  "PRAGMA wal_autocheckpoint = 0");
	if (exec(db, text, "be opened", e) < 0)
		return -1;
	sqlite3_wal_hook(db->db, on_commit, db);
	return 0;
}

/* SQLite resolves the link, and names its other files after what it finds. */
static void format_path(char out[static PATH_SIZE], int dirfd)
{
	(void)snprintf(out, PATH_SIZE, "/proc/self/fd/%d/" SESSION_DB_NAME, dirfd);
}

static int open_file(struct session_db *db, int dirfd, unsigned flags, struct err *e)
{
	const char *vfs = session_vfs(e);
	char path[PATH_SIZE];

	if (!vfs)
		return -1;
	format_path(path, dirfd);
	const int how = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			(flags & SESSION_DB_CREATE ? SQLITE_OPEN_CREATE : 0);
	if (sqlite3_open_v2(path, &db->db, how, vfs) != SQLITE_OK)
		return db->db ? session_db_fail(db, "be opened", e) : err_nomem(e);
	sqlite3_extended_result_codes(db->db, 1);
	sqlite3_busy_timeout(db->db, BUSY_TIMEOUT_MS);
	/* Before anything is read: no file for shared memory, no locks for each transaction. */
	return exec(db, "PRAGMA locking_mode = EXCLUSIVE", "be opened", e);
}

/* Whether there is no table yet: its process may have died before the first transaction. */
static int find_nothing(struct session_db *db, struct err *e)
{
	int64_t count = 0;

	if (query(db, "SELECT count(*) FROM sqlite_schema", &count, e) < 0)
		return -1;
	return count == 0;
}

static int open_session(struct session_db *db, int dirfd, unsigned flags, uint64_t base_count,
			struct err *e)
{
	if (open_file(db, dirfd, flags, e) < 0)
		return -1;
	if (flags & SESSION_DB_CREATE) {
		const int is_empty = find_nothing(db, e);
		if (is_empty < 0)
			return -1;
		if (is_empty)
			return set_pragmas(db, flags, e) < 0 ? -1 : create(db, base_count, e);
	}
	if (check_version(db, e) < 0 || set_pragmas(db, flags, e) < 0)
		return -1;
	return session_prepare(db, e);
}

/* What the process before carried out, and did not commit. */
static int open_batch(struct session_db *db, int dirfd, struct err *e)
{
	if (get_meta(db, SESSION_DB_BATCH, &db->batch, e) < 0 ||
	    session_redo_open(dirfd, &db->redo, e) < 0)
		return -1;
	return session_batch_restore(db, e);
}

int session_db_open(int dirfd, unsigned flags, uint64_t base_count, struct session_db **out,
		    struct err *e)
{
	SCOPE(session_db) struct session_db *db = array_new(1, sizeof(*db), e);

	if (!db)
		return -1;
	db->redo = (struct session_redo)SESSION_REDO_INIT;
	if (open_session(db, dirfd, flags, base_count, e) < 0)
		return -1;
	if ((flags & SESSION_DB_READ ? exec(db, "BEGIN; SELECT 1 FROM mark", "be read", e)
				     : open_batch(db, dirfd, e)) < 0)
		return -1;
	/* Of the batch, too. */
	if (check_base(db, base_count, e) < 0)
		return -1;
	*out = steal_ptr(&db);
	return 0;
}

void session_db_close(struct session_db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(db->statements[i]);
	/* Its checkpoint on closing is as any: only what was synced before may be in the WAL. */
	if (db->db) /* NULL: there was no memory for it */
		sqlite3_db_config(db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(db->db);
	session_held_fini(db);
	session_redo_fini(&db->redo);
	str_fini(&db->record);
	free(db);
}

/* A page that could not be read is no damage, though it is told as if it were. */
static int check_fail(const char *text, struct err *e)
{
	static const char mark[] = "error code=";
	const char *at = text ? strstr(text, mark) : NULL;
	const unsigned long code = at ? strtoul(at + strlen(mark), NULL, 10) : 0;

	if (code == SQLITE_NOMEM)
		return err_nomem(e);
	if ((code & 0xff) == SQLITE_IOERR)
		return err_sys(e, EIO, "the session's database cannot be checked");
	return err_set(e, ERR_FORMAT, "the session's database is damaged: %s",
		       text ? text : "no answer");
}

int session_db_check(struct session_db *db, struct err *e)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db->db, "PRAGMA integrity_check(1)", -1, &st, NULL) != SQLITE_OK)
		return session_db_fail(db, "be checked", e);
	const int found = session_row(db, st, e);
	const char *text = found > 0 ? (const char *)sqlite3_column_text(st, 0) : NULL;
	if (found >= 0 && (!text || strcmp(text, "ok") != 0))
		check_fail(text, e);
	sqlite3_finalize(st);
	return e->code ? -1 : 0;
}

static int copy_pages(struct session_db *db, sqlite3 *to, struct err *e)
{
	sqlite3_backup *copy = sqlite3_backup_init(to, "main", db->db, "main");

	if (copy) {
		(void)sqlite3_backup_step(copy, -1);
		(void)sqlite3_backup_finish(copy);
	}
	const struct session_db failed = {.db = to};
	return sqlite3_errcode(to) == SQLITE_OK ? 0 : session_db_fail(&failed, "be copied", e);
}

int session_db_copy(struct session_db *db, int dirfd, struct err *e)
{
	sqlite3 *to = NULL;
	char path[PATH_SIZE];

	if (session_batch_flush(db, e) < 0)
		return -1;
	format_path(path, dirfd);
	int r = -1;
	if (sqlite3_open_v2(path, &to,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) == SQLITE_OK &&
	    sqlite3_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL,
			 NULL) == SQLITE_OK)
		r = copy_pages(db, to, e);
	else if (to)
		session_db_fail(&(struct session_db){.db = to}, "be copied", e);
	else
		err_nomem(e);
	sqlite3_close(to);
	return r;
}

int session_db_wal_frames(const struct session_db *db)
{
	return db->wal_frames;
}

int session_db_sync(struct session_db *db, struct err *e)
{
	struct err again = ERR_INIT;

	/* Not within a transaction. */
	if (session_batch_flush(db, e) < 0 ||
	    exec(db, "PRAGMA synchronous = FULL", "be synced", e) < 0)
		return -1;
	const int r = session_batch_mark(db, e);
	if (exec(db, "PRAGMA synchronous = NORMAL", "be synced", &again) < 0)
		err_clear(&again); /* slower is no harm */
	return r;
}

static int checkpoint(struct session_db *db, int mode, struct err *e)
{
	if (sqlite3_wal_checkpoint_v2(db->db, NULL, mode, NULL, NULL) != SQLITE_OK &&
	    sqlite3_errcode(db->db) != SQLITE_BUSY)
		return session_db_fail(db, "be written", e);
	return 0;
}

int session_db_checkpoint(struct session_db *db, struct err *e)
{
	return checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, e);
}

int session_db_empty_log(struct session_db *db, struct err *e)
{
	return checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE, e);
}

int session_db_reserve(struct session_db *db, uint64_t count, uint64_t *first, struct err *e)
{
	uint64_t next = 0;

	if (get_meta(db, "next", &next, e) < 0)
		return -1;
	struct session_change c = session_change(db, STATEMENT_PUT_NEXT, CHANGE_BOTH);
	session_change_put_number(&c, next + count);
	if (session_change_run(&c, e) < 0)
		return -1;
	*first = next;
	return 0;
}
