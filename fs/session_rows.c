/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_rows.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "fs/session_batch.h"
#include "fs/session_db_private.h"

/* Columns of inode and name, in the order of the schema. */
enum {
	INODE_INO,
	INODE_MODE,
	INODE_UID,
	INODE_GID,
	INODE_NLINK,
	INODE_RDEV_MAJOR,
	INODE_RDEV_MINOR,
	INODE_SIZE,
	INODE_ATIME,
	INODE_ATIME_NSEC,
	INODE_MTIME,
	INODE_MTIME_NSEC,
	INODE_CTIME,
	INODE_CTIME_NSEC,
	INODE_PARENT,
	INODE_LOWER_SIZE,
	INODE_PLACE,
	INODE_VERSION,
	INODE_HAS_XATTRS,
};
enum { NAME_PARENT, NAME_NAME, NAME_INO, NAME_MADE, NAME_TYPE };

enum {
	NSEC_PER_S = 1000000000,
	BLOCKS_MAX_LOG = 51, /* of 4096 bytes: what an off_t counts */
};

static uint64_t column_u64(sqlite3_stmt *st, int column)
{
	return (uint64_t)sqlite3_column_int64(st, column);
}

static uint32_t column_u32(sqlite3_stmt *st, int column)
{
	return (uint32_t)sqlite3_column_int64(st, column);
}

static void bind_u64(sqlite3_stmt *st, int column, uint64_t value)
{
	sqlite3_bind_int64(st, column + 1, (sqlite3_int64)value);
}

/* The type of a column binds no value: text in place of a number is above all numbers, and reads
 * as 0.  To be asked before the value, which may convert it. */
static bool is_integer(sqlite3_stmt *st, int column)
{
	return sqlite3_column_type(st, column) == SQLITE_INTEGER;
}

static bool is_blob(sqlite3_stmt *st, int column)
{
	return sqlite3_column_type(st, column) == SQLITE_BLOB;
}

static bool is_below(sqlite3_stmt *st, int column, int64_t limit)
{
	if (!is_integer(st, column))
		return false;
	const int64_t value = sqlite3_column_int64(st, column);
	return value >= 0 && value < limit;
}

/* What is asked for again with the answer must come to an end, however damaged the tree is. */
static int check_above(uint64_t value, uint64_t after, const char *what, struct err *e)
{
	if (value > after)
		return 0;
	return err_set(e, ERR_FORMAT,
		       "the session's database is damaged: %s %" PRIu64 " comes after %" PRIu64,
		       what, value, after);
}

/* Whether the columns hold what a row of shale can: nobody who uses them looks again. */
static bool is_inode(sqlite3_stmt *st)
{
	static const int words[] = {INODE_MODE,       INODE_UID,        INODE_GID,    INODE_NLINK,
				    INODE_RDEV_MAJOR, INODE_RDEV_MINOR, INODE_VERSION};
	static const int parts[] = {INODE_ATIME_NSEC, INODE_MTIME_NSEC, INODE_CTIME_NSEC};

	for (int i = INODE_INO; i <= INODE_HAS_XATTRS; i++) {
		if (!is_integer(st, i))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!is_below(st, words[i], INT64_C(1) << 32))
			return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (!is_below(st, parts[i], NSEC_PER_S))
			return false;
	}
	return sqlite3_column_int64(st, INODE_SIZE) >= 0 &&
	       sqlite3_column_int64(st, INODE_PARENT) >= 0 &&
	       sqlite3_column_int64(st, INODE_LOWER_SIZE) >= 0 &&
	       sqlite3_column_int64(st, INODE_LOWER_SIZE) <= sqlite3_column_int64(st, INODE_SIZE) &&
	       is_below(st, INODE_PLACE, SESSION_IN_FILE + 1);
}

static int read_inode(struct session_db *db, sqlite3_stmt *st, struct session_inode *out,
		      struct err *e)
{
	const int found = session_row(db, st, e);

