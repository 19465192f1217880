/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of a batch are in one transaction of the database that is still open, and in the redo
 * log, which is what a process that takes over goes by.  The number of the batch is a row, which
 * its transaction changes: so the log of a batch that was committed means nothing from that moment
 * on.  Numbers are random: what lies in the log behind the batch's records, of earlier batches, has
 * content that clients wrote, and they must not be able to write a record.
 *
 * A request that fails after it changed a row takes the whole transaction with it, as some errors
 * do inside SQLite anyway; what the batch had before is done again from the log.
 */
#include "fs/session_batch.h"

#include <errno.h>
#include <sys/random.h>

#include "fs/session_db_private.h"

enum {
	/* What the disk must have room for when the batch is committed; see RESERVE_SIZE of
	 * fs/session_room.c. */
	CHANGES_MAX = 1024,
	BYTES_MAX = 512 * 1024,
};

static int step(struct session_db *db, enum session_statement which, struct err *e)
{
	return session_run(db, session_statement(db, which), e) < 0 ? -1 : 0;
}

static bool is_open(const struct session_db *db)
{
	return !sqlite3_get_autocommit(db->db);
}

void session_batch_note_loss(struct session_db *db)
{
	if ((db->changes > 0 || db->is_in_request) && !is_open(db))
		db->is_behind = true;
}

/* Of the whole log, or of what this process has appended: a record that failed may be there. */
static int replay(struct session_db *db, struct err *e)
{
	const uint64_t end = db->is_opened ? db->redo.size : UINT64_MAX;
	SCOPE(str) struct str record = STR_INIT;
	uint64_t at = 0;
	int more = 0;

	session_held_drop(db);
	db->changes = 0;
	while (at < end && (more = session_redo_read(&db->redo, db->batch, at, &record, e)) > 0) {
		if (session_change_replay(db, &record, e) < 0)
			return -1;
		at += record.len;
	}
	if (more < 0)
		return -1;
	if (db->is_opened && at < end)
		return err_sys(e, EIO, "the session's redo log has lost a request");
	db->redo.size = at;
	db->is_opened = true;
	return 0;
}

static void abandon(struct session_db *db)
{
	struct err ignored = ERR_INIT;

	/* SQLite may have done it already. */
	if (is_open(db) && step(db, STATEMENT_ROLLBACK, &ignored) < 0)
		err_clear(&ignored);
}

int session_batch_restore(struct session_db *db, struct err *e)
{
	abandon(db);
	db->is_behind = true;
	if (step(db, STATEMENT_BEGIN, e) < 0)
		return -1;
	if (replay(db, e) < 0 || (db->changes == 0 && step(db, STATEMENT_ROLLBACK, e) < 0)) {
		abandon(db);
		return -1;
	}
	db->is_behind = false;
	return 0;
}

int session_batch_ready(struct session_db *db, struct err *e)
{
	if (!db->is_behind)
		return 0;
	if (db->is_in_request)
		return err_sys(e, EIO, "the session's database has lost the request");
	return session_batch_restore(db, e);
}

int session_batch_write_held(struct session_db *db, struct err *e)
{
	if (session_batch_ready(db, e) < 0)
		return -1;
	if (session_held_write(db, e) == 0)
		return 0;
	session_batch_note_loss(db);
	return -1;
}

int session_batch_number(struct session_db *db, uint64_t *out, struct err *e)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return err_sys(e, errno, "no random number");
	number &= INT64_MAX;
	if (session_db_put_meta(db, SESSION_DB_BATCH, number, e) < 0)
		return -1;
	*out = number;
	return 0;
}

int session_batch_flush(struct session_db *db, struct err *e)
{
	struct err ignored = ERR_INIT;
	uint64_t next = 0;

	if (session_batch_ready(db, e) < 0)
		return -1;
	if (db->changes == 0) {
		abandon(db);
		return 0;
	}
	if (session_held_write(db, e) < 0 || session_batch_number(db, &next, e) < 0 ||
	    step(db, STATEMENT_COMMIT, e) < 0) {
		if (session_batch_restore(db, &ignored) < 0)
			err_clear(&ignored); /* who needs it next tries again */
		db->must_flush = true;
		return -1;
	}
	db->must_flush = false;
	db->batch = next;
	db->changes = 0;
	db->redo.size = 0;
	return 0;
}

int session_batch_mark(struct session_db *db, struct err *e)
{
	if (step(db, STATEMENT_BEGIN, e) == 0 && step(db, STATEMENT_MARK, e) == 0 &&
	    step(db, STATEMENT_COMMIT, e) == 0)
		return 0;
	abandon(db);
	return -1;
}

void session_db_limit_batch(struct session_db *db, bool is_small)
{
	db->is_small = is_small;
}

int session_db_begin(struct session_db *db, struct err *e)
{
	if (session_batch_ready(db, e) < 0)
		return -1;
	const bool is_full = db->must_flush || (db->is_small && db->changes > 0) ||
			     db->changes >= CHANGES_MAX || db->redo.size >= BYTES_MAX;
	if (is_full && session_batch_flush(db, e) < 0)
		return -1;
	str_truncate(&db->record, 0);
	if (str_append_zeros(&db->record, SESSION_REDO_HEADER, e) < 0 ||
	    (!is_open(db) && step(db, STATEMENT_BEGIN, e) < 0))
		return -1;
	db->noted = 0;
	db->is_note_lost = false;
	db->is_in_request = true;
	return 0;
}

/* A transaction that stays open holds off a checkpoint. */
static void end_empty(struct session_db *db)
{
	if (db->changes == 0 && !db->is_behind)
		abandon(db);
}

int session_db_commit(struct session_db *db, struct err *e)
{
	if (session_batch_ready(db, e) < 0)
		return -1;
	if (db->is_note_lost)
		return err_nomem(e);
	if (db->noted > 0 && session_redo_append(&db->redo, db->batch, &db->record, e) < 0)
		return -1;
	db->changes += db->noted;
	db->is_in_request = false;
	end_empty(db);
	return 0;
}

void session_db_rollback(struct session_db *db)
{
	struct err ignored = ERR_INIT;

	if (!db->is_in_request)
		return;
	db->is_in_request = false;
	if ((db->noted > 0 || db->is_behind) && session_batch_restore(db, &ignored) < 0)
		err_clear(&ignored); /* who needs it next tries again */
	end_empty(db);
}
