/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: those of the base, in directories of the base, where no row says otherwise; and rows.
 *
 * A directory of the base keeps its inode number wherever it is moved, and with it the names that
 * the base has in it: moving one is a row, whatever it holds.
 */
#include <errno.h>
#include <string.h>

#include "fs/session_private.h"
#include "fs/session_sync.h"
#include "image/whiteout.h"

enum {
	LINKS_MAX = 65000,  /* as ext4 */
	LINKS_OF_EMPTY = 2, /* of a directory without directories */
	FIRST_NAME = 2,     /* places of readdir: "." and ".." come before */
};

/* Places of readdir: the base's names by their number, whatever they lead to now, then those of
 * rows as they were made. */
#define PLACE_ROWS (UINT64_C(1) << 40)

void session_touch(struct session_inode *in, const struct timespec *now)
{
	in->mtim = in->ctim = *now;
}

int session_check_name(const char *name, struct err *e)
{
	if (strlen(name) > LIMIT_NAME)
		return err_sys(e, ENAMETOOLONG, "a name");
	if (strncmp(name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
		return err_sys(e, EPERM, "no image can hold a name that starts with '%s'",
			       WHITEOUT_PREFIX);
	return 0;
}

/* What the base has, whatever rows say: 1, 0, -1. */
static int find_lower(struct session *s, uint64_t dir, const char *name, size_t len, uint64_t *ino,
		      struct err *e)
{
	uint32_t inode = 0;

	if (!session_is_lower(s, dir))
		return 0;
	const int found = VIEW_RETRY(
		s->base, e,
		catalog_lookup(view_catalog(s->base), session_lower(dir), name, len, &inode, e));
	if (found > 0)
		*ino = (uint64_t)inode + 1;
	return found;
}

int session_find(struct session *s, uint64_t dir, const char *name, size_t len, uint64_t *ino,
		 struct err *e)
{
	struct session_name row;
	const int found = session_db_name(s->db, dir, name, len, &row, e);

	if (found < 0)
		return -1;
	if (found == 0)
		return find_lower(s, dir, name, len, ino, e);
	*ino = row.ino;
	return row.ino != 0;
}

int session_lower_name(struct session *s, uint64_t ino, uint32_t *at, uint64_t *dir, struct err *e)
{
	struct catalog_dirent name;
	uint64_t there = 0;
	uint32_t lower;

	for (;;) {
		int found = VIEW_RETRY(s->base, e,
				       catalog_name(view_catalog(s->base), session_lower(ino),
						    (*at)++, &lower, &name, e));
		if (found <= 0)
			return found;
		*dir = (uint64_t)lower + 1;
		found = session_find(s, *dir, name.name, name.name_len, &there, e);
		if (found < 0)
			return -1;
		if (found > 0 && there == ino)
			return 1;
	}
}

/* Whether a directory can still be come to; 1, 0, -1.  One that was removed has no rows that would
 * say so once the kernel has forgotten it, and none for what was below it in the base. */
static int is_dir_reachable(struct session *s, uint64_t dir, struct err *e)
{
	struct session_inode in;
	int found;

	do {
		uint32_t at = 0;
		if (session_load(s, dir, &in, e) < 0)
			return -1;
		if (in.nlink == 0)
			return 0;
		if (in.is_stored || dir == SESSION_ROOT)
			return 1;
		found = session_lower_name(s, dir, &at, &dir, e);
	} while (found > 0);
	return found;
}

/* Asked by number alone, by NFS and open_by_handle_at(2): 1, 0, -1. */
static int is_reachable(struct session *s, uint64_t ino, struct err *e)
{
	struct session_inode in;
	uint64_t dir;
	uint32_t at = 0;
	int found;

	if (session_load(s, ino, &in, e) < 0)
		return -1;
	if (S_ISDIR(in.mode) || in.is_stored || in.nlink == 0)
		return S_ISDIR(in.mode) ? is_dir_reachable(s, ino, e) : in.nlink > 0;
	while ((found = session_lower_name(s, ino, &at, &dir, e)) > 0) {
		found = is_dir_reachable(s, dir, e);
		if (found != 0)
			break;
	}
	return found;
}

static int lookup_locked(struct session *s, uint64_t dir, const char *name, uint64_t *ino,
			 struct err *e)
{
	const size_t len = strlen(name);
	struct session_inode in;

	*ino = dir;
	if (strcmp(name, ".") == 0)
		return is_reachable(s, dir, e);
	if (session_load_dir(s, dir, &in, e) < 0)
		return -1;
	*ino = in.parent;
	if (strcmp(name, "..") == 0)
		return 1;
	if (len > LIMIT_NAME)
		return err_sys(e, ENAMETOOLONG, "a name");
	return session_find(s, dir, name, len, ino, e);
}

int session_lookup(struct session *s, uint64_t dir, const char *name, uint64_t *ino, struct err *e)
{
	session_lock(s);
	const int r = lookup_locked(s, dir, name, ino, e);
	session_unlock(s);
	return r;
}

int session_set_name(struct session *s, uint64_t dir, const char *name, uint64_t ino, uint32_t type,
		     struct err *e)
{
	struct session_name row;
	uint64_t lower = 0;
	const size_t len = strlen(name);
	const int had = session_db_name(s->db, dir, name, len, &row, e);

	if (had < 0 || find_lower(s, dir, name, len, &lower, e) < 0)
		return -1;
	if (lower == ino) /* as the base has it; 0: neither has it */
		return session_db_remove_name(s->db, dir, name, len, e) < 0 ? -1 : 0;
	/* One that is replaced keeps its place: it was there all the time. */
	const uint64_t order = had ? row.order : 0;
	row = (struct session_name){
		.parent = dir, .ino = ino, .order = order, .type = type, .len = len};
	memcpy(row.name, name, len + 1);
	if (ino && !lower && !order && session_number(s, &row.order, e) < 0)
		return -1;
	return session_db_put_name(s->db, &row, e);
}

int session_lose_dir(struct session_inode *parent, struct err *e)
{
	if (parent->nlink <= LINKS_OF_EMPTY)
		return err_set(e, ERR_FORMAT, "directory %llu has fewer links than directories",
			       (unsigned long long)parent->ino);
	parent->nlink--;
	return 0;
}

/* Both are in the order of bytes: every name of the base must meet a whiteout. */
int session_is_empty(struct session *s, uint64_t dir, struct err *e)
{
	struct session_name row = {.len = 0};
	struct catalog_dirent lower;

	for (uint64_t at = 0;; at++) {
		const int has_lower =
			session_is_lower(s, dir)
				? VIEW_RETRY(s->base, e,
					     catalog_readdir(view_catalog(s->base),
							     session_lower(dir), at, &lower, e))
				: 0;
		const int has_row = has_lower < 0 ? -1
						  : session_db_name_above(s->db, dir, row.name,
									  row.len, &row, e);
		if (has_row <= 0)
			return has_row < 0 ? -1 : has_lower == 0;
		if (row.ino != 0)
			return 0;
		/* A whiteout of a name that the base does not have does not exist. */
		if (!has_lower || row.len != lower.name_len ||
		    memcmp(row.name, lower.name, row.len) != 0)
			return 0;
	}
}

int session_drop(struct session *s, struct session_inode *in, const struct timespec *now,
		 struct err *e)
{
	in->nlink = S_ISDIR(in->mode) ? 0 : in->nlink - 1;
	in->ctim = *now;
	if (in->nlink > 0)
		return session_store(s, in, e);
	if (u64map_get(&s->lookups, in->ino) || s->flags & SESSION_TAKE_OVER)
		return session_orphan(s, in, e);
	if (!in->is_stored)
		return 0;
	return session_doom_file(s, in, false, e) < 0 ? -1 : session_remove(s, in, e);
}

static int check_new(struct session *s, uint64_t dir, const char *name,
		     struct session_inode *parent, struct err *e)
{
	uint64_t there;

	if (session_load_dir(s, dir, parent, e) < 0 || session_check_name(name, e) < 0)
		return -1;
	if (parent->nlink == 0)
		return err_sys(e, ENOENT, "the directory is removed");
	const int found = session_find(s, dir, name, strlen(name), &there, e);
	if (found > 0)
		return err_sys(e, EEXIST, "a name");
	return found;
}

static int put_new(struct session *s, const struct session_caller *who,
		   const struct session_new *what, struct session_inode *parent, uint64_t *ino,
		   struct err *e)
{
	struct session_inode in = {
		.mode = what->mode,
		.uid = who->uid,
		.gid = who->gid,
		.nlink = S_ISDIR(what->mode) ? LINKS_OF_EMPTY : 1,
		.rdev_major = what->rdev_major,
		.rdev_minor = what->rdev_minor,
		.atim = session_now(),
	};

	session_touch(&in, &in.atim);
	/* A directory with setgid hands its group down, and to directories the bit. */
	if (parent->mode & S_ISGID) {
		in.gid = parent->gid;
		in.mode |= S_ISDIR(in.mode) ? S_ISGID : 0;
	}
	if (S_ISDIR(in.mode)) {
		in.parent = parent->ino;
		parent->nlink++;
	}
	if (what->target)
		in.size = strlen(what->target);
	session_touch(parent, &in.atim);
	if (session_number(s, &in.ino, e) < 0 || session_store(s, &in, e) < 0 ||
	    session_set_name(s, parent->ino, what->name, in.ino, in.mode & S_IFMT, e) < 0 ||
	    session_store(s, parent, e) < 0)
		return -1;
	*ino = in.ino;
	return what->target ? session_db_put_content(s->db, in.ino, what->target, in.size, e) : 0;
}

int session_create(struct session *s, const struct session_caller *who, uint64_t dir,
		   const struct session_new *what, uint64_t *ino, struct err *e)
{
	struct session_inode parent;
	uint64_t made = 0;

	if (what->target && strlen(what->target) > LIMIT_SYMLINK)
		return err_sys(e, ENAMETOOLONG, "the target of a link");
	if (session_begin(s, e) < 0)
		return -1;
	int r = check_new(s, dir, what->name, &parent, e);
	if (r == 0)
		r = put_new(s, who, what, &parent, &made, e);
	if (session_end(s, who, made, r, e) < 0)
		return -1;
	*ino = made;
	return 0;
}

static int add_link(struct session *s, uint64_t ino, uint64_t dir, const char *name, struct err *e)
{
	const struct timespec now = session_now();
	struct session_inode in, parent;

	if (check_new(s, dir, name, &parent, e) < 0 || session_load(s, ino, &in, e) < 0)
		return -1;
	if (S_ISDIR(in.mode))
		return err_sys(e, EPERM, "a directory has one name");
	if (in.nlink == 0)
		return err_sys(e, ENOENT, "the file has no name any more");
	if (in.nlink >= LINKS_MAX)
		return err_sys(e, EMLINK, "the file");
	in.nlink++;
	in.ctim = now;
	session_touch(&parent, &now);
	if (session_store(s, &in, e) < 0 || session_store(s, &parent, e) < 0)
		return -1;
	return session_set_name(s, dir, name, ino, in.mode & S_IFMT, e);
}

int session_link(struct session *s, const struct session_caller *who, uint64_t ino, uint64_t dir,
		 const char *name, struct err *e)
{
	if (session_begin(s, e) < 0)
		return -1;
	return session_end(s, who, ino, add_link(s, ino, dir, name, e), e);
}

/* `is_dir`: rmdir. */
static int remove_name(struct session *s, uint64_t dir, const char *name, bool is_dir,
		       struct err *e)
{
	const struct timespec now = session_now();
	struct session_inode in, parent;
	uint64_t ino = 0;

	if (session_load_dir(s, dir, &parent, e) < 0)
		return -1;
	const int found = session_find(s, dir, name, strlen(name), &ino, e);
	if (found <= 0)
		return found < 0 ? -1 : err_sys(e, ENOENT, "a name");
	if (session_load(s, ino, &in, e) < 0)
		return -1;
	if (is_dir != S_ISDIR(in.mode))
		return err_sys(e, is_dir ? ENOTDIR : EISDIR, "a name");
	const int is_empty = is_dir ? session_is_empty(s, ino, e) : 1;
	if (is_empty <= 0)
		return is_empty < 0 ? -1 : err_sys(e, ENOTEMPTY, "a directory");
	session_touch(&parent, &now);
	if ((is_dir && session_lose_dir(&parent, e) < 0) ||
	    session_set_name(s, dir, name, 0, 0, e) < 0 || session_store(s, &parent, e) < 0)
		return -1;
	return session_drop(s, &in, &now, e);
}

int session_unlink(struct session *s, const struct session_caller *who, uint64_t dir,
		   const char *name, struct err *e)
{
	if (session_begin(s, e) < 0)
		return -1;
	return session_end(s, who, 0, remove_name(s, dir, name, false, e), e);
}

int session_rmdir(struct session *s, const struct session_caller *who, uint64_t dir,
		  const char *name, struct err *e)
{
	if (session_begin(s, e) < 0)
		return -1;
	return session_end(s, who, 0, remove_name(s, dir, name, true, e), e);
}

static void set_dirent(struct session_dirent *out, uint64_t ino, uint32_t type, uint64_t next,
		       const char *name, size_t len)
{
	out->ino = ino;
	out->type = type;
	out->next = next;
	memcpy(out->name, name, len);
	out->name[len] = '\0';
}

/* Names that the base has, too, and no row hides: 1, 0 no more, -1. */
static int read_lower(struct session *s, uint64_t dir, uint64_t at, struct session_dirent *out,
		      struct err *e)
{
	struct catalog_dirent lower;
	struct session_name row;

	/* Most directories have no rows. */
	const int has_rows = session_db_name_above(s->db, dir, "", 0, &row, e);
	if (has_rows < 0)
		return -1;
	for (;; at++) {
		const int found = VIEW_RETRY(
			s->base, e,
			catalog_readdir(view_catalog(s->base), session_lower(dir), at, &lower, e));
		if (found <= 0)
			return found;
		const int has_row =
			has_rows ? session_db_name(s->db, dir, lower.name, lower.name_len, &row, e)
				 : 0;
		if (has_row < 0)
			return -1;
		if (has_row && row.ino == 0)
			continue;
		set_dirent(out, has_row ? row.ino : (uint64_t)lower.inode + 1,
			   has_row ? row.type : lower.type, at + 1 + FIRST_NAME, lower.name,
			   lower.name_len);
		return 1;
	}
}

static int read_rows(struct session *s, uint64_t dir, uint64_t after, struct session_dirent *out,
		     struct err *e)
{
	struct session_name row;
	const int found = session_db_name_made(s->db, dir, after, &row, e);

	if (found > 0)
		set_dirent(out, row.ino, row.type, row.order + PLACE_ROWS, row.name, row.len);
	return found;
}

int session_readdir(struct session *s, uint64_t dir, uint64_t at, struct session_dirent *out,
		    struct err *e)
{
	struct session_inode in;
	int found = 0;

	session_lock(s);
	if (at < FIRST_NAME) {
		const bool is_parent = at == 1;
		found = session_load_dir(s, dir, &in, e) < 0 ? -1 : 1;
		if (found > 0)
			set_dirent(out, is_parent ? in.parent : dir, S_IFDIR, at + 1, "..",
				   1U + is_parent);
	} else if (at < PLACE_ROWS && session_is_lower(s, dir)) {
		found = read_lower(s, dir, at - FIRST_NAME, out, e);
	}
	if (found == 0)
		found = read_rows(s, dir, at > PLACE_ROWS ? at - PLACE_ROWS : 0, out, e);
	session_unlock(s);
	return found;
}

int session_readlink(struct session *s, uint64_t ino, char out[static LIMIT_SYMLINK + 1],
		     struct err *e)
{
	size_t len = 0;
	int r;

	session_lock(s);
	const int found = session_db_content(s->db, ino, out, LIMIT_SYMLINK, &len, e);
	if (found == 0 && session_is_lower(s, ino))
		r = VIEW_RETRY(
			s->base, e,
			catalog_readlink(view_catalog(s->base), session_lower(ino), out, &len, e));
	else
		r = found > 0 ? 0 : -1;
	if (found == 0 && !session_is_lower(s, ino))
		err_sys(e, EINVAL, "inode %llu is no link", (unsigned long long)ino);
	session_unlock(s);
	if (r == 0)
		out[len < LIMIT_SYMLINK ? len : LIMIT_SYMLINK] = '\0';
	return r;
}