	if (found <= 0)
		return found;
	if (!is_inode(st)) {
		err_set(e, ERR_FORMAT, "the session's database is damaged: inode %lld",
			sqlite3_column_int64(st, INODE_INO));
		session_done(st);
		return -1;
	}
	*out = (struct session_inode){
		.ino = column_u64(st, INODE_INO),
		.mode = column_u32(st, INODE_MODE),
		.uid = column_u32(st, INODE_UID),
		.gid = column_u32(st, INODE_GID),
		.nlink = column_u32(st, INODE_NLINK),
		.rdev_major = column_u32(st, INODE_RDEV_MAJOR),
		.rdev_minor = column_u32(st, INODE_RDEV_MINOR),
		.size = column_u64(st, INODE_SIZE),
		.atim = {sqlite3_column_int64(st, INODE_ATIME),
			 sqlite3_column_int64(st, INODE_ATIME_NSEC)},
		.mtim = {sqlite3_column_int64(st, INODE_MTIME),
			 sqlite3_column_int64(st, INODE_MTIME_NSEC)},
		.ctim = {sqlite3_column_int64(st, INODE_CTIME),
			 sqlite3_column_int64(st, INODE_CTIME_NSEC)},
		.parent = column_u64(st, INODE_PARENT),
		.lower_size = column_u64(st, INODE_LOWER_SIZE),
		.place = (enum session_place)sqlite3_column_int(st, INODE_PLACE),
		.version = column_u32(st, INODE_VERSION),
		.has_xattrs = sqlite3_column_int(st, INODE_HAS_XATTRS) != 0,
		.is_stored = true,
	};
	session_done(st);
	return 1;
}

int session_db_inode(struct session_db *db, uint64_t ino, struct session_inode *out, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_INODE);

	if (session_batch_ready(db, e) < 0)
		return -1;
	const struct session_inode *held = session_held_inode(db, ino);
	if (held) {
		*out = *held;
		out->is_stored = true;
		return 1;
	}
	bind_u64(st, 0, ino);
	return read_inode(db, st, out, e);
}

int session_db_inode_next(struct session_db *db, uint64_t after, struct session_inode *out,
			  struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_INODE_NEXT);

	if (session_batch_write_held(db, e) < 0)
		return -1;
	bind_u64(st, 0, after);
	const int found = read_inode(db, st, out, e);
	if (found <= 0)
		return found;
	return check_above(out->ino, after, "inode", e) < 0 ? -1 : 1;
}

static void put_time(struct session_change *c, const struct timespec *t)
{
	session_change_put_number(c, (uint64_t)t->tv_sec);
	session_change_put_number(c, (uint64_t)t->tv_nsec);
}

void session_change_put_inode(struct session_change *c, const struct session_inode *in)
{
	session_change_put_number(c, in->ino);
	session_change_put_number(c, in->mode);
	session_change_put_number(c, in->uid);
	session_change_put_number(c, in->gid);
	session_change_put_number(c, in->nlink);
	session_change_put_number(c, in->rdev_major);
	session_change_put_number(c, in->rdev_minor);
	session_change_put_number(c, in->size);
	put_time(c, &in->atim);
	put_time(c, &in->mtim);
	put_time(c, &in->ctim);
	session_change_put_number(c, in->parent);
	session_change_put_number(c, in->lower_size);
	session_change_put_number(c, in->place);
	session_change_put_number(c, in->version);
	session_change_put_number(c, in->has_xattrs);
}

int session_db_put_inode(struct session_db *db, const struct session_inode *in, struct err *e)
{
	struct session_change c = session_change(db, STATEMENT_PUT_INODE, CHANGE_NOTED);

	session_change_put_inode(&c, in);
	return session_change_run(&c, e) < 0 ? -1 : session_held_put_inode(db, in, e);
}

static int remove_of(struct session_db *db, enum session_statement which, uint64_t ino,
		     struct err *e)
{
	struct session_change c = session_change(db, which, CHANGE_BOTH);

	session_change_put_number(&c, ino);
	return session_change_run(&c, e);
}

int session_db_remove_inode(struct session_db *db, const struct session_inode *in, struct err *e)
{
	const bool has_content = in->place == SESSION_IN_ROW || S_ISLNK(in->mode);
	const bool has_extents = in->place == SESSION_IN_FILE && in->lower_size > 0;

	session_held_remove_inode(db, in->ino);
	if (remove_of(db, STATEMENT_REMOVE_INODE, in->ino, e) < 0 ||
	    (S_ISDIR(in->mode) && remove_of(db, STATEMENT_REMOVE_INODE_NAMES, in->ino, e) < 0) ||
	    (in->has_xattrs && remove_of(db, STATEMENT_REMOVE_INODE_XATTRS, in->ino, e) < 0) ||
	    (has_content && session_db_remove_content(db, in->ino, e) < 0))
		return -1;
	return has_extents ? session_db_cut_extents(db, in->ino, 0, e) : 0;
}

