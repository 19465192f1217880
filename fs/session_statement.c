/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/le.h"
#include "fs/session_batch.h"
#include "fs/session_db_private.h"

/* clang-format off */
static const struct {
	const char *sql;
	uint8_t code; /* in the redo log; 0: it is never there */
	const char *parameters; /* n: a number, b: bytes */
} STATEMENTS[] = {
	[STATEMENT_BEGIN] = {"BEGIN IMMEDIATE", 0, NULL},
	[STATEMENT_COMMIT] = {"COMMIT", 0, NULL},
	[STATEMENT_ROLLBACK] = {"ROLLBACK", 0, NULL},
	[STATEMENT_MARK] = {"UPDATE mark SET generation = generation + 1", 0, NULL},
	[STATEMENT_META] = {"SELECT value FROM meta WHERE key = ?1", 0, NULL},
	[STATEMENT_PUT_META] = {"INSERT OR REPLACE INTO meta VALUES(?1, ?2)", 0, NULL},
	[STATEMENT_PUT_NEXT] = {"INSERT OR REPLACE INTO meta VALUES('next', ?1)", 1, "n"},
	[STATEMENT_INODE] = {"SELECT * FROM inode WHERE ino = ?1", 0, NULL},
	[STATEMENT_INODE_NEXT] = {"SELECT * FROM inode WHERE ino > ?1 ORDER BY ino LIMIT 1", 0, NULL},
	[STATEMENT_PUT_INODE] = {
		"INSERT OR REPLACE INTO inode VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
		" ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)", 2, "nnnnnnnnnnnnnnnnnnn"},
	[STATEMENT_REMOVE_INODE] = {"DELETE FROM inode WHERE ino = ?1", 3, "n"},
	[STATEMENT_REMOVE_INODE_NAMES] = {"DELETE FROM name WHERE parent = ?1", 4, "n"},
	[STATEMENT_REMOVE_INODE_XATTRS] = {"DELETE FROM xattr WHERE ino = ?1", 5, "n"},
	[STATEMENT_NAME] = {"SELECT * FROM name WHERE parent = ?1 AND name = ?2", 0, NULL},
	/* +: a parameter that is compared as the condition of the index is has SQLite compile the
	 * statement anew for each value. */
	[STATEMENT_NAME_MADE] = {
		"SELECT * FROM name WHERE parent = ?1 AND made > +?2 AND made > 0 ORDER BY made LIMIT 1", 0, NULL},
	[STATEMENT_NAME_ABOVE] = {
		"SELECT * FROM name WHERE parent = ?1 AND name > ?2 ORDER BY name LIMIT 1", 0, NULL},
	[STATEMENT_PARENT_NEXT] = {
		"SELECT parent FROM name WHERE parent > ?1 ORDER BY parent LIMIT 1", 0, NULL},
	[STATEMENT_PUT_NAME] = {"INSERT OR REPLACE INTO name VALUES(?1, ?2, ?3, ?4, ?5)", 6, "nbnnn"},
	[STATEMENT_REMOVE_NAME] = {"DELETE FROM name WHERE parent = ?1 AND name = ?2", 7, "nb"},
	[STATEMENT_XATTR] = {"SELECT value FROM xattr WHERE ino = ?1 AND name = ?2", 0, NULL},
	[STATEMENT_XATTR_ABOVE] = {
		"SELECT name, CASE typeof(value) WHEN 'blob' THEN length(value) END FROM xattr"
		" WHERE ino = ?1 AND name > ?2 ORDER BY name LIMIT 1", 0, NULL},
	[STATEMENT_PUT_XATTR] = {"INSERT OR REPLACE INTO xattr VALUES(?1, ?2, ?3)", 8, "nbb"},
	[STATEMENT_REMOVE_XATTR] = {"DELETE FROM xattr WHERE ino = ?1 AND name = ?2", 9, "nb"},
	[STATEMENT_CONTENT] = {"SELECT bytes FROM content WHERE ino = ?1", 0, NULL},
	[STATEMENT_PUT_CONTENT] = {"INSERT OR REPLACE INTO content VALUES(?1, ?2)", 10, "nb"},
	[STATEMENT_REMOVE_CONTENT] = {"DELETE FROM content WHERE ino = ?1", 11, "n"},
	[STATEMENT_EXTENT] = {
		"SELECT start, end FROM extent WHERE ino = ?1 AND end > ?2 ORDER BY end LIMIT 1", 0, NULL},
	[STATEMENT_PUT_EXTENT] = {
		"INSERT OR REPLACE INTO extent(ino, end, start) VALUES(?1, ?2, ?3)", 12, "nnn"},
	[STATEMENT_REMOVE_EXTENTS] = {
		"DELETE FROM extent WHERE ino = ?1 AND end >= ?2 AND start <= ?3", 13, "nnn"},
	[STATEMENT_CUT_EXTENT] = {"DELETE FROM extent WHERE ino = ?1 AND end > ?2", 14, "nn"},
	[STATEMENT_PUT_REPLY] = {"INSERT OR REPLACE INTO reply VALUES(?1, ?2, ?3)", 15, "nnn"},
	[STATEMENT_FORGET_REPLIES] = {"DELETE FROM reply", 16, ""},
	[STATEMENT_REPLY] = {"SELECT request, ino, slot FROM reply WHERE request = ?1", 0, NULL},
};
/* clang-format on */

