/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_rows.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
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

static void bind_bytes(sqlite3_stmt *st, int column, const void *bytes, size_t len)
{
	/* A NULL pointer would be SQL's NULL, which equals nothing. */
	sqlite3_bind_blob64(st, column + 1, len ? bytes : "", len, SQLITE_STATIC);
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

	bind_u64(st, 0, ino);
	return read_inode(db, st, out, e);
}

int session_db_inode_next(struct session_db *db, uint64_t after, struct session_inode *out,
			  struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_INODE_NEXT);

	bind_u64(st, 0, after);
	const int found = read_inode(db, st, out, e);
	if (found <= 0)
		return found;
	return check_above(out->ino, after, "inode", e) < 0 ? -1 : 1;
}

static void bind_time(sqlite3_stmt *st, int column, const struct timespec *t)
{
	sqlite3_bind_int64(st, column + 1, t->tv_sec);
	sqlite3_bind_int64(st, column + 2, t->tv_nsec);
}

int session_db_put_inode(struct session_db *db, const struct session_inode *in, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_PUT_INODE);

	bind_u64(st, INODE_INO, in->ino);
	bind_u64(st, INODE_MODE, in->mode);
	bind_u64(st, INODE_UID, in->uid);
	bind_u64(st, INODE_GID, in->gid);
	bind_u64(st, INODE_NLINK, in->nlink);
	bind_u64(st, INODE_RDEV_MAJOR, in->rdev_major);
	bind_u64(st, INODE_RDEV_MINOR, in->rdev_minor);
	bind_u64(st, INODE_SIZE, in->size);
	bind_time(st, INODE_ATIME, &in->atim);
	bind_time(st, INODE_MTIME, &in->mtim);
	bind_time(st, INODE_CTIME, &in->ctim);
	bind_u64(st, INODE_PARENT, in->parent);
	bind_u64(st, INODE_LOWER_SIZE, in->lower_size);
	bind_u64(st, INODE_PLACE, in->place);
	bind_u64(st, INODE_VERSION, in->version);
	bind_u64(st, INODE_HAS_XATTRS, in->has_xattrs);
	return session_run(db, st, e) < 0 ? -1 : 0;
}

static int remove_of(struct session_db *db, enum session_statement which, uint64_t ino,
		     struct err *e)
{
	sqlite3_stmt *st = session_statement(db, which);

	bind_u64(st, 0, ino);
	return session_run(db, st, e);
}

int session_db_remove_inode(struct session_db *db, const struct session_inode *in, struct err *e)
{
	const bool has_content = in->place == SESSION_IN_ROW || S_ISLNK(in->mode);
	const bool has_extents = in->place == SESSION_IN_FILE && in->lower_size > 0;

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
	bind_bytes(st, 1, name, len);
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
	bind_bytes(st, 1, name, len);
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
	sqlite3_stmt *st = session_statement(db, STATEMENT_PUT_NAME);

	bind_u64(st, NAME_PARENT, in->parent);
	bind_bytes(st, NAME_NAME, in->name, in->len);
	bind_u64(st, NAME_INO, in->ino);
	bind_u64(st, NAME_MADE, in->order);
	bind_u64(st, NAME_TYPE, in->type);
	return session_run(db, st, e) < 0 ? -1 : 0;
}

int session_db_remove_name(struct session_db *db, uint64_t parent, const char *name, size_t len,
			   struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_REMOVE_NAME);

	bind_u64(st, 0, parent);
	bind_bytes(st, 1, name, len);
	return session_run(db, st, e);
}

int session_db_xattr(struct session_db *db, uint64_t ino, const char *name, void *value,
		     size_t *len, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_XATTR);

	bind_u64(st, 0, ino);
	bind_bytes(st, 1, name, strlen(name));
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
	bind_bytes(st, 1, name, strlen(name));
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
	sqlite3_stmt *st = session_statement(db, STATEMENT_PUT_XATTR);

	bind_u64(st, 0, ino);
	bind_bytes(st, 1, name, strlen(name));
	bind_bytes(st, 2, value, len);
	return session_run(db, st, e) < 0 ? -1 : 0;
}

int session_db_remove_xattr(struct session_db *db, uint64_t ino, const char *name, struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_REMOVE_XATTR);

	bind_u64(st, 0, ino);
	bind_bytes(st, 1, name, strlen(name));
	return session_run(db, st, e);
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
	sqlite3_stmt *st = session_statement(db, STATEMENT_PUT_CONTENT);

	bind_u64(st, 0, ino);
	bind_bytes(st, 1, bytes, len);
	return session_run(db, st, e) < 0 ? -1 : 0;
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
	sqlite3_stmt *st = session_statement(db, STATEMENT_PUT_EXTENT);

	bind_u64(st, 0, ino);
	bind_u64(st, 1, x->end);
	bind_u64(st, 2, x->start);
	return session_run(db, st, e) < 0 ? -1 : 0;
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
	sqlite3_stmt *st = session_statement(db, STATEMENT_REMOVE_EXTENTS);
	bind_u64(st, 0, ino);
	bind_u64(st, 1, whole.start);
	bind_u64(st, 2, whole.end);
	if (session_run(db, st, e) < 0)
		return -1;
	return put_extent(db, ino, &whole, e);
}

int session_db_cut_extents(struct session_db *db, uint64_t ino, uint64_t at, struct err *e)
{
	struct session_extent x;
	const int found = at ? session_db_extent(db, ino, at - 1, &x, e) : 0;

	if (found < 0)
		return -1;
	sqlite3_stmt *st = session_statement(db, STATEMENT_CUT_EXTENT);
	bind_u64(st, 0, ino);
	bind_u64(st, 1, at);
	if (session_run(db, st, e) < 0)
		return -1;
	if (found == 0 || x.start >= at || x.end <= at)
		return 0;
	x.end = at;
	return put_extent(db, ino, &x, e);
}

int session_db_put_reply(struct session_db *db, unsigned slot, const struct session_reply *r,
			 struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_PUT_REPLY);

	bind_u64(st, 0, slot);
	bind_u64(st, 1, r->unique);
	bind_u64(st, 2, r->ino);
	return session_run(db, st, e) < 0 ? -1 : 0;
}

int session_db_forget_replies(struct session_db *db, struct err *e)
{
	return session_run(db, session_statement(db, STATEMENT_FORGET_REPLIES), e) < 0 ? -1 : 0;
}

int session_db_reply(struct session_db *db, uint64_t unique, struct session_reply *out,
		     struct err *e)
{
	sqlite3_stmt *st = session_statement(db, STATEMENT_REPLY);

	bind_u64(st, 0, unique);
	const int found = session_row(db, st, e);
	if (found <= 0)
		return found;
	const bool is_row = is_integer(st, 0) && is_integer(st, 1);
	*out = (struct session_reply){column_u64(st, 0), column_u64(st, 1)};
	session_done(st);
	if (!is_row)
		return err_set(e, ERR_FORMAT, "the session's database is damaged: a reply");
	return 1;
}
