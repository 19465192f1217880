/* SPDX-License-Identifier: Apache-2.0 */
#include "fs/session_check.h"

#include <fcntl.h>
#include <string.h>

#include "base/array.h"
#include "fs/session_batch.h"
#include "fs/session_check_private.h"
#include "fs/session_db_private.h"

enum { MODE_BITS = 07777 };

static int blame(const struct session_inode *in, const char *why, struct err *e)
{
	return err_set(e, ERR_FORMAT, "inode %llu %s", (unsigned long long)in->ino, why);
}

/* The first number that a statement of ours gives: 1, 0, -1. */
static int ask(struct session_db *db, const char *text, uint64_t *out, struct err *e)
{
	sqlite3_stmt *st = NULL;

	if (session_batch_write_held(db, e) < 0)
		return -1;
	if (sqlite3_prepare_v2(db->db, text, -1, &st, NULL) != SQLITE_OK)
		return session_db_fail(db, "be checked", e);
	const int found = session_row(db, st, e);
	if (found > 0)
		*out = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return found;
}

/* Rows of what belongs to an inode, and there is none. */
static int check_strays(struct session_db *db, struct err *e)
{
	static const struct {
		const char *text, *what;
	} tables[] = {
		{"SELECT ino FROM content WHERE ino NOT IN (SELECT ino FROM inode) LIMIT 1",
		 "content"},
		{"SELECT ino FROM extent WHERE ino NOT IN (SELECT ino FROM inode) LIMIT 1",
		 "extents"},
		{"SELECT ino FROM xattr WHERE ino NOT IN (SELECT ino FROM inode WHERE has_xattrs) "
		 "LIMIT 1",
		 "extended attributes"},
	};
	uint64_t ino = 0;

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		const int found = ask(db, tables[i].text, &ino, e);
		if (found < 0)
			return -1;
		if (found)
			return err_set(e, ERR_FORMAT, "inode %llu has %s, and no row that says so",
				       (unsigned long long)ino, tables[i].what);
	}
	return 0;
}

/* Content in a row, which is as long as `in` says, or must not be there. */
static int check_content(struct session *s, const struct session_inode *in, bool is_wanted,
			 struct err *e)
{
	char bytes[SESSION_ROW_MAX];
	size_t len = 0;
	const int found = session_db_content(s->db, in->ino, bytes, sizeof(bytes), &len, e);

	if (found < 0)
		return -1;
	if (found != is_wanted)
		return blame(in,
			     found ? "has content in a row that nobody reads"
				   : "has lost its content",
			     e);
	if (found && (len != in->size || len > SESSION_ROW_MAX))
		return blame(in, "has content of another length than it says", e);
	if (found && S_ISLNK(in->mode) && (len > LIMIT_SYMLINK || memchr(bytes, '\0', len)))
		return blame(in, "is a link with a target that cannot be", e);
	return 0;
}

static int check_extents(struct session *s, const struct session_inode *in, struct err *e)
{
	const uint64_t blocks =
		in->lower_size / SESSION_BLOCK + (in->lower_size % SESSION_BLOCK != 0);
	struct session_extent x = {0, 0};
	uint64_t last = 0;
	int more;

	while ((more = session_db_extent(s->db, in->ino, x.end, &x, e)) > 0) {
		if (in->place != SESSION_IN_FILE)
			return blame(in, "has extents, and no data file", e);
		if (x.end > blocks)
			return blame(in, "has an extent behind what it has of the image", e);
		if (last && x.start <= last)
			return blame(in, "has extents that touch", e);
		last = x.end;
	}
	return more;
}

static int check_data_file(struct session_check *c, const struct session_inode *in, struct err *e)
{
	if (in->place != SESSION_IN_FILE)
		return 0;
	struct session_file *file = session_files_get(&c->s->files, in->ino, in->version, e);
	if (!file)
		return err_wrap(e, "inode %llu", (unsigned long long)in->ino);
	session_files_put(file);
	c->stats.files++;
	return 0;
}

static int check_file(struct session_check *c, const struct session_inode *in, struct err *e)
{
	struct catalog_stat base = {.size = 0};

	if (session_is_lower(c->s, in->ino) &&
	    VIEW_RETRY(c->s->base, e,
		       catalog_stat(view_catalog(c->s->base), session_lower(in->ino), &base, e)) <
		    0)
		return -1;
	if (in->lower_size > base.size)
		return blame(in, "has more of the image than the image has", e);
	if (in->place == SESSION_IN_ROW && in->lower_size > 0)
		return blame(in, "is in a row, and has content of the image", e);
	if (in->place == SESSION_IN_FILE && in->version == 0)
		return blame(in, "has a data file without a version", e);
	if (check_content(c->s, in, in->place == SESSION_IN_ROW, e) < 0 ||
	    check_extents(c->s, in, e) < 0)
		return -1;
	return check_data_file(c, in, e);
}