int session_prepare(struct session_db *db, struct err *e)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		if (sqlite3_prepare_v3(db->db, STATEMENTS[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
				       &db->statements[i], NULL) != SQLITE_OK)
			return session_db_fail(db, "prepare what it does", e);
	}
	return 0;
}

sqlite3_stmt *session_statement(struct session_db *db, enum session_statement which)
{
	return db->statements[which];
}

void session_done(sqlite3_stmt *st)
{
	sqlite3_reset(st);
}

int session_row(struct session_db *db, sqlite3_stmt *st, struct err *e)
{
	if (session_batch_ready(db, e) < 0)
		return -1;
	const int r = sqlite3_step(st);
	if (r == SQLITE_ROW)
		return 1;
	if (r != SQLITE_DONE)
		session_db_fail(db, "read", e);
	sqlite3_reset(st);
	session_batch_note_loss(db);
	return r == SQLITE_DONE ? 0 : -1;
}

int session_run(struct session_db *db, sqlite3_stmt *st, struct err *e)
{
	const int r = sqlite3_step(st);

	if (r != SQLITE_DONE && r != SQLITE_ROW)
		session_db_fail(db, "write", e);
	sqlite3_reset(st);
	return r == SQLITE_DONE || r == SQLITE_ROW ? sqlite3_changes(db->db) : -1;
}

/* A change that cannot be noted must not be made. */
static void note(struct session_db *db, const void *bytes, size_t len)
{
	struct err e = ERR_INIT;

	if (str_append(&db->record, bytes, len, &e) < 0)
		db->is_note_lost = true;
	err_clear(&e);
}

struct session_change session_change(struct session_db *db, enum session_statement which,
				     enum session_change_how how)
{
	const bool is_now = how & CHANGE_NOW;

	if (how & CHANGE_NOTED) {
		db->noted++;
		note(db, &STATEMENTS[which].code, 1);
	}
	return (struct session_change){db, is_now ? session_statement(db, which) : NULL, how, 0};
}

void session_change_put_number(struct session_change *c, uint64_t value)
{
	uint8_t bytes[sizeof(value)];
	uint8_t *at = bytes;

	le_put64(&at, value);
	if (c->how & CHANGE_NOTED)
		note(c->db, bytes, sizeof(bytes));
	if (c->st)
		sqlite3_bind_int64(c->st, ++c->count, (sqlite3_int64)value);
}

void session_bind_bytes(sqlite3_stmt *st, int at, const void *bytes, size_t len)
{
	/* A NULL pointer would be SQL's NULL, which equals nothing. */
	sqlite3_bind_blob64(st, at, len ? bytes : "", len, SQLITE_STATIC);
}

void session_change_put_bytes(struct session_change *c, const void *bytes, size_t len)
{
	uint8_t header[sizeof(uint32_t)];
	uint8_t *at = header;

	le_put32(&at, (uint32_t)len);
	if (c->how & CHANGE_NOTED) {
		note(c->db, header, sizeof(header));
		note(c->db, bytes, len);
	}
	if (c->st)
		session_bind_bytes(c->st, ++c->count, bytes, len);
}

int session_change_run(struct session_change *c, struct err *e)
{
	struct session_db *db = c->db;

	assert(db->is_in_request);
	if (db->is_note_lost)
		return err_nomem(e);
	if (session_batch_ready(db, e) < 0)
		return -1;
	if (!c->st)
		return 0;
	const int changed = session_run(db, c->st, e);
	session_batch_note_loss(db);
	return changed;
}

static int malformed(struct err *e)
{
	return err_set(e, ERR_FORMAT, "the session's redo log is damaged");
}

/* The statement with this code of the redo log, or -1. */
static int find_statement(uint8_t code)
{
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		if (code != 0 && STATEMENTS[i].code == code)
			return i;
	}
	return -1;
}

/* One parameter; the bytes are the record's. */
static int replay_parameter(sqlite3_stmt *st, int number, char kind, const uint8_t **at,
			    const uint8_t *end, struct err *e)
{
	const size_t fixed = kind == 'n' ? sizeof(uint64_t) : sizeof(uint32_t);

	if ((size_t)(end - *at) < fixed)
		return malformed(e);
	if (kind == 'n') {
		sqlite3_bind_int64(st, number, (sqlite3_int64)le_get64(at));
		return 0;
	}
	const size_t len = le_get32(at);
	if ((size_t)(end - *at) < len)
		return malformed(e);
	session_bind_bytes(st, number, *at, len);
	*at += len;
	return 0;
}

int session_change_replay(struct session_db *db, const struct str *record, struct err *e)
{
	const uint8_t *at = (const uint8_t *)record->data + SESSION_REDO_HEADER;
	const uint8_t *end = (const uint8_t *)record->data + record->len;

	while (at < end) {
		const int which = find_statement(*at++);
		if (which < 0)
			return malformed(e);
		sqlite3_stmt *st = db->statements[which];
		const char *kinds = STATEMENTS[which].parameters;
		for (int i = 0; kinds[i]; i++) {
			if (replay_parameter(st, i + 1, kinds[i], &at, end, e) < 0)
				return -1;
		}
		if (session_run(db, st, e) < 0)
			return -1;
		db->changes++;
	}
	return 0;
}