/* Whether a directory can hold it. */
static bool is_name(const char *name, size_t len)
{
	if (!name || len == 0 || len > LIMIT_NAME || memchr(name, '\0', len) ||
	    memchr(name, '/', len))
		return false;
	return name[0] != '.' || (len != 1 && (len != 2 || name[1] != '.'));
}

static bool is_name_row(sqlite3_stmt *st)
{
	return is_below(st, NAME_PARENT, INT64_MAX) && is_blob(st, NAME_NAME) &&
	       is_below(st, NAME_INO, INT64_MAX) && is_below(st, NAME_MADE, INT64_MAX) &&
	       is_below(st, NAME_TYPE, INT64_C(1) << 32);
}

static int read_name(struct session_db *db, sqlite3_stmt *st, struct session_name *out,
		     struct err *e)
{
	const int found = session_row(db, st, e);

	if (found <= 0)
		return found;
	const bool is_row = is_name_row(st);
	const void *bytes = sqlite3_column_blob(st, NAME_NAME);
	out->parent = column_u64(st, NAME_PARENT);
	out->ino = column_u64(st, NAME_INO);
	out->order = column_u64(st, NAME_MADE);
	out->type = column_u32(st, NAME_TYPE);
	out->len = (size_t)sqlite3_column_bytes(st, NAME_NAME);
	if (is_row && is_name(bytes, out->len))
		memcpy(out->name, bytes, out->len);
	else
		err_set(e, ERR_FORMAT,
			"the session's database is damaged: a name of %zu bytes in inode %llu",
			out->len, (unsigned long long)out->parent);
	session_done(st);
	if (e->code)
		return -1;
	out->name[out->len] = '\0';
	return 1;
}

int session_db_name(struct session_db *db, uint64_t parent, const char *name, size_t len,
		    struct session_name *out, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_NAME);

	bind_u64(st, 0, parent);
	session_bind_bytes(st, 2, name, len);
	return read_name(db, st, out, e);
}

int session_db_name_made(struct session_db *db, uint64_t parent, uint64_t order,
			 struct session_name *out, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_NAME_MADE);

	bind_u64(st, 0, parent);
	bind_u64(st, 1, order);
	const int found = read_name(db, st, out, e);
	if (found <= 0)
		return found;
	return check_above(out->order, order, "a name that was made at", e) < 0 ? -1 : 1;
}

int session_db_name_above(struct session_db *db, uint64_t parent, const char *name, size_t len,
			  struct session_name *out, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_NAME_ABOVE);

	bind_u64(st, 0, parent);
	session_bind_bytes(st, 2, name, len);
	return read_name(db, st, out, e);
}

int session_db_parent_next(struct session_db *db, uint64_t after, uint64_t *out, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_PARENT_NEXT);

	bind_u64(st, 0, after);
	const int found = session_row(db, st, e);
	if (found <= 0)
		return found;
	const bool is_number = is_below(st, 0, INT64_MAX);
	const uint64_t parent = column_u64(st, 0);
	session_done(st);
	if (!is_number)
		return err_set(e, ERR_FORMAT,
			       "the session's database is damaged: a name in no directory");
	if (check_above(parent, after, "directory", e) < 0)
		return -1;
	*out = parent;
	return 1;
}

int session_db_put_name(struct session_db *db, const struct session_name *in, struct err *e)
{
	struct session_change c = session_change(db, STATEMENT_PUT_NAME, CHANGE_BOTH);

	session_change_put_number(&c, in->parent);
	session_change_put_bytes(&c, in->name, in->len);
	session_change_put_number(&c, in->ino);
	session_change_put_number(&c, in->order);
	session_change_put_number(&c, in->type);
	return session_change_run(&c, e) < 0 ? -1 : 0;
}

int session_db_remove_name(struct session_db *db, uint64_t parent, const char *name, size_t len,
			   struct err *e)
{
	struct session_change c = session_change(db, STATEMENT_REMOVE_NAME, CHANGE_BOTH);

	session_change_put_number(&c, parent);
	session_change_put_bytes(&c, name, len);
	return session_change_run(&c, e);
}