/* What only files have. */
static int check_other(struct session_check *c, const struct session_inode *in, struct err *e)
{
	const bool is_new_link = S_ISLNK(in->mode) && !session_is_lower(c->s, in->ino);

	if (in->place != SESSION_NOWHERE || in->lower_size > 0)
		return blame(in, "is no file, and has content", e);
	if (!S_ISLNK(in->mode) && in->size > 0)
		return blame(in, "is no file, and has a length", e);
	if (check_content(c->s, in, is_new_link, e) < 0)
		return -1;
	return check_extents(c->s, in, e);
}

static int check_kind(struct session *s, const struct session_inode *in, struct err *e)
{
	const uint32_t kind = in->mode & S_IFMT;
	struct catalog_stat base;

	if (in->mode & ~(uint32_t)(S_IFMT | MODE_BITS))
		return blame(in, "has a mode that cannot be", e);
	if (!S_ISREG(kind) && !S_ISDIR(kind) && !S_ISLNK(kind) && !S_ISCHR(kind) &&
	    !S_ISBLK(kind) && !S_ISFIFO(kind) && !S_ISSOCK(kind))
		return blame(in, "has a type that is none", e);
	if (!session_is_lower(s, in->ino))
		return 0;
	if (VIEW_RETRY(s->base, e,
		       catalog_stat(view_catalog(s->base), session_lower(in->ino), &base, e)) < 0)
		return -1;
	return kind == (base.mode & S_IFMT) ? 0 : blame(in, "is of another type in the image", e);
}

static int check_xattrs(struct session *s, const struct session_inode *in, struct err *e)
{
	char name[LIMIT_XATTR_NAME + 1] = "";
	uint64_t total = 0;
	size_t len = 0;
	int more;

	while ((more = session_db_xattr_above(s->db, in->ino, name, name, &len, e)) > 0) {
		total += strlen(name) + len;
		if (len > LIMIT_XATTR_VALUE || total > LIMIT_XATTRS)
			return blame(in, "has extended attributes over the limit", e);
	}
	return more;
}

static int check_inode(struct session_check *c, const struct session_inode *in, struct err *e)
{
	c->stats.inodes++;
	if (in->ino == 0 || in->ino >= c->next)
		return blame(in, "has a number that was never given out", e);
	if (check_kind(c->s, in, e) < 0 || check_xattrs(c->s, in, e) < 0)
		return -1;
	if (!S_ISDIR(in->mode) && in->parent != 0)
		return blame(in, "is no directory, and says where it is", e);
	if ((S_ISREG(in->mode) ? check_file : check_other)(c, in, e) < 0)
		return -1;
	return session_check_links(c, in, e);
}

static int check_locked(struct session_check *c, struct err *e)
{
	struct session_inode in = {.ino = 0};
	int more;

	const int found = ask(c->s->db, "SELECT value FROM meta WHERE key = 'next'", &c->next, e);
	if (found < 0)
		return -1;
	if (found == 0 || c->next <= c->s->base_count || c->next > INT64_MAX)
		return err_set(e, ERR_FORMAT, "the next number of an inode cannot be");
	if (session_check_names(c, e) < 0)
		return -1;
	while ((more = session_db_inode_next(c->s->db, in.ino, &in, e)) > 0) {
		if (check_inode(c, &in, e) < 0)
			return -1;
	}
	if (more < 0 || session_check_rest(c, e) < 0)
		return -1;
	return check_strays(c->s->db, e);
}

int session_check(struct session *s, struct session_check_stats *out, struct err *e)
{
	struct session_check c = {.s = s};

	session_lock(s);
	const int r = check_locked(&c, e);
	session_unlock(s);
	u64map_fini(&c.added);
	u64map_fini(&c.added_dirs);
	u64map_fini(&c.hidden);
	u64map_fini(&c.hidden_dirs);
	u64map_fini(&c.homes);
	u64map_fini(&c.walked);
	if (out)
		*out = c.stats;
	return r < 0 && e->code == ERR_FORMAT ? err_wrap(e, "the session is damaged") : r;
}