int session_db_xattr(struct session_db *db, uint64_t ino, const char *name, void *value,
		     size_t *len, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_XATTR);

	bind_u64(st, 0, ino);
	session_bind_bytes(st, 2, name, strlen(name));
	const int found = session_row(db, st, e);
	if (found <= 0)
		return found;
	const bool is_value = is_blob(st, 0);
	const void *bytes = sqlite3_column_blob(st, 0);
	*len = (size_t)sqlite3_column_bytes(st, 0);
	if (!is_value || *len > LIMIT_XATTR_VALUE)
		err_set(e, ERR_FORMAT, "the session's database is damaged: an xattr of %zu bytes",
			*len);
	else if (value && *len)
		memcpy(value, bytes, *len);
	session_done(st);
	return e->code ? -1 : 1;
}

int session_db_xattr_above(struct session_db *db, uint64_t ino, const char *name,
			   char out[static LIMIT_XATTR_NAME + 1], size_t *value_len, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_XATTR_ABOVE);

	bind_u64(st, 0, ino);
	session_bind_bytes(st, 2, name, strlen(name));
	const int found = session_row(db, st, e);
	if (found <= 0)
		return found;
	const bool is_row = is_blob(st, 0) && is_integer(st, 1);
	const void *bytes = sqlite3_column_blob(st, 0);
	const size_t len = (size_t)sqlite3_column_bytes(st, 0);
	*value_len = (size_t)column_u64(st, 1);
	if (!is_row || len == 0 || len > LIMIT_XATTR_NAME || memchr(bytes, '\0', len))
		err_set(e, ERR_FORMAT,
			"the session's database is damaged: an xattr of inode %" PRIu64, ino);
	else
		memcpy(out, bytes, len);
	session_done(st);
	if (e->code)
		return -1;
	out[len] = '\0';
	return 1;
}

int session_db_put_xattr(struct session_db *db, uint64_t ino, const char *name, const void *value,
			 size_t len, struct err *e)
{
	struct session_change c = session_change(db, STATEMENT_PUT_XATTR, CHANGE_BOTH);

	session_change_put_number(&c, ino);
	session_change_put_bytes(&c, name, strlen(name));
	session_change_put_bytes(&c, value, len);
	return session_change_run(&c, e) < 0 ? -1 : 0;
}

int session_db_remove_xattr(struct session_db *db, uint64_t ino, const char *name, struct err *e)
{
	struct session_change c = session_change(db, STATEMENT_REMOVE_XATTR, CHANGE_BOTH);

	session_change_put_number(&c, ino);
	session_change_put_bytes(&c, name, strlen(name));
	return session_change_run(&c, e);
}

int session_db_content(struct session_db *db, uint64_t ino, void *buf, size_t size, size_t *len,
		       struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_CONTENT);

	bind_u64(st, 0, ino);
	const int found = session_row(db, st, e);
	if (found <= 0)
		return found;
	const bool is_content = is_blob(st, 0);
	const void *bytes = sqlite3_column_blob(st, 0);
	*len = (size_t)sqlite3_column_bytes(st, 0);
	if (!is_content)
		err_set(e, ERR_FORMAT,
			"the session's database is damaged: the content of inode %" PRIu64, ino);
	else if (*len)
		memcpy(buf, bytes, *len < size ? *len : size);
	session_done(st);
	return is_content ? 1 : -1;
}

int session_db_put_content(struct session_db *db, uint64_t ino, const void *bytes, size_t len,
			   struct err *e)
{
	struct session_change c = session_change(db, STATEMENT_PUT_CONTENT, CHANGE_BOTH);

	session_change_put_number(&c, ino);
	session_change_put_bytes(&c, bytes, len);
	return session_change_run(&c, e) < 0 ? -1 : 0;
}

int session_db_remove_content(struct session_db *db, uint64_t ino, struct err *e)
{
	return remove_of(db, STATEMENT_REMOVE_CONTENT, ino, e) < 0 ? -1 : 0;
}

int session_db_extent(struct session_db *db, uint64_t ino, uint64_t at, struct session_extent *out,
		      struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_EXTENT);

	bind_u64(st, 0, ino);
	bind_u64(st, 1, at);
	const int found = session_row(db, st, e);
	if (found <= 0)
		return found;
	const bool is_row = is_integer(st, 0) && is_integer(st, 1);
	*out = (struct session_extent){column_u64(st, 0), column_u64(st, 1)};
	session_done(st);
	if (!is_row || out->start >= out->end || out->end >> BLOCKS_MAX_LOG != 0)
		return err_set(e, ERR_FORMAT,
			       "the session's database is damaged: an extent of inode %llu",
			       (unsigned long long)ino);
	return 1;
}

static int put_extent(struct session_db *db, uint64_t ino, const struct session_extent *x,
		      struct err *e)
{
	struct session_change c = session_change(db, STATEMENT_PUT_EXTENT, CHANGE_BOTH);

	session_change_put_number(&c, ino);
	session_change_put_number(&c, x->end);
	session_change_put_number(&c, x->start);
	return session_change_run(&c, e) < 0 ? -1 : 0;
}

int session_db_add_extent(struct session_db *db, uint64_t ino, const struct session_extent *x,
			  struct err *e)
{
	struct session_extent whole = *x, seen;
	/* Its end may be the other's start. */
	uint64_t at = x->start > 0 ? x->start - 1 : 0;

	for (;;) {
		const int found = session_db_extent(db, ino, at, &seen, e);
		if (found < 0)
			return -1;
		if (found == 0 || seen.start > x->end)
			break;
		if (seen.start < whole.start)
			whole.start = seen.start;
		if (seen.end > whole.end)
			whole.end = seen.end;
		at = seen.end;
	}
	struct session_change c = session_change(db, STATEMENT_REMOVE_EXTENTS, CHANGE_BOTH);
	session_change_put_number(&c, ino);
	session_change_put_number(&c, whole.start);
	session_change_put_number(&c, whole.end);
	if (session_change_run(&c, e) < 0)
		return -1;
	return put_extent(db, ino, &whole, e);
}

int session_db_cut_extents(struct session_db *db, uint64_t ino, uint64_t at, struct err *e)
{
	struct session_extent x;
	const int found = at ? session_db_extent(db, ino, at - 1, &x, e) : 0;

	if (found < 0)
		return -1;
	struct session_change c = session_change(db, STATEMENT_CUT_EXTENT, CHANGE_BOTH);
	session_change_put_number(&c, ino);
	session_change_put_number(&c, at);
	if (session_change_run(&c, e) < 0)
		return -1;
	if (found == 0 || x.start >= at || x.end <= at)
		return 0;
	x.end = at;
	return put_extent(db, ino, &x, e);
}

void session_change_put_reply(struct session_change *c, unsigned slot,
			      const struct session_reply *r)
{
	session_change_put_number(c, slot);
	session_change_put_number(c, r->unique);
	session_change_put_number(c, r->ino);
}

int session_db_put_reply(struct session_db *db, unsigned slot, const struct session_reply *r,
			 struct err *e)
{
	struct session_change c = session_change(db, STATEMENT_PUT_REPLY, CHANGE_NOTED);

	session_change_put_reply(&c, slot, r);
	return session_change_run(&c, e) < 0 ? -1 : session_held_put_reply(db, slot, r, e);
}

int session_db_forget_replies(struct session_db *db, struct err *e)
{
	struct session_change c = session_change(db, STATEMENT_FORGET_REPLIES, CHANGE_BOTH);

	session_held_drop_replies(db);
	return session_change_run(&c, e) < 0 ? -1 : 0;
}

int session_db_reply(struct session_db *db, uint64_t unique, struct session_reply *out,
		     struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_REPLY);

	if (session_batch_ready(db, e) < 0)
		return -1;
	const struct session_reply *held = session_held_reply(db, unique);
	if (held) {
		*out = *held;
		return 1;
	}
	bind_u64(st, 0, unique);
	const int found = session_row(db, st, e);
	if (found <= 0)
		return found;
	const bool is_row = is_integer(st, 0) && is_integer(st, 1) && is_integer(st, 2);
	*out = (struct session_reply){column_u64(st, 0), column_u64(st, 1)};
	/* Its thread may have carried out another since. */
	const bool is_last = !session_held_has_slot(db, (unsigned)column_u64(st, 2));
	session_done(st);
	if (!is_row)
		return err_set(e, ERR_FORMAT, "the session's database is damaged: a reply");
	return is_last;
}
